/// The rules of a listener, and the groups they speak of.
package struct AccessRules: Equatable, Sendable {
    package var rules: [AccessRule]
    /// Who is in which group.
    package var groups: [String: Set<[UInt8]>]

    package init(_ rules: [AccessRule], groups: [String: Set<[UInt8]>] = [:]) {
        self.rules = rules
        self.groups = groups
    }

    /// What one client may do.
    package func compiled(for identity: ClientIdentity) -> ClientRules {
        var (read, write, deny) = (FilterList(), FilterList(), FilterList())
        var subscribe: FilterList?
        for rule in rules where rule.audience.includes(identity, groups: groups) {
            for filter in rule.read { Self.filled(filter, identity).map { read.append($0) } }
            for filter in rule.write { Self.filled(filter, identity).map { write.append($0) } }
            for filter in rule.deny { Self.filled(filter, identity, mayWiden: true).map { deny.append($0) } }
            guard let filters = rule.subscribe else { continue }
            var all = subscribe ?? FilterList()
            for filter in filters { Self.filled(filter, identity).map { all.append($0) } }
            subscribe = all
        }
        return ClientRules(read: read, write: write, subscribe: subscribe, deny: deny)
    }

    /// The filter with the client's names in it.
    ///
    /// Nil where a name is missing, or has a `+`, `#` or `/` that would make another filter of it: such a client gets
    /// nothing from the rule. What is denied may become more by it.
    private static func filled(
        _ filter: String, _ identity: ClientIdentity, mayWiden: Bool = false
    ) -> [UInt8]? {
        var result: [UInt8] = []
        var rest = Array(filter.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%"), let letter = rest.first,
                letter == UInt8(ascii: "u") || letter == UInt8(ascii: "c")
            else {
                result.append(byte)
                continue
            }
            rest.removeFirst()
            let name = letter == UInt8(ascii: "u") ? identity.user : identity.clientID
            guard let name, !name.isEmpty, mayWiden || !name.contains(where: isSpecial) else { return nil }
            result += name
        }
        return result
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "+") || byte == UInt8(ascii: "#") || byte == UInt8(ascii: "/")
    }
}

/// What one client may do: its rules, filled in and ready to be asked for each message.
///
/// A class, so that a session has one word for it and asking costs nothing where there are no rules.
package final class ClientRules: Sendable {
    private let read: FilterList
    private let write: FilterList
    private let subscribe: FilterList?
    private let deny: FilterList

    init(read: FilterList, write: FilterList, subscribe: FilterList?, deny: FilterList) {
        self.read = read
        self.write = write
        self.subscribe = subscribe
        self.deny = deny
    }

    /// Allows nothing.
    package static let nothing = ClientRules(
        read: FilterList(), write: FilterList(), subscribe: nil, deny: FilterList())

    /// Whether messages on the topic may reach the client.
    package func mayRead(_ topic: Span<UInt8>) -> Bool {
        !deny.match(topic) && read.match(topic)
    }

    /// Whether the client may publish to the topic.
    package func mayWrite(_ topic: Span<UInt8>) -> Bool {
        !deny.match(topic) && write.match(topic)
    }

    /// Whether the client may subscribe to the filter.
    ///
    /// Without a rule for it, to all that could ever match a topic that the client may read; what it may not read
    /// is held back at delivery. A shared subscription is judged by the filter behind its name.
    package func maySubscribe(_ filter: Span<UInt8>) -> Bool {
        let filter = filter.extracting(Self.sharePrefix(filter)..<filter.count)
        if deny.cover(filter) { return false }
        return subscribe.map { $0.cover(filter) } ?? read.overlap(filter)
    }

    /// The length of `$share/name/` or `$queue/` at the front.
    private static func sharePrefix(_ filter: Span<UInt8>) -> Int {
        if starts(filter, with: "$queue/") { return 7 }
        guard starts(filter, with: "$share/") else { return 0 }
        var place = 7
        while place < filter.count, filter[place] != UInt8(ascii: "/") { place += 1 }
        return min(place + 1, filter.count)
    }

    private static func starts(_ filter: Span<UInt8>, with text: StaticString) -> Bool {
        guard filter.count >= text.utf8CodeUnitCount else { return false }
        var place = 0
        for byte in text.description.utf8 {
            if filter[place] != byte { return false }
            place += 1
        }
        return true
    }
}
