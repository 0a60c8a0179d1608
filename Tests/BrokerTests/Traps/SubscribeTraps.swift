import MQTTCodec
import Testing

@testable import Broker

/// Traps 54 to 68, but for shared subscriptions: what may be subscribed to, and what comes of it.
@Suite struct SubscribeTraps {
    private let broker = TestBroker()

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 54: SUBSCRIBE and UNSUBSCRIBE without a filter end the connection`(version: ProtocolVersion) throws {
        for type in [PacketType.subscribe, .unsubscribe] {
            let client = try broker.client("c", version)
            client.send([type.firstByte] + (version == .v5 ? [3, 0, 1, 0] : [2, 0, 1]))
            #expect(client.seen().disconnectCode == (version == .v5 ? .protocolError : nil))
            #expect(client.isClosed)
        }
    }

    @Test func `trap 55: reserved bits in the options end the connection`() throws {
        for version in ProtocolVersion.allCases {
            // QoS 3, retain handling 3, the two upper bits; before version 5 all but the QoS.
            let options: [UInt8] =
                version == .v5 ? [0x03, 0x30, 0x40, 0x80] : [0x03, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80]
            for byte in options {
                let client = try broker.client("c", version)
                let none: [UInt8] = version == .v5 ? [0] : []
                client.send([0x82, UInt8(6 + none.count), 0, 1] + none + [0, 1, 0x61, byte])
                let code = client.seen().disconnectCode
                #expect(version == .v5 ? [.malformedPacket, .protocolError].contains(code) : code == nil)
                #expect(client.isClosed, "\(byte)")
            }
        }
    }

    @Test func `trap 56: No Local goes by the client id, also for its will and over a reconnect`() throws {
        for delay in [0, 5] as [UInt32] {
            let client = try broker.client("c", expiry: 100) { $0.will = will("mine", .atLeastOnce, delay: delay) }
            client.subscribe("#", .atLeastOnce) { $0.noLocal = true }
            client.publish("t", "mine", .atLeastOnce)
            #expect(client.seen().published.isEmpty)
            client.lose()
            broker.advance(.seconds(10))
            try broker.client("other").publish("t", "theirs", .atLeastOnce)
            let back = try #require(broker.open())
            #expect(back.connect("c", clean: false, expiry: 100).payloads == ["theirs"])
            back.publish("t", "mine", .atLeastOnce)
            #expect(back.seen().published.isEmpty)
        }
    }

    @Test func `trap 56: the will of a session that a clean start ended is not for the new one`() throws {
        _ = try broker.client("c", expiry: 100) { $0.will = will("mine", .atLeastOnce, delay: 50) }
        let again = try broker.client("c", expiry: 100)
        again.subscribe("#", .atLeastOnce) { $0.noLocal = true }
        again.lose()
        let last = try broker.watcher("will")
        let back = try #require(broker.open())
        #expect(back.connect("c", clean: false, expiry: 100).published.isEmpty)
        #expect(last.messages().isEmpty)
    }

    @Test func `trap 57: one code for each filter in order, and a bad one fails no other`() throws {
        for version in ProtocolVersion.allCases {
            let client = try broker.client("c", version)
            let filters = ["a#", "b", "a/#/b", "c/+", "a+", "#", "+a/b", ""]
            let packet = Subscribe(
                packetID: 2,
                requests: filters.enumerated().map { place, filter in
                    .init(filter: text(filter), qos: QoS(rawValue: UInt8(place % 3)) ?? .atMostOnce)
                })
            client.send { packet.encode(into: &$0, version: version) }
            let bad: UInt8 = version == .v5 ? 0x8F : 0x80
            #expect(client.seen().codes == [bad, 1, bad, 0, bad, 2, bad, bad])
            #expect(!client.isClosed)
            client.publish("b", "x")
            #expect(client.messages() == ["b x"])
            client.lose()
        }
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 58: the same filter again replaces the subscription`(version: ProtocolVersion) throws {
        let client = try broker.client("c", version)
        let publisher = try broker.client("p")
        publisher.publish("t", "kept", .atLeastOnce, retain: true)
        #expect(client.subscribe("t", .atLeastOnce).payloads == ["kept"])
        #expect(client.subscribe("t", .atMostOnce).payloads == ["kept"])
        publisher.publish("t", "live", .atLeastOnce)
        #expect(client.publishes().map(\.qos) == [.atMostOnce])
    }

