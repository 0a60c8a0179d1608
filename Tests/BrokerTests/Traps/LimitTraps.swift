import MQTTCodec
import Testing

@testable import Broker

/// Traps 17, 19 to 22, 31, 32 and 74: what both sides allow each other.
@Suite struct LimitTraps {
    /// The size of each packet that was written.
    private func sizes(_ client: TestClient) -> [Int] {
        var rest = client.broker.flush(client.id).bytes
        var sizes: [Int] = []
        while let header = try? FixedHeader.parse(rest.span), header.length <= rest.count {
            sizes.append(header.length)
            rest.removeFirst(header.length)
        }
        return sizes
    }

    /// One of each answer that could carry a reason string.
    private func provoke(_ client: TestClient) {
        client.publish("$SYS/x", "x", .atLeastOnce, id: 1)
        client.publish("$SYS/x", "x", .exactlyOnce, id: 2)
        client.acknowledge(.pubrel, 99)
        client.acknowledge(.pubrec, 98)
        for filter in ["a#", "b"] {
            client.send {
                Subscribe(packetID: 3, requests: [.init(filter: text(filter), qos: .atMostOnce)])
                    .encode(into: &$0, version: .v5)
            }
        }
        client.send { Unsubscribe(packetID: 4, filters: [text("none")]).encode(into: &$0, version: .v5) }
    }

    @Test func `trap 17: declined reason strings and user properties are not sent`() throws {
        let client = try TestBroker().client("c") { $0.properties[number: .requestProblemInformation] = 0 }
        provoke(client)
        // Each as long as its code and identifiers alone: PUBACK, PUBREC, PUBCOMP, PUBREL, two SUBACK, UNSUBACK.
        #expect(sizes(client) == [5, 5, 5, 5, 6, 6, 6])
    }

    @Test func `trap 19: a packet of exactly the server's maximum passes, one byte more does not`() throws {
        let broker = TestBroker { $0.maximumPacketSize = 50 }
        let client = try #require(broker.open())
        #expect(client.connect("c").connack?.properties[number: .maximumPacketSize] == 50)
        client.subscribe("t")
        // Two bytes of header, three of topic, one of properties.
        client.publish("t", String(repeating: "x", count: 44))
        #expect(client.publishes().count == 1)
        client.publish("t", String(repeating: "x", count: 45))
        #expect(client.seen().disconnectCode == .packetTooLarge)
        #expect(client.isClosed)
    }

    @Test func `trap 19: a packet too large is refused by its length alone`() throws {
        let client = try TestBroker { $0.maximumPacketSize = 1_000 }.client("c")
        try client.send(hex: "30 FF FF FF 7F")
        #expect(client.seen().disconnectCode == .packetTooLarge)
    }

    @Test(arguments: QoS.allCases, [nil, 7] as [UInt32?])
    func `trap 19: a message of exactly the client's maximum is sent, one byte more is not`(
        qos: QoS, identifier: UInt32?
    ) throws {
        let broker = TestBroker()
        let client = try broker.client("c") { $0.properties[number: .maximumPacketSize] = 50 }
        client.subscribe("t", qos, identifier: identifier)
        let publisher = try broker.client("p")
        let room = 44 - (qos == .atMostOnce ? 0 : 2) - (identifier == nil ? 0 : 2)
        publisher.publish("t", String(repeating: "x", count: room + 1), qos, id: 1)
        publisher.publish("t", String(repeating: "x", count: room), qos, retain: true, id: 2)
        #expect(sizes(client) == [50])
        let late = try broker.client("late") { $0.properties[number: .maximumPacketSize] = 49 }
        #expect(late.subscribe("t", qos, identifier: identifier).published.isEmpty)
    }

