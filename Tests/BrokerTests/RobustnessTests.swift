import MQTTCodec
import Testing

@testable import Broker

@Suite struct RobustnessTests {
    /// A session's whole talk, as bytes.
    private func conversation(_ version: ProtocolVersion) -> [UInt8] {
        var bytes: [UInt8] = []
        var connect = Connect(version: version)
        connect.clientID = Array("talker".utf8)
        connect.keepAlive = 30
        connect.will = Connect.Will(topic: Array("w".utf8), payload: [1, 2])
        connect.encode(into: &bytes)
        Subscribe(packetID: 1, requests: [.init(filter: Array("a/#".utf8), qos: .exactlyOnce)])
            .encode(into: &bytes, version: version)
        for (qos, id) in [(QoS.atMostOnce, 0), (.atLeastOnce, 2), (.exactlyOnce, 3)] as [(QoS, UInt16)] {
            var publish = Publish(topic: Array("a/b".utf8), payload: Array("payload".utf8), qos: qos, retain: true)
            publish.packetID = id
            publish.encode(into: &bytes, version: version)
        }
        Acknowledgement(packetID: 3).encode(.pubrel, into: &bytes, version: version)
        Ping.encode(.pingreq, into: &bytes)
        Unsubscribe(packetID: 4, filters: [Array("a/#".utf8)]).encode(into: &bytes, version: version)
        return bytes
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `a conversation that arrives one byte at a time has the same effect as at once`(
        version: ProtocolVersion
    ) throws {
        let whole = try #require(TestBroker().open())
        whole.send(conversation(version))
        let drip = try #require(TestBroker().open())
        for byte in conversation(version) { drip.send([byte]) }
        let expected = whole.broker.flush(whole.id).bytes
        #expect(expected.count > 40)
        #expect(drip.broker.flush(drip.id).bytes == expected)
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `no damaged conversation stops the broker from serving others`(version: ProtocolVersion) throws {
        let broker = TestBroker()
        let healthy = try #require(broker.open())
        healthy.connect("healthy")
        healthy.subscribe("ping")
        var random = SplitMix(state: 42)
        let original = conversation(version)
        for _ in 0..<3_000 {
            let victim = try #require(broker.open())
            var bytes = original
            for _ in 0...Int(random.next() % 4) {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.next() % 3 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
            victim.send(bytes)
            _ = broker.flush(victim.id)
            victim.lose()
        }
        _ = healthy.seen()
        healthy.publish("ping", "still here")
        #expect(healthy.messages() == ["ping still here"])
    }

    @Test func `random subscriptions and publishes agree with the plain definition of matching`() throws {
        let broker = TestBroker { $0.subscriptions = 10_000 }
        let client = try #require(broker.open())
        client.connect("c")
        var random = SplitMix(state: 3)
        let words = ["a", "b", "", "$x", "c"]
        func name(_ wild: Bool) -> String {
            let count = Int(random.next() % 4) + 1
            var levels = (0..<count).map { _ in words[Int(random.next() % UInt64(words.count))] }
            if wild, random.next() % 2 == 0 { levels[Int(random.next() % UInt64(count))] = "+" }
            if wild, random.next() % 3 == 0 { levels[count - 1] = "#" }
            let joined = levels.joined(separator: "/")
            return joined.isEmpty ? "/" : joined
        }
        var filters: Set<String> = []
        for _ in 0..<400 {
            let filter = name(true)
            if random.next() % 3 == 0 {
                _ = client.unsubscribe(filter)
                filters.remove(filter)
            } else {
                client.subscribe(filter)
                filters.insert(filter)
            }
            let topic = name(false)
            guard !topic.hasPrefix("$") else { continue }
            client.publish(topic)
            let isWanted = filters.contains { Topic.matches(filter: Array($0.utf8), name: Array(topic.utf8)) }
            #expect(client.messages().count == (isWanted ? 1 : 0), "\(topic) with \(filters)")
        }
    }
}

/// A small seeded generator, so that every run makes the same damage.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
