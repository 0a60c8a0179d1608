import MQTTCodec
import Testing

@testable import Broker

@Suite struct SessionTests {
    private let broker = TestBroker()

    private func client(
        _ id: String, _ version: ProtocolVersion = .v5, clean: Bool = true, expiry: UInt32? = nil,
        _ change: (inout Connect) -> Void = { _ in }
    ) throws -> (client: TestClient, connack: Connack, after: [Seen]) {
        let client = try #require(broker.open())
        let seen = client.connect(id, version, clean: clean, expiry: expiry, change)
        guard case .connack(let connack)? = seen.first else {
            Issue.record("no CONNACK: \(seen)")
            return (client, Connack(reasonCode: .unspecifiedError), [])
        }
        return (client, connack, Array(seen.dropFirst()))
    }

    private func payloads(_ seen: [Seen]) -> [String] {
        seen.compactMap { seen in
            guard case .publish(let publish) = seen else { return nil }
            return String(decoding: publish.payload, as: UTF8.self) + (publish.duplicate ? " again" : "")
        }
    }

    @Test func `what was published while a 3 1 1 client with a session was away arrives when it is back`() throws {
        let away = try client("away", .v311, clean: false)
        away.client.subscribe("t", .atLeastOnce)
        away.client.lose()
        let publisher = try client("publisher").client
        for number in 1...3 { publisher.publish("t", "\(number)", .atLeastOnce, id: UInt16(number)) }
        publisher.publish("t", "QoS 0")
        let back = try client("away", .v311, clean: false)
        #expect(back.connack.sessionPresent)
        #expect(payloads(back.after) == ["1", "2", "3"])
    }

    @Test func `a clean start forgets the session`() throws {
        let first = try client("c", expiry: 100).client
        first.subscribe("t", .atLeastOnce)
        first.lose()
        let second = try client("c", clean: true, expiry: 100)
        #expect(!second.connack.sessionPresent)
        try client("publisher").client.publish("t", "x", .atLeastOnce)
        #expect(second.client.messages().isEmpty)
    }

    @Test func `a session ends when its expiry has passed and not before`() throws {
        try client("c", clean: false, expiry: 10).client.lose()
        broker.advance(.seconds(9))
        let second = try client("c", clean: false, expiry: 10)
        #expect(second.connack.sessionPresent)
        second.client.lose()
        broker.advance(.seconds(10))
        #expect(try !client("c", clean: false).connack.sessionPresent)
    }

    @Test func `without an expiry the session ends with its connection`() throws {
        try client("c", clean: false).client.lose()
        #expect(try !client("c", clean: false).connack.sessionPresent)
    }

    @Test func `an expiry beyond the limit is granted in part and said so`() throws {
        let connack = try client("c", expiry: UInt32.max).connack
        #expect(connack.properties[number: .sessionExpiryInterval] == BrokerLimits().sessionExpiry)
    }

    @Test func `DISCONNECT may end a session early but not make one`() throws {
        let first = try client("c", expiry: 100).client
        var bye = Disconnect()
        bye.properties[number: .sessionExpiryInterval] = 0
        first.send { bye.encode(into: &$0, version: .v5) }
        #expect(try !client("c", clean: false).connack.sessionPresent)

        let second = try client("d").client
        bye.properties[number: .sessionExpiryInterval] = 50
        second.send { bye.encode(into: &$0, version: .v5) }
        #expect(second.seen() == [.disconnect(Disconnect(reasonCode: .protocolError))])
    }

    @Test func `what was not acknowledged is sent again as a duplicate with the same identifier`() throws {
        let first = try client("c", expiry: 100).client
        first.subscribe("t", .atLeastOnce)
        let publisher = try client("publisher").client
        for number in 1...3 { publisher.publish("t", "\(number)", .atLeastOnce, id: UInt16(number)) }
        #expect(first.publishes().map(\.packetID) == [1, 2, 3])
        first.acknowledge(.puback, 2)
        first.lose()
        let back = try client("c", clean: false, expiry: 100)
        #expect(payloads(back.after) == ["1 again", "3 again"])
        #expect(payloads(back.client.seen()).isEmpty)
    }

    @Test func `a QoS 2 message past its PUBREC is finished with PUBREL and never published again`() throws {
        let first = try client("c", expiry: 100).client
        first.subscribe("t", .exactlyOnce)
        try client("publisher").client.publish("t", "x", .exactlyOnce)
        #expect(first.publishes().count == 1)
        first.acknowledge(.pubrec, 1)
        first.lose()
        let back = try client("c", clean: false, expiry: 100)
        #expect(back.after == [.acknowledgement(.pubrel, Acknowledgement(packetID: 1))])
    }