    @Test(arguments: [QoS.atLeastOnce, .exactlyOnce])
    func `trap 20: what is too large takes no place in the window and the next one follows`(qos: QoS) throws {
        let broker = TestBroker()
        let connect: (inout Connect) -> Void = {
            $0.properties[number: .maximumPacketSize] = 40
            $0.properties[number: .receiveMaximum] = 1
        }
        let client = try broker.client("c", expiry: 100, connect)
        client.subscribe("t", qos)
        let publisher = try broker.client("p")
        for id in 1...3 as ClosedRange<UInt16> {
            publisher.publish("t", String(repeating: "x", count: 100), qos, id: id)
        }
        publisher.publish("t", "fits", qos, id: 4)
        #expect(client.messages() == ["t fits"])
        client.lose()
        publisher.publish("t", String(repeating: "x", count: 100), qos, id: 5)
        publisher.publish("t", "fits too", qos, id: 6)
        let back = try #require(broker.open())
        #expect(back.connect("c", clean: false, expiry: 100, connect).payloads == ["fits again"])
        back.acknowledge(qos == .atLeastOnce ? .puback : .pubrec, 1)
        back.acknowledge(.pubcomp, 1)
        #expect(back.messages() == ["t fits too"])
        #expect(!back.isClosed)
    }

    @Test(arguments: [QoS.atLeastOnce, .exactlyOnce])
    func `trap 20: what became too large for a new connection takes no place in its window`(qos: QoS) throws {
        let broker = TestBroker()
        let before = broker.keptMessages
        let client = try broker.client("c", expiry: 100)
        client.subscribe("t", qos)
        let publisher = try broker.client("p")
        publisher.publish("t", String(repeating: "x", count: 100), qos, id: 1)
        publisher.publish("t", "fits", qos, id: 2)
        #expect(client.publishes().count == 2)
        client.lose()
        let back = try #require(broker.open())
        let seen = back.connect("c", clean: false, expiry: 100) {
            $0.properties[number: .maximumPacketSize] = 40
            $0.properties[number: .receiveMaximum] = 1
        }
        #expect(seen.payloads == ["fits again"])
        back.acknowledge(qos == .atLeastOnce ? .puback : .pubrec, 2)
        back.acknowledge(.pubcomp, 2)
        publisher.publish("t", "next", qos, id: 3)
        #expect(back.messages() == ["t next"])
        #expect(broker.keptMessages == before + 1)
    }

    @Test func `trap 21: answers fit the client's maximum packet size`() throws {
        let client = try TestBroker().client("c") { $0.properties[number: .maximumPacketSize] = 40 }
        provoke(client)
        client.send([0xD0, 0])
        let all = sizes(client)
        #expect(all.count == 8)
        #expect(all.allSatisfy { $0 <= 40 })
    }

    @Test func `trap 22: a maximum QoS is told and holds for PUBLISH and will, not for SUBSCRIBE`() throws {
        let broker = TestBroker { $0.maximumQoS = .atLeastOnce }
        let client = try #require(broker.open())
        #expect(client.connect("c").connack?.properties[number: .maximumQoS] == 1)
        #expect(client.subscribe("t", .exactlyOnce).codes.map { $0[0] < 0x80 } == true)
        client.publish("t", "x", .exactlyOnce)
        #expect(client.seen().disconnectCode == .qosNotSupported)
        let other = try #require(broker.open())
        #expect(other.connect("o") { $0.will = will("x", .exactlyOnce) }.connack?.reasonCode == .qosNotSupported)
        #expect(other.isClosed)
        let all = try #require(TestBroker().open()).connect("c").connack
        #expect(all?.properties[number: .maximumQoS] == nil)
    }

    @Test func `trap 22: a broker that retains nothing says so and refuses it`() throws {
        let broker = TestBroker { $0.retainAvailable = false }
        let client = try #require(broker.open())
        #expect(client.connect("c").connack?.properties[number: .retainAvailable] == 0)
        client.publish("t", "x", retain: true)
        #expect(client.seen().disconnectCode == .retainNotSupported)
        let other = try #require(broker.open())
        #expect(other.connect("o") { $0.will = will("x", retain: true) }.connack?.reasonCode == .retainNotSupported)
        #expect(other.isClosed)
    }

    @Test func `trap 31: an alias stands for its topic, until it is given another or the connection ends`() throws {
        let broker = TestBroker()
        let watcher = try broker.watcher("#", .exactlyOnce)
        let client = try broker.client("c", expiry: 100)
        for (topic, payload) in [("a", "1"), ("", "2"), ("b", "3"), ("", "4")] {
            client.publish(topic, payload) { $0.properties[number: .topicAlias] = 10 }
        }
        #expect(watcher.messages() == ["a 1", "a 2", "b 3", "b 4"])
        client.lose()
        let back = try #require(broker.open())
        _ = back.connect("c", clean: false, expiry: 100)
        back.publish("", "5") { $0.properties[number: .topicAlias] = 10 }
        #expect(back.seen().disconnectCode == .protocolError)
        #expect(watcher.messages().isEmpty)
    }

