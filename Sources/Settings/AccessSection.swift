package import Access
import Documents
import MQTTCodec

/// Who may connect to a listener, and who may do what there; nil is as for the whole broker.
package struct AccessOverrides: Equatable, Sendable {
    package var anonymous: Anonymous?
    /// The path of the file with users and passwords.
    package var userFile: String?
    package var rules: [AccessRule]?

    package init() {}
}

/// `auth:` and `acl:`, of the broker and of single listeners.
struct AccessSection {
    var problems: ProblemList
    /// The names of the groups, for rules.
    var groups: [String: Set<[UInt8]>] = [:]

    /// `broker.auth:` with the groups, which are for all listeners.
    mutating func broker(_ broker: Section) -> AccessOverrides {
        var access = AccessOverrides()
        if let section = broker.section("auth") {
            auth(section, into: &access)
            if let section = section.section("groups") { readGroups(section) }
            finish(section)
            if access.anonymous == .nobody, access.userFile == nil {
                problems.warning(
                    "nobody can connect: there are no users", at: section.mark(of: "anonymous"),
                    hint: "write 'file: /etc/martlet/users' below 'auth:' and make users with 'martlet passwd', or "
                        + "'anonymous: loopback' to let programs on this machine in")
            }
        }
        access.rules = rules(of: broker, path: "broker.acl")
        return access
    }

    /// The same keys in an entry of `broker.listen`.
    func listener(_ listener: Section) -> AccessOverrides {
        var access = AccessOverrides()
        if let section = listener.section("auth") {
            auth(section, into: &access)
            finish(section)
        }
        access.rules = rules(of: listener, path: "\(listener.path).acl")
        return access
    }

    private func auth(_ section: Section, into access: inout AccessOverrides) {
        access.anonymous =
            section.value("anonymous", wanted: "loopback, true or false") { text -> Anonymous? in
                if let word = Anonymous(rawValue: text) { return word }
                return Scalar.bool(text).map { $0 ? .everybody : .nobody }
            }?.value
        access.userFile =
            section.value("file", wanted: "the path of a file that 'martlet passwd' made") {
                $0.isEmpty ? nil : $0
            }?.value
    }

    private func finish(_ section: Section) {
        section.spelled([
            "password_file": "file", "users": "file", "passwords": "file", "allow_anonymous": "anonymous",
            "group": "groups",
        ])
        section.finish()
    }

    private mutating func readGroups(_ section: Section) {
        for (name, _, _) in section.names {
            guard let members = texts(section, name) else { continue }
            groups[name] = Set(members.map { Array($0.value.utf8) })
        }
    }

    // MARK: rules

    private func rules(of section: Section, path: String) -> [AccessRule]? {
        section.list("acl", like: "[ { user: panel, read: \"house/#\" } ]").map { nodes in
            nodes.enumerated().compactMap { index, node in
                Section(node, path: "\(path).\(index + 1)", problems).map(rule)
            }
        }
    }

    private func rule(_ section: Section) -> AccessRule {
        var rule = AccessRule()
        rule.audience = audience(section)
        rule.read = filters(section, "read") ?? []
        rule.write = filters(section, "write") ?? []
        rule.subscribe = filters(section, "subscribe")
        rule.deny = filters(section, "deny") ?? []
        if !["read", "write", "subscribe", "deny"].contains(where: section.has) {
            problems.error(
                "this rule allows nothing and denies nothing", at: section.mark,
                hint: "give it 'read:', 'write:', 'subscribe:' or 'deny:' with a topic filter, like \"house/#\"")
        }
        section.spelled([
            "users": "user", "username": "user", "client_id": "client", "clientid": "client", "clients": "client",
            "groups": "group", "ip": "address", "from": "address", "topic": "read", "publish": "write", "allow": "read",
            "readwrite": "write", "forbid": "deny",
        ])
        section.finish()
        return rule
    }

    private func audience(_ section: Section) -> AccessRule.Audience {
        var audience = AccessRule.Audience()
        audience.users = texts(section, "user")?.map(\.value)
        audience.clients = texts(section, "client")?.map(\.value)
        audience.addresses = texts(section, "address")?.compactMap { address($0) }
        audience.groups = texts(section, "group")?.map { name in
            if groups[name.value] == nil {
                let nearest =
                    NearestWord.of(name.value, among: Array(groups.keys)).map { "did you mean '\($0)'? " } ?? ""
                problems.error(
                    "there is no group '\(name.value)'", at: name.mark,
                    hint: "\(nearest)groups are made in 'broker.auth': groups: { \(name.value): [ anna, bert ] }")
            }
            return name.value
        }
        audience.isAnonymous =
            section.value("anonymous", wanted: "true; leave it out for everybody") { text in
                Scalar.bool(text) == true ? true : nil
            }?.value ?? false
        if audience.isAnonymous, let other = ["user", "group"].first(where: section.has) {
            problems.error(
                "'anonymous' and '\(other)' exclude each other", at: section.mark(of: other),
                hint: "clients without a user name are anonymous: write a rule for each")
        }
        return audience
    }

    private func address(_ text: Located<String>) -> AddressRange? {
        let range = AddressRange(text.value)
        if range == nil {
            problems.error(
                "'\(text.value)' is not allowed for 'address'", at: text.mark,
                hint: "write a numeric address or a network: 192.168.1.7, 192.168.1.0/24, fd00::/8")
        }
        return range
    }

    private func filters(_ section: Section, _ key: String) -> [String]? {
        guard let texts = texts(section, key) else { return nil }
        for text in texts {
            let filled = Self.filled(text.value)
            guard !Topic.isValidFilter(filled.span, filled.indices) else { continue }
            problems.error(
                "'\(text.value)' is no topic filter", at: text.mark,
                hint: "'+' and '#' stand alone between slashes, '#' at the end: house/+/state, house/#")
        }
        return texts.map(\.value)
    }

    /// With names in the places of `%u` and `%c`.
    private static func filled(_ filter: String) -> [UInt8] {
        var bytes = Array(filter.utf8)
        for place in bytes.indices.dropLast() where bytes[place] == UInt8(ascii: "%") {
            if bytes[place + 1] == UInt8(ascii: "u") || bytes[place + 1] == UInt8(ascii: "c") {
                (bytes[place], bytes[place + 1]) = (UInt8(ascii: "x"), UInt8(ascii: "x"))
            }
        }
        return bytes
    }

    /// One text, or a list of them; nil without the key.
    private func texts(_ section: Section, _ key: String) -> [Located<String>]? {
        guard let node = section.node(key) else {
            if section.has(key) {
                section.missing(key, hint: "a text that begins with '#' needs quotes: \"#\"")
            }
            return nil
        }
        guard let items = node.items else { return section.text(key).map { [$0] } }
        if items.isEmpty { section.missing(key, hint: "a list needs an entry") }
        return items.compactMap { item in
            guard let text = item.text, item.tag == nil else {
                problems.error("'\(key)' takes texts, not \(item.kind)", at: item.mark, hint: "\(key): [ a, b ]")
                return nil
            }
            return Located(text, at: item.mark)
        }
    }
}
