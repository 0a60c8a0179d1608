import MQTTCodec
import Testing

@testable import Broker

@Suite struct PublishingTests {
    private func pair(
        _ version: ProtocolVersion = .v5, _ change: (inout BrokerLimits) -> Void = { _ in }
    ) throws -> (publisher: TestClient, subscriber: TestClient) {
        let broker = TestBroker(change)
        let publisher = try #require(broker.open())
        publisher.connect("publisher", version)
        let subscriber = try #require(broker.open())
        subscriber.connect("subscriber", version)
        return (publisher, subscriber)
    }

    @Test(arguments: [false, true])
    func `what a bridge of 3_1_1 publishes says that it may have been elsewhere`(isBridge: Bool) throws {
        let broker = TestBroker()
        let (watcher, bridge) = (try #require(broker.open()), try #require(broker.open()))
        watcher.connect("watcher")
        watcher.subscribe("#")
        bridge.connect("bridge", .v311) { $0.isBridge = isBridge }
        bridge.publish("t", "x")
        let properties = watcher.publishes().first?.properties.userProperties
        let mark = Properties.UserProperty(name: Array("martlet-hops".utf8), value: Array("?".utf8))
        #expect(properties == (isBridge ? [mark] : []))
    }

    // The table of section 4.7 and its corners.
    @Test(arguments: [
        ("sport/tennis/player1/#", "sport/tennis/player1", true),
        ("sport/tennis/player1/#", "sport/tennis/player1/ranking", true),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true),
        ("sport/#", "sport", true), ("#", "anything/at/all", true), ("sport/tennis/+", "sport/tennis/player1", true),
        ("sport/tennis/+", "sport/tennis/player1/ranking", false), ("sport/+", "sport", false),
        ("sport/+", "sport/", true), ("+/+", "/finance", true), ("/+", "/finance", true), ("+", "/finance", false),
        ("a//b", "a//b", true), ("a/+/b", "a//b", true), ("/", "/", true), ("+/+", "/", true), ("a", "b", false),
        ("a/b", "a", false), ("A", "a", false), ("e\u{301}", "\u{e9}", false),
    ])
    func `a filter matches what the standard says`(filter: String, topic: String, isMatch: Bool) throws {
        let (publisher, subscriber) = try pair()
        subscriber.subscribe(filter)
        publisher.publish(topic)
        #expect(subscriber.messages().count == (isMatch ? 1 : 0))
        // Once more: the second time the answer comes from the cache.
        publisher.publish(topic)
        #expect(subscriber.messages().count == (isMatch ? 1 : 0))
    }

