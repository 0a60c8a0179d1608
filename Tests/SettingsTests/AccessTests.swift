import Access
import Documents
import Settings
import Testing

@Suite struct AccessTests {
    private func told(_ broker: String) throws -> [String] {
        try configuration("version: 1\ngateway: { id: site }\nbroker:\n" + broker).problems.map {
            "\($0.mark.line):\($0.mark.column) \($0.severity.rawValue) \($0.message)"
        }
    }

    @Test func `users, groups and rules are taken over`() throws {
        let read = try settings(
            """
            broker:
              auth: { file: /etc/martlet/users, anonymous: false, groups: { staff: [ anna, bert ], one: carl } }
              acl:
                - { user: panel, read: "house/#", write: "house/+/set" }
                - { client: [ a, "meter-*" ], address: [ 192.168.1.0/24, "fd00::/8" ], subscribe: [ "x/%u/#", "%c" ] }
                - { group: staff, deny: [ secret ] }
                - { anonymous: true, read: "public/#" }
            """)
        #expect(read.userFile == "/etc/martlet/users")
        #expect(read.anonymous == .nobody)
        #expect(read.groups == ["staff": [Array("anna".utf8), Array("bert".utf8)], "one": [Array("carl".utf8)]])
        let rules = try #require(read.rules)
        #expect(rules.count == 4)
        #expect(rules[0].audience.users == ["panel"])
        #expect((rules[0].read, rules[0].write) == (["house/#"], ["house/+/set"]))
        #expect(rules[0].subscribe == nil)
        #expect(rules[1].audience.clients == ["a", "meter-*"])
        let addresses = [AddressRange("192.168.1.0/24"), AddressRange("fd00::/8")].compactMap(\.self)
        #expect(rules[1].audience.addresses == addresses)
        #expect(rules[1].subscribe == ["x/%u/#", "%c"])
        #expect((rules[2].audience.groups, rules[2].deny) == (["staff"], ["secret"]))
        #expect(rules[3].audience.isAnonymous)
    }

    @Test func `without them everything is as it was`() throws {
        let read = try settings("broker: {}")
        #expect(read.userFile == nil)
        #expect(read.rules == nil)
        #expect(read.anonymous == .loopback)
    }

    @Test func `a listener may have its own`() throws {
        let read = try settings(
            """
            broker:
              listen:
                - { address: 127.0.0.1 }
                - { address: 0.0.0.0, port: 1884, auth: { file: /u2, anonymous: true }, acl: [ { read: "a/#" } ] }
                - { address: 0.0.0.0, port: 1885, auth: { file: /u3 } }
            """)
        #expect(read.listeners.map(\.access.userFile) == [nil, "/u2", "/u3"])
        #expect(read.listeners.map(\.access.anonymous) == [nil, .everybody, nil])
        #expect(read.listeners.map { $0.access.rules?.count } == [nil, 1, nil])
    }

    @Test func `users may be let in from other machines`() throws {
        #expect(try told("  listen: [ { address: 0.0.0.0 } ]\n  auth: { file: /users }") == [])
        #expect(try told("  listen: [ { address: 0.0.0.0, auth: { file: /users } } ]") == [])
        #expect(try told("  auth: { file: /users, anonymous: false }") == [])
        // Everybody, but not everything.
        #expect(
            try told("  listen: [ { address: 0.0.0.0 } ]\n  auth: { anonymous: true }\n  acl: [ { read: a } ]") == [])
    }

    @Test func `all that is wrong is told at once, with its place`() throws {
        let broker = """
              auth: { password_file: /u, groups: { staff: [ anna ] } }
              acl:
                - { user: a }
                - { user: b, read: "a#" }
                - { group: stuff, write: [ "a/+b" ] }
                - { address: 300.1.1.1, read: a }
                - { anonymous: true, user: c, read: a }
                - { topic: a }
                - read: #
                - { anonymous: maybe, deny: [ [ a ] ] }
                - text
            """
        let expected = [
            "4:11 error unknown key 'password_file' in 'broker.auth'",
            "6:7 error this rule allows nothing and denies nothing",
            "7:24 error 'a#' is no topic filter",
            "8:16 error there is no group 'stuff'",
            "8:32 error 'a/+b' is no topic filter",
            "9:18 error '300.1.1.1' is not allowed for 'address'",
            "10:26 error 'anonymous' and 'user' exclude each other",
            "11:7 error this rule allows nothing and denies nothing",
            "11:9 error unknown key 'topic' in 'broker.acl.6'",
            "12:7 error 'read' is empty in 'broker.acl.7'",
            "13:20 error 'maybe' is not allowed for 'anonymous'",
            "13:35 error 'deny' takes texts, not a list",
            "14:7 error 'broker.acl.9' must be a group of keys, not a single value",
        ]
        let told = try told(broker)
        #expect(told.filter { !expected.contains($0) } == [])
        #expect(expected.filter { !told.contains($0) } == [])
    }
}