    @Test func `trap 31: the alias of a message is not passed on`() throws {
        let broker = TestBroker()
        let watcher = try broker.watcher("t")
        try broker.client("c").publish("t", "1") { $0.properties[number: .topicAlias] = 3 }
        #expect(watcher.publishes().map { $0.properties[number: .topicAlias] } == [nil])
    }

    @Test(arguments: [0, 11, 65_535] as [UInt32])
    func `trap 31: alias 0 and those above the maximum are invalid`(alias: UInt32) throws {
        let client = try TestBroker().client("c")
        client.publish("t") { $0.properties[number: .topicAlias] = alias }
        #expect(client.seen().disconnectCode == .topicAliasInvalid)
    }

    @Test func `trap 30: an alias that was given no topic is a protocol error`() throws {
        let client = try TestBroker().client("c")
        client.publish("") { $0.properties[number: .topicAlias] = 1 }
        #expect(client.seen().disconnectCode == .protocolError)
        #expect(client.isClosed)
    }

    @Test(arguments: QoS.allCases)
    func `trap 32: aliases are sent up to the client's maximum, with the topic first`(qos: QoS) throws {
        let broker = TestBroker()
        let aliased = try broker.client("aliased") { $0.properties[number: .topicAliasMaximum] = 1 }
        let plain = try broker.client("plain")
        aliased.subscribe("#", qos)
        plain.subscribe("#", qos)
        let publisher = try broker.client("p")
        for (id, topic) in ["topic/one", "topic/one", "topic/two", "topic/one"].enumerated() {
            publisher.publish(topic, "x", qos, id: UInt16(id + 1))
        }
        let seen = aliased.publishes()
        #expect(seen.map { $0.properties[number: .topicAlias] ?? 0 }.allSatisfy { $0 <= 1 })
        var topics: [UInt32: [UInt8]] = [:]
        let meant = seen.map { publish -> [UInt8]? in
            guard let alias = publish.properties[number: .topicAlias] else { return publish.topic }
            if !publish.topic.isEmpty { topics[alias] = publish.topic }
            return topics[alias]
        }
        #expect(meant == ["topic/one", "topic/one", "topic/two", "topic/one"].map { text($0) })
        let others = plain.publishes()
        #expect(others.count == 4 && others.allSatisfy { $0.properties[number: .topicAlias] == nil })
    }

    @Test func `trap 32: a message that was too large makes no alias known`() throws {
        let broker = TestBroker()
        let client = try broker.client("c") {
            $0.properties[number: .topicAliasMaximum] = 5
            $0.properties[number: .maximumPacketSize] = 60
        }
        client.subscribe("#", .atLeastOnce)
        let publisher = try broker.client("p")
        for (qos, size) in [(QoS.atMostOnce, 100), (.atLeastOnce, 100), (.atMostOnce, 1), (.atLeastOnce, 2_500)] {
            publisher.publish("long/topic", String(repeating: "x", count: size), qos)
        }
        #expect(client.publishes().map(\.topic) == [text("long/topic")])
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 74: what can't be kept is not acknowledged as if it were`(version: ProtocolVersion) throws {
        let broker = TestBroker { $0.memory = 10_000_000 }
        let filler = try broker.client("filler")
        for number in 0..<12_000 {
            filler.publish("r/\(number)", String(repeating: "x", count: 1_000), .atLeastOnce, retain: true)
        }
        let client = try broker.client("c", version)
        client.publish("new/topic", "x", .atLeastOnce, retain: true, id: 5)
        let seen = client.seen()
        #expect(seen.acknowledged(.puback) == (version == .v5 ? ["5 0x97"] : []))
        #expect(client.isClosed == (version != .v5))
        #expect(try broker.client("late").subscribe("new/topic").published.isEmpty)
    }
}
