import Access
import MQTTCodec
import Testing

@testable import Broker

@Suite struct AccessTests {
    private func rule(_ change: (inout AccessRule) -> Void) -> AccessRule {
        var rule = AccessRule()
        change(&rule)
        return rule
    }

    private func settings(_ rules: [AccessRule]) -> AccessSettings {
        var settings = AccessSettings()
        settings.general.rules = AccessRules(rules)
        return settings
    }

    private func broker(_ rules: [AccessRule]) -> TestBroker {
        let broker = TestBroker()
        broker.apply(settings(rules))
        return broker
    }

    private func client(
        _ broker: TestBroker, _ clientID: String, _ version: ProtocolVersion = .v5, user: String? = nil,
        clean: Bool = true, expiry: UInt32? = nil
    ) throws -> TestClient {
        let client = try #require(broker.open(from: { $0.certificateUser = user.map(bytes) }))
        client.connect(clientID, version, clean: clean, expiry: expiry)
        return client
    }

    // Trap 41: 3.1.1 has no way to be told; the message is acknowledged and dropped.
    @Test func `a refused publish is acknowledged with 0x87 in version 5, plainly in 3 1 1, and dropped`() throws {
        let broker = broker([rule { ($0.read, $0.write) = (["#"], ["open"]) }])
        let watcher = try client(broker, "watcher")
        watcher.subscribe("#")
        let five = try client(broker, "five")
        five.publish("closed", "x", .atLeastOnce, id: 7)
        #expect(five.seen() == [.acknowledgement(.puback, .init(packetID: 7, reasonCode: .notAuthorized))])
        five.publish("closed", "x", .exactlyOnce, id: 8)
        #expect(five.seen() == [.acknowledgement(.pubrec, .init(packetID: 8, reasonCode: .notAuthorized))])
        let three = try client(broker, "three", .v311)
        three.publish("closed", "x", .atLeastOnce, id: 7)
        #expect(three.seen() == [.acknowledgement(.puback, .init(packetID: 7))])
        three.publish("closed", "x", .exactlyOnce, id: 8)
        #expect(three.seen() == [.acknowledgement(.pubrec, .init(packetID: 8))])
        three.publish("closed")
        three.publish("open")
        #expect(watcher.messages() == ["open x"])
        #expect(broker.counters.publishesRefused.notAuthorized == 5)
    }

    @Test(arguments: [QoS.atLeastOnce, .exactlyOnce])
    func `what was sent and not acknowledged is not sent again to who may not read it any more`(qos: QoS) throws {
        let broker = broker([rule { ($0.read, $0.write) = (["#"], ["#"]) }])
        let reader = try client(broker, "reader", expiry: 100)
        reader.subscribe("#", qos)
        let writer = try client(broker, "writer")
        for (id, topic) in zip([1, 2] as [UInt16], ["closed", "open"]) { writer.publish(topic, "x", qos, id: id) }
        #expect(reader.messages() == ["closed x", "open x"])
        reader.lose()
        broker.apply(settings([rule { ($0.read, $0.deny) = (["#"], ["closed"]) }]))
        let back = try #require(broker.open())
        #expect(TestClient.messages(back.connect("reader", clean: false, expiry: 100)) == ["open x"])
        #expect(broker.counters.dropped[.notAllowed] == 1)
    }

    @Test func `a refused subscription fails alone`() throws {
        let broker = broker([rule { $0.read = ["a/#"] }])
        for (version, code) in [(ProtocolVersion.v5, ReasonCode.notAuthorized), (.v311, .unspecifiedError)] {
            let client = try client(broker, "c", version)
            client.send { output in
                Subscribe(
                    packetID: 3,
                    requests: [
                        .init(filter: bytes("a/b"), qos: .atLeastOnce), .init(filter: bytes("b"), qos: .atLeastOnce),
                        .init(filter: bytes("#"), qos: .atMostOnce),
                    ]
                ).encode(into: &output, version: version)
            }
            let wanted = Suback(
                packetID: 3, reasonCodes: [ReasonCode(rawValue: 1), code, ReasonCode(rawValue: 0)])
            #expect(client.seen() == [.suback(wanted)])
        }
    }

