import MQTTCodec
import Testing

@testable import Broker

/// Traps 42 to 53: acknowledgements, identifiers, order and windows.
@Suite struct FlowTraps {
    private let broker = TestBroker()

    private func back(_ id: String, _ version: ProtocolVersion = .v5) throws -> (client: TestClient, seen: [Seen]) {
        let client = try #require(broker.open())
        return (client, client.connect(id, version, clean: false, expiry: version == .v5 ? 1_000 : nil))
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 42: a repeated QoS 2 PUBLISH gets PUBREC each time and is delivered once`(
        version: ProtocolVersion
    ) throws {
        let watcher = try broker.watcher("t", .exactlyOnce)
        let client = try broker.client("c", version)
        for attempt in 0..<10 {
            client.publish("t", "x", .exactlyOnce, id: 5) { $0.duplicate = attempt > 0 }
            #expect(client.seen().acknowledged(.pubrec) == ["5"])
        }
        #expect(watcher.messages() == ["t x"])
        client.acknowledge(.pubrel, 5)
        client.publish("t", "next", .exactlyOnce, id: 5)
        #expect(watcher.messages() == ["t next"])
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 43: PUBREL always gets a PUBCOMP`(version: ProtocolVersion) throws {
        let client = try broker.client("c", version)
        client.publish("t", "x", .exactlyOnce, id: 5)
        _ = client.seen()
        client.acknowledge(.pubrel, 5)
        #expect(client.seen().acknowledged(.pubcomp) == ["5"])
        for _ in 0..<3 {
            client.acknowledge(.pubrel, 5)
            #expect(client.seen().acknowledged(.pubcomp) == [version == .v5 ? "5 0x92" : "5"])
        }
        #expect(!client.isClosed)
    }

    @Test func `trap 44: a refused QoS 2 message leaves its identifier free`() throws {
        let watcher = try broker.watcher("t", .exactlyOnce)
        let client = try broker.client("c")
        client.publish("$SYS/x", "x", .exactlyOnce, id: 5)
        #expect(client.seen().acknowledged(.pubrec) == ["5 0x87"])
        client.publish("t", "new", .exactlyOnce, id: 5)
        #expect(client.seen().acknowledged(.pubrec) == ["5"])
        #expect(watcher.messages() == ["t new"])
    }

    @Test func `trap 44: a PUBREC with an error ends the flow without PUBREL and frees the window`() throws {
        let client = try broker.client("c") { $0.properties[number: .receiveMaximum] = 1 }
        client.subscribe("t", .exactlyOnce)
        let publisher = try broker.client("p")
        publisher.publish("t", "1", .exactlyOnce, id: 1)
        publisher.publish("t", "2", .exactlyOnce, id: 2)
        #expect(client.messages() == ["t 1"])
        client.acknowledge(.pubrec, 1, .quotaExceeded)
        let seen = client.seen()
        #expect(seen.acknowledged(.pubrel).isEmpty)
        #expect(seen.payloads == ["2"])
    }

    @Test func `trap 44: a PUBREC with an error for nothing known is not answered`() throws {
        let client = try broker.client("c")
        client.acknowledge(.pubrec, 9, .unspecifiedError)
        #expect(client.seen().isEmpty && !client.isClosed)
    }

    @Test func `trap 45: expiry does not end a QoS 2 exchange that has begun`() throws {
        let client = try broker.client("c", expiry: 1_000)
        client.subscribe("t", .exactlyOnce)
        try broker.client("p").publish("t", "x", .exactlyOnce) { $0.properties[number: .messageExpiryInterval] = 5 }
        #expect(client.messages() == ["t x"])
        broker.advance(.seconds(100))
        client.lose()
        let again = try back("c")
        #expect(again.seen.payloads == ["x again"])
        again.client.acknowledge(.pubrec, 1)
        #expect(again.client.seen().acknowledged(.pubrel) == ["1"])
        broker.advance(.seconds(100))
        again.client.acknowledge(.pubcomp, 1)
        try broker.client("p").publish("t", "y", .exactlyOnce)
        #expect(again.client.messages() == ["t y"])
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 46: a resumed session gets what it owes an answer for again, in the first order`(
        version: ProtocolVersion
    ) throws {
        let first = try back("c", version).client
        first.subscribe("t", .exactlyOnce)
        let publisher = try broker.client("p")
        for id in 1...4 as ClosedRange<UInt16> {
            publisher.publish("t", "\(id)", id == 2 ? .atLeastOnce : .exactlyOnce, id: id)
        }
        #expect(first.publishes().map(\.packetID) == [1, 2, 3, 4])
        first.acknowledge(.pubrec, 1)
        first.acknowledge(.pubrec, 3)
        #expect(first.seen().acknowledged(.pubrel) == ["1", "3"])
        first.lose()
        let again = try back("c", version)
        #expect(again.seen.acknowledged(.pubrel) == ["1", "3"])
        #expect(again.seen.published.map(\.packetID) == [2, 4])
        #expect(again.seen.payloads == ["2 again", "4 again"])
    }

    @Test func `trap 46: nothing is sent again while the connection stands`() throws {
        let client = try broker.client("c")
        client.subscribe("t", .exactlyOnce)
        try broker.client("p").publish("t", "x", .exactlyOnce)
        #expect(client.messages() == ["t x"])
        broker.advance(.seconds(10_000))
        #expect(client.seen().isEmpty)
        client.acknowledge(.pubrec, 1)
        #expect(client.seen().acknowledged(.pubrel) == ["1"])
        broker.advance(.seconds(10_000))
        #expect(client.seen().isEmpty)
    }

    @Test func `trap 47: identifiers go around from 65,535 to 1 and skip those in use`() throws {
        let client = try broker.client("c")
        client.subscribe("t", .atLeastOnce)
        let publisher = try broker.client("p")
        var last: UInt16 = 0
        var seen: Set<UInt16> = []
        for _ in 0..<65_600 {
            publisher.publish("t", "x", .atLeastOnce)
            _ = publisher.seen()
            for publish in client.publishes() {
                last = publish.packetID
                seen.insert(last)
                client.acknowledge(.puback, last)
            }
        }
        #expect(seen.count == 65_535 && !seen.contains(0))
        #expect(last == 65)
    }

    @Test func `trap 47: a message that is never acknowledged holds its identifier and nobody up`() throws {
        let client = try broker.client("c", expiry: 1_000)
        client.subscribe("t", .exactlyOnce)
        let publisher = try broker.client("p")
        publisher.publish("t", "held", .exactlyOnce, id: 9)
        publisher.acknowledge(.pubrel, 9)
        #expect(client.publishes().map(\.packetID) == [1])
        var count = 0
        for _ in 0..<140_000 {
            publisher.publish("t", "x", .atLeastOnce)
            _ = publisher.seen()
            for publish in client.publishes() {
                count += publish.packetID == 1 ? 0 : 1
                client.acknowledge(.puback, publish.packetID)
            }
        }
        #expect(count == 140_000)
        client.lose()
        let again = try back("c")
        #expect(again.seen.payloads == ["held again"])
        #expect(again.seen.published.map(\.packetID) == [1])
        again.client.acknowledge(.pubrec, 1)
        #expect(again.client.seen().acknowledged(.pubrel) == ["1"])
        again.client.acknowledge(.pubcomp, 1)
        publisher.publish("t", "after", .atLeastOnce)
        #expect(again.client.messages() == ["t after"])
    }

    @Test func `trap 47: identifiers of client and server do not meet`() throws {
        let client = try broker.client("c")
        client.subscribe("t", .exactlyOnce)
        client.publish("t", "x", .exactlyOnce, id: 1)
        let seen = client.seen()
        #expect(seen.published.map(\.packetID) == [1])
        #expect(seen.acknowledged(.pubrec) == ["1"])
        client.acknowledge(.pubrec, 1)
        client.acknowledge(.pubrel, 1)
        client.acknowledge(.pubcomp, 1)
        let last = client.seen()
        #expect(last.acknowledged(.pubrel) == ["1"] && last.acknowledged(.pubcomp) == ["1"])
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 48: after PUBREL a message is never published again`(version: ProtocolVersion) throws {
        let first = try back("c", version).client
        first.subscribe("t", .exactlyOnce)
        try broker.client("p").publish("t", "x", .exactlyOnce)
        _ = first.seen()
        first.acknowledge(.pubrec, 1)
        first.lose()
        for _ in 0..<3 {
            let again = try back("c", version)
            #expect(again.seen.published.isEmpty)
            #expect(again.seen.acknowledged(.pubrel) == ["1"])
            again.client.lose()
        }
        let last = try back("c", version)
        last.client.acknowledge(.pubcomp, 1)
        last.client.lose()
        #expect(try back("c", version).seen.count == 1)
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 49: an identifier that comes again after its PUBACK is a new message`(version: ProtocolVersion) throws {
        let watcher = try broker.watcher("t")
        let client = try broker.client("c", version)
        client.publish("t", "1", .atLeastOnce, id: 3)
        client.publish("t", "2", .atLeastOnce, id: 3) { $0.duplicate = true }
        #expect(watcher.messages() == ["t 1", "t 2"])
        #expect(client.seen().acknowledged(.puback) == ["3", "3"])
    }

    @Test(arguments: [QoS.atLeastOnce, .exactlyOnce])
    func `trap 50: the queue comes before live messages and acknowledgements in the order of receipt`(
        qos: QoS
    ) throws {
        let first = try back("c").client
        first.subscribe("t", .exactlyOnce)
        let publisher = try broker.client("p")
        for id in 1...3 as ClosedRange<UInt16> { publisher.publish("t", "\(id)", qos, id: id) }
        #expect(first.publishes().count == 3)
        first.lose()
        for id in 4...6 as ClosedRange<UInt16> { publisher.publish("t", "\(id)", qos, id: id) }
        let again = try back("c")
        for id in 7...9 as ClosedRange<UInt16> { publisher.publish("t", "\(id)", qos, id: id) }
        let all = again.seen + again.client.seen()
        #expect(all.payloads == ["1 again", "2 again", "3 again", "4", "5", "6", "7", "8", "9"])
        let answers = publisher.seen().acknowledged(qos == .atLeastOnce ? .puback : .pubrec)
        #expect(answers == (1...9).map(String.init))
    }

    @Test func `trap 51: the window is the client's Receive Maximum, freed by PUBACK, PUBCOMP and errors alone`()
        throws
    {
        let client = try broker.client("c") { $0.properties[number: .receiveMaximum] = 2 }
        client.subscribe("t", .exactlyOnce)
        let publisher = try broker.client("p")
        for id in 1...6 as ClosedRange<UInt16> { publisher.publish("t", "\(id)", .exactlyOnce, id: id) }
        publisher.publish("t", "0", .atMostOnce)
        #expect(client.messages() == ["t 1", "t 2"])
        client.acknowledge(.pubrec, 1)
        #expect(client.seen().published.isEmpty)
        client.acknowledge(.pubcomp, 1)
        #expect(client.messages() == ["t 3"])
        client.acknowledge(.pubrec, 2, .unspecifiedError)
        #expect(client.messages() == ["t 4"])
        client.acknowledge(.pubcomp, 99)
        client.acknowledge(.puback, 3)
        #expect(client.seen().published.isEmpty)
    }

    @Test func `trap 51: a new connection has its whole window less what is sent again`() throws {
        let first = try back("c").client
        first.subscribe("t", .atLeastOnce)
        let publisher = try broker.client("p")
        for id in 1...6 as ClosedRange<UInt16> { publisher.publish("t", "\(id)", .atLeastOnce, id: id) }
        #expect(first.publishes().count == 6)
        first.lose()
        let again = try #require(broker.open())
        let seen = again.connect("c", clean: false, expiry: 1_000) { $0.properties[number: .receiveMaximum] = 4 }
        #expect(seen.payloads == ["1 again", "2 again", "3 again", "4 again"])
        again.acknowledge(.puback, 1)
        #expect(again.seen().payloads == ["5 again"])
    }

    @Test func `trap 52: a client that goes beyond the server's Receive Maximum is told so`() throws {
        let broker = TestBroker { $0.receiveMaximum = 3 }
        let client = try broker.client("c")
        for id in 1...3 as ClosedRange<UInt16> { client.publish("t", "x", .exactlyOnce, id: id) }
        #expect(client.seen().disconnectCode == nil)
        client.acknowledge(.pubrel, 2)
        client.publish("t", "x", .exactlyOnce, id: 4)
        #expect(client.seen().disconnectCode == nil)
        client.publish("t", "x", .exactlyOnce, id: 5)
        #expect(client.seen().disconnectCode == .receiveMaximumExceeded)
    }

    @Test func `trap 53: at quota zero everything but PUBLISH is still sent`() throws {
        let client = try broker.client("c") { $0.properties[number: .receiveMaximum] = 1 }
        client.subscribe("t", .exactlyOnce)
        let publisher = try broker.client("p")
        for id in 1...3 as ClosedRange<UInt16> { publisher.publish("t", "\(id)", .exactlyOnce, id: id) }
        #expect(client.messages() == ["t 1"])
        client.send([0xC0, 0])
        #expect(client.seen() == [.pingresp])
        #expect(client.subscribe("u").codes == [0])
        #expect(client.unsubscribe("u").codes == [0])
        client.publish("v", "x", .exactlyOnce, id: 7)
        client.acknowledge(.pubrel, 7)
        client.acknowledge(.pubrec, 1)
        let seen = client.seen()
        #expect(seen.acknowledged(.pubrec) == ["7"] && seen.acknowledged(.pubcomp) == ["7"])
        #expect(seen.acknowledged(.pubrel) == ["1"])
    }
}