    @Test func `wildcards at the front do not see topics that begin with a dollar sign`() throws {
        let broker = TestBroker()
        let client = try #require(broker.open())
        client.connect("c")
        client.subscribe("#")
        client.subscribe("+/broker/uptime")
        #expect(client.messages().isEmpty)
        client.subscribe("$SYS/#")
        broker.advance(.seconds(10))
        #expect(client.messages().contains("$SYS/broker/uptime 10 seconds"))
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `a message at QoS 1 is acknowledged and passed on with an identifier`(version: ProtocolVersion) throws {
        let (publisher, subscriber) = try pair(version)
        let keptBefore = subscriber.broker.keptMessages
        subscriber.subscribe("t", .atLeastOnce)
        publisher.publish("t", "hello", .atLeastOnce, id: 77)
        #expect(publisher.seen() == [.acknowledgement(.puback, Acknowledgement(packetID: 77))])
        let received = try #require(subscriber.publishes().first)
        #expect(received.qos == .atLeastOnce)
        #expect(received.packetID == 1)
        subscriber.acknowledge(.puback, 1)
        #expect(subscriber.broker.keptMessages == keptBefore)
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `a message at QoS 2 is delivered once however often it is sent`(version: ProtocolVersion) throws {
        let (publisher, subscriber) = try pair(version)
        subscriber.subscribe("t", .exactlyOnce)
        for attempt in 0..<4 {
            publisher.publish("t", "once", .exactlyOnce, id: 5) { $0.duplicate = attempt > 0 }
            #expect(publisher.seen() == [.acknowledgement(.pubrec, Acknowledgement(packetID: 5))])
        }
        publisher.acknowledge(.pubrel, 5)
        #expect(publisher.seen() == [.acknowledgement(.pubcomp, Acknowledgement(packetID: 5))])
        #expect(subscriber.messages() == ["t once"])
        subscriber.acknowledge(.pubrec, 1)
        #expect(subscriber.seen() == [.acknowledgement(.pubrel, Acknowledgement(packetID: 1))])
        subscriber.acknowledge(.pubcomp, 1)
        #expect(subscriber.seen().isEmpty)
    }

    @Test func `PUBREL for an unknown identifier is answered with not found`() throws {
        let (publisher, _) = try pair()
        publisher.acknowledge(.pubrel, 9)
        #expect(
            publisher.seen() == [
                .acknowledgement(.pubcomp, Acknowledgement(packetID: 9, reasonCode: .packetIdentifierNotFound))
            ])
    }

    @Test func `the same identifier after its PUBACK is a new message at QoS 1`() throws {
        let (publisher, subscriber) = try pair()
        subscriber.subscribe("t")
        publisher.publish("t", "1", .atLeastOnce, id: 3)
        publisher.publish("t", "2", .atLeastOnce, id: 3) { $0.duplicate = true }
        #expect(subscriber.messages() == ["t 1", "t 2"])
    }

    @Test func `a delivery has the lower of the two QoS and never the publisher's DUP`() throws {
        let (publisher, subscriber) = try pair()
        subscriber.subscribe("t", .atLeastOnce)
        publisher.publish("t", "2", .exactlyOnce, id: 3) { $0.duplicate = true }
        publisher.publish("t", "0", .atMostOnce)
        let received = subscriber.publishes()
        #expect(received.map(\.qos) == [.atLeastOnce, .atMostOnce])
        #expect(received.allSatisfy { !$0.duplicate })
    }

    @Test func `overlapping subscriptions without identifiers make one delivery at the highest QoS`() throws {
        let (publisher, subscriber) = try pair()
        subscriber.subscribe("a/#", .atMostOnce)
        subscriber.subscribe("a/b", .exactlyOnce)
        subscriber.subscribe("+/b", .atLeastOnce)
        publisher.publish("a/b", "x", .exactlyOnce)
        #expect(subscriber.publishes().map(\.qos) == [.exactlyOnce])
    }

    @Test func `a subscription identifier comes with the message`() throws {
        let (publisher, subscriber) = try pair()
        subscriber.subscribe("a/#", identifier: 300)
        publisher.publish("a/b")
        #expect(subscriber.publishes().map(\.properties.subscriptionIdentifiers) == [[300]])
    }

    @Test func `no local keeps a client's own messages from it`() throws {
        let (publisher, subscriber) = try pair()
        subscriber.subscribe("t") { $0.noLocal = true }
        subscriber.publish("t", "mine")
        publisher.publish("t", "theirs")
        #expect(subscriber.messages() == ["t theirs"])
    }

    @Test func `properties of the message are passed on unaltered and in order`() throws {
        let (publisher, subscriber) = try pair()
        subscriber.subscribe("t", .atLeastOnce)
        var sent = Properties()
        sent[number: .payloadFormatIndicator] = 1
        sent[bytes: .contentType] = Array("text/plain".utf8)
        sent[bytes: .responseTopic] = Array("answer".utf8)
        sent[bytes: .correlationData] = [0, 1, 2]
        sent.userProperties = [.init(name: [97], value: [49]), .init(name: [97], value: [50])]
        publisher.publish("t", "x", .atLeastOnce) { $0.properties = sent }
        #expect(subscriber.publishes().map(\.properties) == [sent])
    }

    @Test func `properties do not reach clients of 3 1 1`() throws {
        let broker = TestBroker()
        let publisher = try #require(broker.open())
        publisher.connect("five")
        let subscriber = try #require(broker.open())
        subscriber.connect("three", .v311)
        subscriber.subscribe("t", .atLeastOnce)
        publisher.publish("t", "x", .atLeastOnce) { $0.properties[bytes: .contentType] = [97] }
        #expect(subscriber.messages() == ["t x"])
    }

    @Test func `a wildcard in a topic name ends the connection`() throws {
        let (publisher, _) = try pair()
        publisher.publish("a/+/b")
        #expect(publisher.seen() == [.disconnect(Disconnect(reasonCode: .topicNameInvalid))])
    }

    @Test func `a client can't write to the broker's own topics`() throws {
        let (publisher, subscriber) = try pair()
        subscriber.subscribe("$SYS/broker/clients/connected")
        _ = subscriber.messages()
        publisher.publish("$SYS/broker/clients/connected", "99", .atLeastOnce, id: 4)
        #expect(
            publisher.seen() == [
                .acknowledgement(.puback, Acknowledgement(packetID: 4, reasonCode: .notAuthorized))
            ])
        #expect(subscriber.messages().isEmpty)
    }

    @Test func `a packet of exactly the largest size passes and one byte more ends the connection`() throws {
        let (publisher, subscriber) = try pair(.v5) { $0.maximumPacketSize = 100 }
        subscriber.subscribe("t")
        publisher.publish("t", String(repeating: "x", count: 94))
        #expect(subscriber.messages().count == 1)
        publisher.publish("t", String(repeating: "x", count: 95))
        #expect(publisher.seen() == [.disconnect(Disconnect(reasonCode: .packetTooLarge))])
    }