    @Test func `a QoS 2 message sent again over a new connection is still delivered once`() throws {
        let watcher = try client("watcher").client
        watcher.subscribe("t")
        let first = try client("c", expiry: 100).client
        first.publish("t", "x", .exactlyOnce, id: 4)
        first.lose()
        let back = try client("c", clean: false, expiry: 100).client
        back.publish("t", "x", .exactlyOnce, id: 4) { $0.duplicate = true }
        #expect(watcher.messages() == ["t x"])
    }

    @Test func `no more than the client's Receive Maximum are under way and acknowledgements free the next`() throws {
        let slow = try client("slow") { $0.properties[number: .receiveMaximum] = 2 }.client
        slow.subscribe("t", .atLeastOnce)
        let publisher = try client("publisher").client
        for number in 1...5 { publisher.publish("t", "\(number)", .atLeastOnce, id: UInt16(number)) }
        #expect(slow.messages() == ["t 1", "t 2"])
        slow.acknowledge(.puback, 2)
        #expect(slow.messages() == ["t 3"])
        slow.send([0xC0, 0])
        #expect(slow.seen() == [.pingresp])
        slow.acknowledge(.puback, 1)
        slow.acknowledge(.puback, 3)
        #expect(slow.messages() == ["t 4", "t 5"])
    }

    @Test func `a full queue loses its oldest message and counts it`() throws {
        let broker = TestBroker { $0.queuedMessages = 2 }
        let away = try #require(broker.open())
        away.connect("away", expiry: 100)
        away.subscribe("t", .atLeastOnce)
        away.lose()
        let publisher = try #require(broker.open())
        publisher.connect("publisher")
        for number in 1...4 { publisher.publish("t", "\(number)", .atLeastOnce, id: UInt16(number)) }
        let back = try #require(broker.open())
        #expect(payloads(back.connect("away", clean: false, expiry: 100)) == ["3", "4"])
        #expect(broker.counters.messagesDropped == 2)
    }

    @Test func `a message waits no longer than its expiry and arrives with what is left of it`() throws {
        let away = try client("away", expiry: 100).client
        away.subscribe("t", .atLeastOnce)
        away.lose()
        let publisher = try client("publisher").client
        publisher.publish("t", "short", .atLeastOnce) { $0.properties[number: .messageExpiryInterval] = 5 }
        publisher.publish("t", "long", .atLeastOnce) { $0.properties[number: .messageExpiryInterval] = 60 }
        broker.advance(.seconds(20))
        let back = try client("away", clean: false, expiry: 100)
        guard case .publish(let publish)? = back.after.first, back.after.count == 1 else {
            Issue.record("\(back.after)")
            return
        }
        #expect(publish.payload == Array("long".utf8))
        #expect(publish.properties[number: .messageExpiryInterval] == 40)
    }

    @Test func `packet identifiers go around and leave out those in use`() throws {
        let sub = try client("c").client
        sub.subscribe("t", .atLeastOnce)
        let publisher = try client("publisher").client
        var seen: Set<UInt16> = []
        for number in 0..<70_000 {
            publisher.publish("t", "x", .atLeastOnce)
            _ = publisher.seen()
            for publish in sub.publishes() {
                if number > 0 { seen.insert(publish.packetID) }
                sub.acknowledge(.puback, publish.packetID)
            }
        }
        #expect(!seen.contains(0))
        #expect(seen.count == 65_535)
    }

    @Test func `a burst reaches the gateway's own client whole, beyond what any client's queue holds`() throws {
        let inside = try #require(broker.open(isInternal: true))
        inside.connect("$martlet/bridge") { $0.properties[number: .receiveMaximum] = 32_768 }
        inside.subscribe("t", .atLeastOnce)
        let publisher = try client("publisher").client
        for number in 1...40_000 { publisher.publish("t", "\(number)", .atLeastOnce) }
        var received = 0
        var seen = inside.publishes()
        while !seen.isEmpty {
            received += seen.count
            for publish in seen { inside.acknowledge(.puback, publish.packetID) }
            seen = inside.publishes()
        }
        #expect(received == 40_000)
        #expect(broker.counters.messagesDropped == 0)
    }

    @Test func `ended sessions and messages leave nothing behind`() throws {
        let before = broker.keptMessages
        for round in 0..<50 {
            let one = try client("c\(round)", expiry: 5).client
            one.subscribe("a/\(round)/+", .atLeastOnce)
            one.publish("a/\(round)/x", "mine", .atLeastOnce)
            one.lose()
        }
        broker.advance(.seconds(5))
        #expect(broker.keptMessages <= before)
    }
}