    @Test func `trap 58: the same filter again takes no further place, also at the limit`() throws {
        let broker = TestBroker { $0.subscriptions = 2 }
        let client = try broker.client("c")
        for (filter, code) in [("t", 2), ("$share/g/t", 2), ("u", 0x97), ("t", 2), ("$share/g/t", 2)]
            as [(String, UInt8)]
        {
            #expect(client.subscribe(filter, .exactlyOnce).codes == [code])
        }
        #expect(client.unsubscribe("t").codes == [0])
        #expect(client.subscribe("u", .exactlyOnce).codes == [2])
    }

    @Test func `trap 58: a subscription again without an identifier has none`() throws {
        let client = try broker.client("c")
        let publisher = try broker.client("p")
        client.subscribe("t", identifier: 7) { $0.noLocal = true }
        publisher.publish("t")
        #expect(client.publishes().map(\.properties.subscriptionIdentifiers) == [[7]])
        client.subscribe("t", identifier: 8)
        publisher.publish("t")
        #expect(client.publishes().map(\.properties.subscriptionIdentifiers) == [[8]])
        client.subscribe("t")
        client.publish("t")
        #expect(client.publishes().map(\.properties.subscriptionIdentifiers) == [[]])
    }

    @Test func `trap 59: retain handling 1 sends only for a subscription that is new to the session`() throws {
        try broker.client("p").publish("t", "kept", retain: true)
        let client = try broker.client("c", expiry: 100)
        #expect(client.subscribe("t") { $0.retainHandling = .never }.payloads.isEmpty)
        #expect(client.subscribe("t") { $0.retainHandling = .sendIfNew }.payloads.isEmpty)
        client.lose()
        let back = try #require(broker.open())
        _ = back.connect("c", clean: false, expiry: 100)
        #expect(back.subscribe("t") { $0.retainHandling = .sendIfNew }.payloads.isEmpty)
        #expect(back.subscribe("t") { $0.retainHandling = .send }.payloads == ["kept"])
        _ = back.unsubscribe("t")
        #expect(back.subscribe("t") { $0.retainHandling = .sendIfNew }.payloads == ["kept"])
    }