    @Test func `a message too large for a subscriber is left out and the next one follows`() throws {
        let broker = TestBroker()
        let publisher = try #require(broker.open())
        publisher.connect("publisher")
        let subscriber = try #require(broker.open())
        subscriber.connect("small") { $0.properties[number: .maximumPacketSize] = 40 }
        subscriber.subscribe("t", .atLeastOnce)
        publisher.publish("t", String(repeating: "x", count: 50), .atLeastOnce)
        publisher.publish("t", "fits", .atLeastOnce)
        #expect(subscriber.messages() == ["t fits"])
        #expect(broker.counters.messagesDropped == 1)
    }

    @Test(arguments: [10, 2_000, 3_000, 70_000])
    func `a payload of any size arrives whole at every subscriber`(size: Int) throws {
        let (publisher, subscriber) = try pair()
        let other = try #require(subscriber.broker.open())
        other.connect("other", .v311)
        let payload = String((0..<size).map { Character(UnicodeScalar(UInt8(97 + $0 % 26))) })
        for (client, qos) in [(subscriber, QoS.atMostOnce), (other, .atLeastOnce)] {
            client.subscribe("t", qos)
        }
        publisher.publish("t", payload, .atLeastOnce)
        publisher.publish("t", "after", .atLeastOnce, id: 2)
        for client in [subscriber, other] {
            #expect(client.messages() == ["t \(payload)", "t after"])
        }
    }

    @Test func `a transport that takes a few bytes at a time gets every byte once`() throws {
        let (publisher, subscriber) = try pair()
        subscriber.subscribe("t")
        let payload = String(repeating: "0123456789", count: 500)
        publisher.publish("t", payload)
        publisher.publish("t", "small")
        publisher.publish("t", payload)
        var bytes: [UInt8] = []
        var outcome = BrokerState.FlushOutcome.blocked
        while outcome == .blocked {
            let part = subscriber.broker.flush(subscriber.id, limit: 7)
            bytes.append(contentsOf: part.bytes)
            outcome = part.outcome
        }
        let payloads = subscriber.decode(bytes).map { seen -> String in
            guard case .publish(let publish) = seen else { return "?" }
            return String(decoding: publish.payload, as: UTF8.self)
        }
        #expect(payloads == [payload, "small", payload])
    }

    @Test func `more unfinished QoS 2 messages than announced end the connection`() throws {
        let (publisher, _) = try pair(.v5) { $0.receiveMaximum = 2 }
        for id in 1...3 { publisher.publish("t", "x", .exactlyOnce, id: UInt16(id)) }
        #expect(publisher.seen().last == .disconnect(Disconnect(reasonCode: .receiveMaximumExceeded)))
    }

    @Test func `unsubscribing ends deliveries and says whether there was a subscription`() throws {
        let (publisher, subscriber) = try pair()
        subscriber.subscribe("t")
        #expect(subscriber.unsubscribe("t") == [.unsuback(Suback(packetID: 8, reasonCodes: [.success]))])
        #expect(
            subscriber.unsubscribe("t") == [.unsuback(Suback(packetID: 8, reasonCodes: [.noSubscriptionExisted]))])
        publisher.publish("t")
        #expect(subscriber.messages().isEmpty)
    }

    @Test func `one bad filter does not fail the others`() throws {
        let (_, subscriber) = try pair()
        let packet = Subscribe(
            packetID: 2,
            requests: [
                .init(filter: Array("a#".utf8), qos: .atMostOnce), .init(filter: Array("b".utf8), qos: .exactlyOnce),
                .init(filter: Array("$share/g/t".utf8), qos: .atMostOnce),
            ])
        subscriber.send { packet.encode(into: &$0, version: .v5) }
        let codes: [ReasonCode] = [.topicFilterInvalid, ReasonCode(rawValue: 2), .success]
        #expect(subscriber.seen() == [.suback(Suback(packetID: 2, reasonCodes: codes))])
    }

    @Test func `subscribers are written to before the publisher's acknowledgement`() throws {
        let broker = TestBroker()
        let publisher = try #require(broker.open())
        publisher.connect("p")
        let subscribers = try (0..<3).map { number in
            let subscriber = try #require(broker.open())
            subscriber.connect("s\(number)")
            subscriber.subscribe("t", .atLeastOnce)
            return subscriber
        }
        _ = broker.marked()
        publisher.publish("t", "x", .atLeastOnce)
        let order = broker.marked()
        #expect(order.count == 4 && order.last == publisher.id && Set(order.dropLast()) == Set(subscribers.map(\.id)))
    }
}
