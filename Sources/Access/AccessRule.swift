/// One rule: for whom, and what.
package struct AccessRule: Equatable, Sendable {
    /// Whom a rule is for: everybody who has all that is asked for; nothing asked for is everybody.
    package struct Audience: Equatable, Sendable {
        /// User names; `*` is everybody with one, `sensor-*` those whose name begins so.
        package var users: [String]?
        /// Client ids, in the same way.
        package var clients: [String]?
        package var addresses: [AddressRange]?
        package var groups: [String]?
        /// Clients without a user name, and only them.
        package var isAnonymous = false

        package init() {}
    }

    package var audience = Audience()
    /// Filters of topics that reach the client; `%u` and `%c` stand for its user name and client id.
    package var read: [String] = []
    /// Filters of topics that the client may publish to.
    package var write: [String] = []
    /// Filters that the client's subscriptions must stay within; nil follows `read`.
    package var subscribe: [String]?
    /// Filters of topics that are closed in all ways, whatever other rules say.
    package var deny: [String] = []

    package init() {}
}

/// Who a client is, as rules see it.
package struct ClientIdentity: Equatable, Sendable {
    /// A name that was proven by a password or a certificate; nil is anonymous.
    package var user: [UInt8]?
    package var clientID: [UInt8]
    /// Numeric; empty for a Unix socket.
    package var address: String

    package init(user: [UInt8]? = nil, clientID: [UInt8], address: String = "") {
        self.user = user
        self.clientID = clientID
        self.address = address
    }
}

extension AccessRule.Audience {
    func includes(_ identity: ClientIdentity, groups members: [String: Set<[UInt8]>]) -> Bool {
        if isAnonymous, identity.user != nil { return false }
        if let users {
            guard let user = identity.user, users.contains(where: { Self.matches($0, user) }) else { return false }
        }
        if let clients {
            guard clients.contains(where: { Self.matches($0, identity.clientID) }) else { return false }
        }
        if let groups {
            guard let user = identity.user, groups.contains(where: { members[$0]?.contains(user) == true }) else {
                return false
            }
        }
        guard let addresses else { return true }
        guard let address = AddressRange.bytes(of: identity.address) else { return false }
        return addresses.contains { $0.contains(address) }
    }

    /// A name, or the beginning of one and `*`.
    private static func matches(_ pattern: String, _ name: [UInt8]) -> Bool {
        guard pattern.utf8.last == UInt8(ascii: "*") else { return pattern.utf8.elementsEqual(name) }
        return name.starts(with: pattern.utf8.dropLast())
    }
}