    // A filter may cover what is denied.
    @Test func `trap 77: delivery is checked, not only the subscription`() throws {
        let broker = broker([rule { ($0.read, $0.write, $0.deny) = (["#"], ["#"], ["private/%c/#"]) }])
        let reader = try client(broker, "reader")
        reader.subscribe("#", .atLeastOnce)
        let writer = try client(broker, "writer")
        for topic in ["a", "private/reader/x", "private/other/x"] { writer.publish(topic, "x", .atLeastOnce) }
        #expect(reader.messages() == ["a x", "private/other/x x"])
        #expect(broker.counters.dropped[.notAllowed] == 1)
    }

    @Test func `trap 77: retained messages are checked too`() throws {
        let broker = broker([rule { ($0.read, $0.write) = (["a/#"], ["#"]) }])
        let writer = try client(broker, "writer")
        writer.publish("a/1", "x", retain: true)
        writer.publish("b/1", "x", retain: true)
        let reader = try client(broker, "reader")
        #expect(reader.subscribeAndCollect("#") == ["a/1 x"])
    }

    @Test func `a will is checked at CONNECT`() throws {
        let broker = broker([rule { $0.write = ["wills/%c"] }])
        let bad = try #require(broker.open())
        let seen = bad.connect("a") { $0.will = .init(topic: bytes("wills/b"), payload: []) }
        #expect(seen == [.connack(Connack(reasonCode: .notAuthorized))])
        let good = try #require(broker.open())
        let welcome = good.connect("b", .v311) { $0.will = .init(topic: bytes("wills/b"), payload: []) }
        #expect(welcome == [.connack(Connack(reasonCode: .success))])
    }

    @Test func `a will that new rules forbid is not published`() throws {
        let broker = broker([rule { ($0.read, $0.write) = (["#"], ["#"]) }])
        let watcher = try client(broker, "watcher")
        watcher.subscribe("#")
        let client = try #require(broker.open())
        client.connect("a") { $0.will = .init(topic: bytes("will"), payload: bytes("x")) }
        broker.apply(settings([rule { $0.read = ["#"] }]))
        client.lose()
        #expect(watcher.messages().isEmpty)
    }

    // What waits when the rules change must not slip through.
    @Test func `trap 77: queued messages are checked again after a change`() throws {
        let open = rule { ($0.read, $0.write) = (["#"], ["#"]) }
        let broker = broker([open])
        let before = broker.keptMessages
        let reader = try client(broker, "reader", expiry: 1_000)
        reader.subscribe("#", .atLeastOnce)
        reader.lose()
        let writer = try client(broker, "writer")
        for topic in ["a", "b", "a"] { writer.publish(topic, "x", .atLeastOnce) }
        broker.apply(settings([open, rule { $0.deny = ["a"] }]))
        let back = try #require(broker.open())
        guard case .connack(let connack)? = back.connect("reader", clean: false, expiry: 1_000).first else {
            Issue.record("no CONNACK")
            return
        }
        #expect(connack.sessionPresent)
        writer.publish("b", "last")
        #expect(broker.counters.dropped[.notAllowed] == 2)
        #expect(broker.keptMessages == before + 1)
    }

    @Test func `rules that change hold for connected clients at once`() throws {
        let broker = broker([rule { ($0.read, $0.write) = (["#"], ["#"]) }])
        let reader = try client(broker, "reader")
        reader.subscribe("#")
        broker.apply(settings([rule { ($0.read, $0.write) = (["b"], ["#"]) }]))
        let writer = try client(broker, "writer")
        writer.publish("a")
        writer.publish("b")
        #expect(reader.messages() == ["b x"])
        broker.apply(AccessSettings())
        writer.publish("a")
        #expect(reader.messages() == ["a x"])
    }

