import Bytes
import Testing

@testable import Access

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite struct FilterListTests {
    // MQTT 5, section 4.7, with its examples.
    @Test(arguments: [
        ("sport/#", "sport", true), ("sport/#", "sport/tennis/player1", true), ("sport/#", "sports", false),
        ("sport/+", "sport", false), ("sport/+", "sport/", true), ("+/+", "/finance", true), ("/+", "/finance", true),
        ("+", "/finance", false), ("#", "a/b", true), ("#", "$SYS/x", false), ("+/x", "$SYS/x", false),
        ("$SYS/#", "$SYS/x", true), ("a/b", "a/b", true), ("a/b", "a/b/", false), ("a/b/", "a/b", false),
        ("a/+/c", "a//c", true), ("a/+/c", "a/b/d", false), ("a", "ab", false), ("ab", "a", false),
        ("a/+/#", "a/b", true), ("a/+/#", "a", false), ("+/b/#", "a/b", true),
    ])
    func `a filter matches the topics that it should`(filter: String, topic: String, isMatch: Bool) {
        let topic = bytes(topic)
        let result = FilterList([bytes(filter)]).match(topic.span)
        #expect(result == isMatch)
    }

    @Test(arguments: [
        ("a/#", "a/b/c", true), ("a/#", "a/#", true), ("a/#", "a", true), ("a/#", "a/+/c", true), ("a/#", "#", false),
        ("a/+", "a/#", false), ("a/+", "a/+", true), ("a/b", "a/+", false), ("+/b", "+/b", true), ("+/b", "#", false),
        ("#", "#", true), ("#", "+/x", true), ("#", "$SYS/#", false), ("+/#", "#", false), ("#", "+/#", true),
        ("$SYS/#", "$SYS/+/x", true), ("a/+/c", "a/#", false), ("a/b/#", "a/#", false),
    ])
    func `a filter covers those that match nothing else`(filter: String, other: String, isCovered: Bool) {
        let other = bytes(other)
        let result = FilterList([bytes(filter)]).cover(other.span)
        #expect(result == isCovered)
    }

    @Test(arguments: [
        ("a/b", "#", true), ("a/#", "a", true), ("a/b/c", "a/+", false), ("a/+", "+/b", true), ("a/b", "a/c", false),
        ("a", "a/#", true), ("a", "a/+", false), ("$SYS/x", "#", false), ("#", "$SYS/#", false),
        ("a/+/c", "a/b/#", true),
        ("+", "a/b", false), ("a/b/c", "+/+/d", false), ("a/b", "a/b", true), ("a/b", "a/b/c", false),
        ("+/#", "a", true),
    ])
    func `filters overlap when a topic can match both`(left: String, right: String, doOverlap: Bool) {
        let (left, right) = (bytes(left), bytes(right))
        let (forth, back) = (FilterList([left]).overlap(right.span), FilterList([right]).overlap(left.span))
        #expect(forth == doOverlap)
        #expect(back == doOverlap)
    }

    // Levels of two letters, to three levels deep: everything against everything.
    @Test func `covering and overlapping agree with matching, tried out`() {
        let levels = ["a", "b"]
        var topics: [String] = levels
        for _ in 0..<2 { topics += topics.flatMap { topic in levels.map { "\(topic)/\($0)" } } }
        var filters = ["a", "b", "+", "#"]
        for _ in 0..<2 {
            filters += filters.filter { !$0.hasSuffix("#") }.flatMap { f in ["a", "+", "#"].map { "\(f)/\($0)" } }
        }
        let lists = Set(filters).sorted().map { (bytes: bytes($0), list: FilterList([bytes($0)])) }
        let names = Set(topics).sorted().map(bytes) + [bytes("a/b/a/b"), bytes("c"), bytes("a/c/c/c")]
        for left in lists {
            for right in lists {
                let (covers, overlaps) = (left.list.cover(right.bytes.span), left.list.overlap(right.bytes.span))
                for name in names {
                    let (isLeft, isRight) = (left.list.match(name.span), right.list.match(name.span))
                    if covers, isRight { #expect(isLeft) }
                    if isLeft, isRight { #expect(overlaps) }
                }
            }
        }
    }
}

@Suite struct AccessRulesTests {
    private func rule(_ change: (inout AccessRule) -> Void) -> AccessRule {
        var rule = AccessRule()
        change(&rule)
        return rule
    }

    private func client(_ user: String?, _ clientID: String = "c1", _ address: String = "192.0.2.7") -> ClientIdentity {
        ClientIdentity(user: user.map(bytes), clientID: bytes(clientID), address: address)
    }

    private func mayRead(_ rules: AccessRules, _ identity: ClientIdentity, _ topic: String) -> Bool {
        let topic = bytes(topic)
        return rules.compiled(for: identity).mayRead(topic.span)
    }

    private func mayWrite(_ rules: AccessRules, _ identity: ClientIdentity, _ topic: String) -> Bool {
        let topic = bytes(topic)
        return rules.compiled(for: identity).mayWrite(topic.span)
    }

    private func maySubscribe(_ rules: AccessRules, _ identity: ClientIdentity, _ filter: String) -> Bool {
        let filter = bytes(filter)
        return rules.compiled(for: identity).maySubscribe(filter.span)
    }

    @Test func `what no rule allows is closed`() {
        let rules = AccessRules([rule { ($0.audience.users, $0.read) = (["anna"], ["a/#"]) }])
        #expect(mayRead(rules, client("anna"), "a/b"))
        #expect(!mayRead(rules, client("anna"), "b"))
        #expect(!mayWrite(rules, client("anna"), "a/b"))
        #expect(!mayRead(rules, client("bert"), "a/b"))
        #expect(!mayRead(rules, client(nil), "a/b"))
    }

    @Test func `what is denied stays so, wherever the rule stands`() {
        let rules = AccessRules([
            rule { ($0.read, $0.write) = (["#"], ["#"]) },
            rule { ($0.audience.users, $0.deny) = (["bert"], ["secret/#"]) },
        ])
        #expect(mayRead(rules, client("anna"), "secret/x"))
        #expect(!mayRead(rules, client("bert"), "secret/x"))
        #expect(!mayWrite(rules, client("bert"), "secret"))
        #expect(!maySubscribe(rules, client("bert"), "secret/+"))
        #expect(maySubscribe(rules, client("bert"), "#"))
    }

    @Test func `rules look at users, ids, addresses and groups, and at all that they name`() {
        let rules = AccessRules(
            [
                rule { ($0.audience.groups, $0.read) = (["staff"], ["g"]) },
                rule { ($0.audience.clients, $0.read) = (["meter-*"], ["c"]) },
                rule { ($0.audience.addresses, $0.read) = (AddressRange("192.0.2.0/24").map { [$0] }, ["n"]) },
                rule { ($0.audience.isAnonymous, $0.read) = (true, ["x"]) },
                rule { ($0.audience.users, $0.audience.clients, $0.read) = (["*"], ["panel"], ["p"]) },
                rule { $0.read = ["all"] },
            ], groups: ["staff": [bytes("anna")]])
        #expect(mayRead(rules, client("anna"), "g"))
        #expect(!mayRead(rules, client("bert"), "g"))
        #expect(mayRead(rules, client(nil, "meter-7"), "c"))
        #expect(!mayRead(rules, client(nil, "metre-7"), "c"))
        #expect(mayRead(rules, client(nil), "n"))
        #expect(!mayRead(rules, client(nil, "c", "192.0.3.7"), "n"))
        #expect(!mayRead(rules, client(nil, "c", ""), "n"))
        #expect(mayRead(rules, client(nil), "x"))
        #expect(!mayRead(rules, client("anna"), "x"))
        #expect(mayRead(rules, client("anna", "panel"), "p"))
        #expect(!mayRead(rules, client(nil, "panel"), "p"))
        #expect(mayRead(rules, client(nil, "anything", ""), "all"))
    }

    @Test func `names are filled in`() {
        let rules = AccessRules([rule { $0.write = ["users/%u/#", "clients/%c/state", "100%/x%y"] }])
        #expect(mayWrite(rules, client("anna", "c1"), "users/anna/x"))
        #expect(!mayWrite(rules, client("anna", "c1"), "users/bert/x"))
        #expect(mayWrite(rules, client("anna", "c1"), "clients/c1/state"))
        #expect(mayWrite(rules, client(nil, "c1"), "100%/x%y"))
        #expect(!mayWrite(rules, client(nil, "c1"), "users//x"))
    }

    @Test(arguments: ["+", "#", "a/b", "anna/#", "/", "+/x", "a+"])
    func `a name with wildcards never widens a rule`(name: String) {
        let rules = AccessRules([
            rule { ($0.read, $0.subscribe) = (["users/%u/#", "c/%c/x"], ["users/%u/#", "c/%c/x"]) }
        ])
        let identity = client(name, name)
        for topic in ["users/anna/x", "users/a/b", "c/a/b/x", "c/anna/x", "c/+/x", "c//x", "users/"] {
            #expect(!mayRead(rules, identity, topic))
            #expect(!maySubscribe(rules, identity, topic))
        }
        #expect(!maySubscribe(rules, identity, "users/#"))
    }

    @Test func `a denied name with a slash is still denied`() {
        let rules = AccessRules([rule { ($0.read, $0.deny) = (["#"], ["private/%c/#"]) }])
        #expect(!mayRead(rules, client(nil, "a/b"), "private/a/b/c"))
    }

    @Test func `subscribing follows reading, unless a rule says otherwise`() {
        let following = AccessRules([rule { $0.read = ["house/#"] }])
        #expect(maySubscribe(following, client(nil), "house/kitchen/+"))
        // What it would bring beside the house is held back at delivery.
        #expect(maySubscribe(following, client(nil), "#"))
        #expect(!maySubscribe(following, client(nil), "garden/#"))
        let stated = AccessRules([rule { ($0.read, $0.subscribe) = (["house/#"], ["house/+/state"]) }])
        #expect(maySubscribe(stated, client(nil), "house/kitchen/state"))
        #expect(maySubscribe(stated, client(nil), "house/+/state"))
        #expect(!maySubscribe(stated, client(nil), "house/#"))
        #expect(!maySubscribe(stated, client(nil), "#"))
    }

    @Test func `a shared subscription is judged by what it subscribes to`() {
        let rules = AccessRules([rule { $0.read = ["house/#"] }])
        #expect(maySubscribe(rules, client(nil), "$share/group/house/+"))
        #expect(maySubscribe(rules, client(nil), "$queue/house/+"))
        #expect(!maySubscribe(rules, client(nil), "$share/group/garden"))
        #expect(!maySubscribe(rules, client(nil), "$share/group"))
        #expect(!maySubscribe(rules, client(nil), "$share/house/"))
        #expect(!maySubscribe(AccessRules([]), client(nil), "a"))
    }

    @Test func `a client without rules may do nothing`() {
        let topic = bytes("a")
        let (read, write) = (ClientRules.nothing.mayRead(topic.span), ClientRules.nothing.mayWrite(topic.span))
        #expect(!read && !write)
    }
}

@Suite struct AddressRangeTests {
    @Test(arguments: [
        ("192.168.1.0/24", "192.168.1.200", true), ("192.168.1.0/24", "192.168.2.1", false),
        ("192.168.1.7", "192.168.1.7", true), ("192.168.1.7", "192.168.1.8", false), ("0.0.0.0/0", "203.0.113.9", true),
        ("0.0.0.0/0", "2001:db8::1", false), ("10.0.0.0/9", "10.127.0.1", true), ("10.0.0.0/9", "10.128.0.1", false),
        ("fd00::/8", "fd12:3456::1", true), ("fd00::/8", "fe80::1%eth0", false), ("fe80::/10", "fe80::1%eth0", true),
        ("::1", "::1", true), ("::1", "0:0:0:0:0:0:0:1", true), ("192.168.0.0/16", "::ffff:192.168.3.4", true),
        ("::/0", "192.168.3.4", true), ("2001:db8::/32", "2001:db8:1:2:3:4:5:6", true),
    ])
    func `an address is in the range or not`(range: String, address: String, isInside: Bool) throws {
        let parsed = try #require(AddressRange(range))
        let bytes = try #require(AddressRange.bytes(of: address))
        #expect(parsed.contains(bytes) == isInside)
    }

    @Test(arguments: [
        "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/x", "::1/129", ":::1", "1:2", "g::1",
        "1:2:3:4:5:6:7:8:9", "12345::", "1.2.3.4/1/2", "a.b.c.d", "::1::", "1::2::3", "+1.2.3.4",
    ])
    func `what is no address is not taken for one`(text: String) {
        #expect(AddressRange(text) == nil)
    }
}

/// A brake that an expectation may change.
private final class HeldBrake {
    private var brake = LoginBrake()

    var remembered: Int { brake.remembered }

    func begin(_ address: String, now: MonotonicTime) -> Bool { brake.begin(address, now: now) }
    func succeeded(_ address: String) { brake.succeeded(address) }
}

@Suite struct LoginBrakeTests {
    private let start = MonotonicTime(nanoseconds: 0)

    @Test func `guesses are used up, and come back with time`() {
        let brake = HeldBrake()
        for _ in 0..<LoginBrake.burst { #expect(brake.begin("192.0.2.1", now: start)) }
        #expect(!brake.begin("192.0.2.1", now: start))
        #expect(brake.begin("192.0.2.2", now: start))
        #expect(!brake.begin("192.0.2.1", now: start + LoginBrake.interval / 2))
        #expect(brake.begin("192.0.2.1", now: start + LoginBrake.interval))
        #expect(!brake.begin("192.0.2.1", now: start + LoginBrake.interval))
        let later = start + .seconds(3600)
        for _ in 0..<LoginBrake.burst { #expect(brake.begin("192.0.2.1", now: later)) }
        #expect(!brake.begin("192.0.2.1", now: later))
    }

    @Test func `right passwords cost nothing`() {
        let brake = HeldBrake()
        for _ in 0..<1_000 {
            #expect(brake.begin("192.0.2.1", now: start))
            brake.succeeded("192.0.2.1")
        }
    }

    @Test func `a household of IPv6 is one, and one of IPv4 behind IPv6 itself`() {
        let brake = HeldBrake()
        for host in 0..<LoginBrake.burst { #expect(brake.begin("2001:db8:1:2::\(host)", now: start)) }
        #expect(!brake.begin("2001:db8:1:2:3::4", now: start))
        #expect(brake.begin("2001:db8:1:3::4", now: start))
        for _ in 0..<LoginBrake.burst { #expect(brake.begin("192.0.2.1", now: start)) }
        #expect(!brake.begin("::ffff:192.0.2.1", now: start))
        #expect(brake.begin("", now: start))
    }

    @Test func `however many addresses try, what is remembered stays small`() {
        let brake = HeldBrake()
        for number in 0..<4_150 {
            #expect(brake.begin("10.0.\(number / 250).\(number % 250)", now: start + .milliseconds(number)))
        }
        #expect(brake.remembered <= 4096)
    }
}