    @Test func `trap 61: overlapping filters deliver the highest QoS and every identifier`() throws {
        let client = try broker.client("c")
        client.subscribe("a/#", .atMostOnce, identifier: 1)
        client.subscribe("a/b", .exactlyOnce, identifier: 2)
        client.subscribe("+/b", .atLeastOnce, identifier: 3)
        try broker.client("p").publish("a/b", "x", .exactlyOnce)
        let seen = client.publishes()
        // One copy with all, or one for each.
        #expect(Set(seen.flatMap(\.properties.subscriptionIdentifiers)) == [1, 2, 3])
        #expect(seen.flatMap(\.properties.subscriptionIdentifiers).count == 3)
        #expect(seen.map(\.qos).max() == .exactlyOnce)
        if seen.count > 1 {
            for publish in seen {
                let wanted: [UInt32: QoS] = [1: .atMostOnce, 2: .exactlyOnce, 3: .atLeastOnce]
                #expect(publish.properties.subscriptionIdentifiers.allSatisfy { wanted[$0] == publish.qos })
            }
        }
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 61: overlapping filters without identifiers deliver once at the highest QoS`(
        version: ProtocolVersion
    ) throws {
        let client = try broker.client("c", version)
        for (filter, qos) in [("a/#", QoS.atMostOnce), ("a/b", .exactlyOnce), ("+/b", .atLeastOnce)] {
            client.subscribe(filter, qos)
        }
        try broker.client("p").publish("a/b", "x", .exactlyOnce)
        #expect(client.publishes().map(\.qos) == [.exactlyOnce])
    }

    @Test func `trap 61: retained messages carry the identifier too`() throws {
        try broker.client("p").publish("a/b", "x", retain: true)
        let client = try broker.client("c")
        let seen = client.subscribe("a/+", identifier: 300)
        #expect(seen.published.map(\.properties.subscriptionIdentifiers) == [[300]])
    }

    @Test(arguments: QoS.allCases, QoS.allCases)
    func `trap 62: a delivery has the lower QoS of the two, live, queued and retained`(
        published: QoS, granted: QoS
    ) throws {
        let live = try broker.watcher("t", granted)
        let away = try broker.client("away", expiry: 100)
        away.subscribe("t", granted)
        away.lose()
        try broker.client("p").publish("t", "x", published, retain: true)
        let lower = min(published, granted)
        #expect(live.publishes().map(\.qos) == [lower])
        let back = try #require(broker.open())
        let queued = back.connect("away", clean: false).published.map(\.qos)
        #expect(queued == (lower == .atMostOnce ? [] : [lower]))
        #expect(try broker.client("late").subscribe("t", granted).published.map(\.qos) == [lower])
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 63: UNSUBSCRIBE compares bytes, is always answered and lets what is under way finish`(
        version: ProtocolVersion
    ) throws {
        let client = try broker.client("c", version)
        client.subscribe("a/+", .exactlyOnce)
        let publisher = try broker.client("p")
        publisher.publish("a/b", "1", .exactlyOnce)
        #expect(client.messages() == ["a/b 1"])
        #expect(client.unsubscribe("a/b").codes == (version == .v5 ? [0x11] : []))
        #expect(client.unsubscribe("A/+").codes == (version == .v5 ? [0x11] : []))
        #expect(client.unsubscribe("a/+").codes == (version == .v5 ? [0] : []))
        client.acknowledge(.pubrec, 1)
        #expect(client.seen().acknowledged(.pubrel) == ["1"])
        publisher.publish("a/b", "2", .exactlyOnce, id: 2)
        #expect(client.seen().published.isEmpty)
        client.acknowledge(.pubcomp, 1)
        #expect(!client.isClosed)
    }

    @Test func `trap 63: one UNSUBSCRIBE of many filters has one code for each`() throws {
        let client = try broker.client("c")
        client.subscribe("a")
        client.subscribe("c")
        let packet = Unsubscribe(packetID: 5, filters: ["a", "b", "c", "a"].map { text($0) })
        client.send { packet.encode(into: &$0, version: .v5) }
        #expect(client.seen().codes == [0, 0x11, 0, 0x11])
    }

    @Test func `trap 66: wildcards at the front do not match topics of the server, live or retained`() throws {
        let client = try broker.client("c")
        for filter in ["#", "+/#", "+/broker/uptime", "+"] { #expect(client.subscribe(filter).published.isEmpty) }
        broker.advance(.seconds(60))
        #expect(client.seen().published.isEmpty)
        for filter in ["$SYS/#", "$SYS/+/uptime", "$SYS/broker/uptime"] {
            #expect(client.subscribe(filter).published.contains { $0.topic == text("$SYS/broker/uptime") })
        }
    }

    // The examples of section 4.7 and their corners.
    @Test(arguments: [
        ("sport/#", "sport", true), ("sport/#", "sport/a/b", true), ("sport/#", "sports", false),
        ("sport/+", "sport", false), ("sport/+", "sport/", true), ("+", "sport", true), ("+", "/finance", false),
        ("+/+", "/finance", true), ("/+", "/finance", true), ("//", "//", true), ("+/+/+", "//", true),
        ("//", "/", false), ("/", "/", true), ("+/+", "/", true), ("#", "/", true), ("+/tennis/#", "/tennis", true),
        ("sport/+/player1", "sport/tennis/player1", true), ("a/+/b", "a///b", false), ("a/+/+/b", "a/x//b", true),
    ])
    func `trap 67: levels may be empty, and a filter matches what the standard says`(
        filter: String, topic: String, isMatch: Bool
    ) throws {
        let publisher = try broker.client("p")
        let live = try broker.watcher(filter)
        publisher.publish(topic, "x", retain: true)
        #expect(live.messages().count == (isMatch ? 1 : 0))
        #expect(try broker.client("late").subscribe(filter).published.count == (isMatch ? 1 : 0))
        #expect(Topic.matches(filter: text(filter), name: text(topic)) == isMatch)
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 68: SUBACK comes before retained messages, and everything published after it arrives`(
        version: ProtocolVersion
    ) throws {
        let publisher = try broker.client("p")
        publisher.publish("t", "kept", retain: true)
        let client = try broker.client("c", version)
        let seen = client.subscribe("t")
        guard case .suback = seen.first else {
            Issue.record("\(seen)")
            return
        }
        publisher.publish("t", "after")
        #expect(seen.payloads + client.seen().payloads == ["kept", "after"])
    }
}