    @Test func `rules for users see proven names only`() throws {
        let broker = broker([rule { ($0.audience.users, $0.write) = (["anna"], ["#"]) }])
        let proven = try client(broker, "1", user: "anna")
        let claimed = try #require(broker.open())
        claimed.connect("2") { $0.userName = bytes("anna") }
        proven.publish("t", "x", .atLeastOnce)
        claimed.publish("t", "x", .atLeastOnce)
        #expect(proven.seen() == [.acknowledgement(.puback, .init(packetID: 1))])
        #expect(claimed.seen() == [.acknowledgement(.puback, .init(packetID: 1, reasonCode: .notAuthorized))])
    }

    @Test func `a session is its user's, and none of another's with the same client id`() throws {
        let broker = TestBroker()
        let first = try client(broker, "same", user: "anna", clean: false, expiry: 1_000)
        first.subscribe("t", .atLeastOnce)
        first.lose()
        for (user, isPresent) in [("anna", true), ("bert", false), ("anna", false)] {
            let again = try #require(broker.open(from: { $0.certificateUser = bytes(user) }))
            guard case .connack(let connack)? = again.connect("same", clean: false, expiry: 1_000).first else {
                Issue.record("no CONNACK")
                return
            }
            #expect(connack.sessionPresent == isPresent)
            again.lose()
        }
    }

    @Test func `a user that is gone, or has another password, is disconnected`() throws {
        let broker = TestBroker()
        broker.apply(AccessSettings(["anna": "1", "bert": "2", "carl": "3"]))
        let clients = try [("anna", "1"), ("bert", "2"), ("carl", "3")].map { user, password in
            let client = try #require(broker.open(anonymous: false))
            client.connect(user) { ($0.userName, $0.password) = (bytes(user), bytes(password)) }
            broker.checkPasswords()
            _ = client.seen()
            return client
        }
        let stranger = try client(broker, "stranger")
        broker.apply(AccessSettings(["anna": "1", "bert": "other"]))
        #expect(clients[0].seen().isEmpty)
        #expect(clients[1].seen() == [.disconnect(Disconnect(reasonCode: .notAuthorized))])
        #expect(clients[2].seen() == [.disconnect(Disconnect(reasonCode: .notAuthorized))])
        #expect(!clients[0].isClosed)
        #expect(stranger.seen().isEmpty)
    }

    @Test func `the session of a removed user gets nothing more`() throws {
        let broker = TestBroker()
        let before = broker.keptMessages
        broker.apply(AccessSettings(["anna": "1"]))
        let client = try #require(broker.open(anonymous: false))
        client.connect("anna", expiry: 1_000) { ($0.userName, $0.password) = (bytes("anna"), bytes("1")) }
        broker.checkPasswords()
        _ = client.seen()
        client.subscribe("#", .atLeastOnce)
        client.lose()
        broker.apply(AccessSettings([:]))
        let writer = try #require(broker.open())
        writer.connect("writer")
        writer.publish("t", "x", .atLeastOnce)
        #expect(broker.keptMessages == before)
    }

    @Test func `the gateway's own clients stand above the rules`() throws {
        let broker = broker([])
        let inside = try #require(broker.open(isInternal: true))
        inside.connect("$martlet/devices")
        inside.subscribe("#")
        inside.publish("t")
        #expect(inside.messages() == ["t x"])
        let outside = try client(broker, "c")
        outside.publish("t", "x", .atLeastOnce)
        #expect(inside.messages().isEmpty)
    }
}

extension TestClient {
    fileprivate func subscribeAndCollect(_ filter: String) -> [String] {
        subscribe(filter).compactMap { seen in
            guard case .publish(let publish) = seen else { return nil }
            return
                "\(String(decoding: publish.topic, as: UTF8.self)) \(String(decoding: publish.payload, as: UTF8.self))"
        }
    }
}
