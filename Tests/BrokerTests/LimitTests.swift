import MQTTCodec
import Testing

@testable import Broker

/// Every limit of `broker.limits`, exceeded, with what the client is told.
struct LimitTests {
    private func broker(_ change: (inout BrokerLimits) -> Void) -> TestBroker { TestBroker(change) }

    /// The session comes back; what waited for it.
    private func wake(_ broker: TestBroker) throws -> [String] {
        let woken = try #require(broker.open())
        return TestClient.messages(woken.connect("sleeper", clean: false, expiry: 1000))
    }

    private func client(_ broker: TestBroker, _ name: String, _ version: ProtocolVersion = .v5) throws -> TestClient {
        let client = try #require(broker.open())
        client.connect(name, version, clean: true)
        return client
    }

    private func code(_ seen: [Seen]) -> ReasonCode? {
        switch seen.first {
        case .connack(let connack): connack.reasonCode
        case .disconnect(let disconnect): disconnect.reasonCode
        case .acknowledgement(_, let acknowledgement): acknowledgement.reasonCode
        default: nil
        }
    }

    // MARK: QoS and retain

    @Test func `a QoS above the maximum is announced, and ends the connection of who uses it`() throws {
        let broker = broker { $0.maximumQoS = .atLeastOnce }
        let publisher = try #require(broker.open())
        guard case .connack(let connack) = publisher.connect("p").first else { return #expect(Bool(false)) }
        #expect(connack.properties[number: .maximumQoS] == 1)
        #expect(publisher.subscribe("t", .exactlyOnce).count == 1)
        publisher.publish("t", "x", .exactlyOnce)
        #expect(code(publisher.seen()) == .qosNotSupported)
        let willful = try #require(broker.open()).connect("w") {
            $0.will = Connect.Will(topic: [97], payload: [], qos: .exactlyOnce)
        }
        #expect(code(willful) == .qosNotSupported)
    }

    @Test func `without retained messages a retained PUBLISH ends the connection`() throws {
        let broker = broker { $0.retainAvailable = false }
        let publisher = try #require(broker.open())
        guard case .connack(let connack) = publisher.connect("p").first else { return #expect(Bool(false)) }
        #expect(connack.properties[number: .retainAvailable] == 0)
        publisher.publish("t", "x", retain: true)
        #expect(code(publisher.seen()) == .retainNotSupported)
        let willful = try #require(broker.open()).connect("w") {
            $0.will = Connect.Will(topic: [97], payload: [1], retain: true)
        }
        #expect(code(willful) == .retainNotSupported)
    }

    // MARK: topics and payloads

    @Test func `a topic with too many bytes or levels is refused, and the connection stays`() throws {
        let broker = broker {
            $0.topicLength = 10
            $0.topicLevels = 3
        }
        let publisher = try client(broker, "p")
        for topic in ["12345678901", "a/b/c/d"] {
            publisher.publish(topic, "x", .atLeastOnce)
            #expect(code(publisher.seen()) == .topicNameInvalid)
        }
        publisher.publish("1234567890", "x", .atLeastOnce)
        #expect(code(publisher.seen()) == .success)
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `a will on a topic with too many bytes or levels is refused`(version: ProtocolVersion) throws {
        let broker = broker {
            $0.topicLength = 10
            $0.topicLevels = 3
        }
        for topic in ["12345678901", "a/b/c/d"] {
            let refused = try #require(broker.open())
            let seen = refused.connect("w", version) { $0.will = Connect.Will(topic: Array(topic.utf8), payload: []) }
            // Before version 5 there is no word for it but "server unavailable".
            #expect(code(seen) == (version == .v5 ? .topicNameInvalid : .serverUnavailable))
            #expect(refused.isClosed)
        }
        let seen = try #require(broker.open()).connect("w", version) {
            $0.will = Connect.Will(topic: Array("12345/7/90".utf8), payload: [])
        }
        #expect(code(seen) == .success)
    }

    @Test func `a payload that says it is text and is not is refused when that is checked`() throws {
        let publisher = try client(broker { $0.validatesPayloadFormat = true }, "p")
        for (indicator, payload, expected) in [
            (UInt32(1), [UInt8(0xC3), 0x28], ReasonCode.payloadFormatInvalid), (1, [0xC3, 0xA4], .success),
            (0, [0xC3, 0x28], .success),
        ] {
            publisher.publish("t", "", .atLeastOnce) {
                $0.payload = payload
                $0.properties[number: .payloadFormatIndicator] = indicator
            }
            #expect(code(publisher.seen()) == expected)
        }
    }

    // MARK: queues

    @Test(arguments: [BrokerLimits.DropPolicy.oldest, .newest])
    func `a full queue loses its oldest or newest messages, and they are counted`(
        policy: BrokerLimits.DropPolicy
    ) throws {
        let broker = broker {
            $0.queuedMessages = 3
            $0.dropPolicy = policy
        }
        let sleeper = try #require(broker.open())
        sleeper.connect("sleeper", expiry: 1000)
        sleeper.subscribe("t", .atLeastOnce)
        sleeper.lose()
        let publisher = try client(broker, "p")
        for number in 1...5 { publisher.publish("t", "\(number)", .atLeastOnce) }
        #expect(broker.counters.dropped[.queueFull] == 2)
        #expect(try wake(broker) == (policy == .oldest ? ["t 3", "t 4", "t 5"] : ["t 1", "t 2", "t 3"]))
    }

    @Test(arguments: [BrokerLimits.DropPolicy.oldest, .newest])
    func `a queue is full by its bytes as well`(policy: BrokerLimits.DropPolicy) throws {
        let broker = broker {
            $0.queuedBytes = 3_000
            $0.dropPolicy = policy
        }
        let sleeper = try #require(broker.open())
        sleeper.connect("sleeper", expiry: 1000)
        sleeper.subscribe("t", .atLeastOnce)
        sleeper.lose()
        let publisher = try client(broker, "p")
        for _ in 1...5 { publisher.publish("t", String(repeating: "x", count: 900), .atLeastOnce) }
        #expect(broker.counters.dropped[.queueFull] == 2)
    }

    @Test(arguments: [true, false])
    func `QoS 0 is kept for an offline session only when asked for`(keeps: Bool) throws {
        let broker = broker { $0.keepsQoS0WhileOffline = keeps }
        let sleeper = try #require(broker.open())
        sleeper.connect("sleeper", expiry: 1000)
        sleeper.subscribe("t")
        sleeper.lose()
        try client(broker, "p").publish("t", "1")
        #expect(try wake(broker) == (keeps ? ["t 1"] : []))
    }

    // MARK: rates

    @Test func `a client above its message rate is read later, and nothing of it is lost`() throws {
        let broker = broker { $0.messageRate = 10 }
        let subscriber = try client(broker, "s")
        subscriber.subscribe("t")
        let publisher = try client(broker, "p")
        var burst: [UInt8] = []
        for number in 1...40 {
            Publish(topic: [116], payload: Array("\(number)".utf8)).encode(into: &burst, version: .v5)
        }
        publisher.send(burst)
        // A second's worth at once, and the one that goes beyond it.
        var received = subscriber.messages()
        #expect(received.count == 11)
        #expect(broker.readingChanges() == [publisher.id: false])
        for second in 1...3 {
            broker.advance(.seconds(1))
            received += subscriber.messages()
            #expect(received.count <= 11 + second * 10)
        }
        #expect(received == (1...40).map { "t \($0)" })
        #expect(broker.readingChanges()[publisher.id] == true)
    }

    @Test func `a client above its byte rate is read later`() throws {
        let broker = broker { $0.byteRate = 1_000 }
        let subscriber = try client(broker, "s")
        subscriber.subscribe("t")
        let publisher = try client(broker, "p")
        for _ in 0..<4 { publisher.publish("t", String(repeating: "x", count: 600)) }
        #expect(subscriber.messages().count == 2)
        broker.advance(.seconds(3))
        #expect(subscriber.messages().count == 2)
    }

    @Test func `a paused client is not taken for silent`() throws {
        let broker = broker { $0.messageRate = 1 }
        let publisher = try #require(broker.open())
        publisher.connect("p") { $0.keepAlive = 2 }
        for _ in 0..<10 { publisher.publish("t") }
        broker.advance(.seconds(9))
        #expect(publisher.seen().isEmpty)
    }

    @Test func `a client that takes no answers is not read until it does`() throws {
        let broker = broker { $0.queuedBytes = 1_000 }
        let deaf = try client(broker, "deaf")
        for _ in 0..<2_000 { deaf.send { Ping.encode(.pingreq, into: &$0) } }
        #expect(broker.readingChanges() == [deaf.id: false])
        var answers = 0
        while case let seen = deaf.seen(), !seen.isEmpty { answers += seen.count }
        #expect(answers == 2_000)
        #expect(broker.readingChanges()[deaf.id] == true)
    }

    // MARK: memory

    private func sleeper(_ broker: TestBroker) throws {
        let sleeper = try #require(broker.open())
        sleeper.connect("sleeper", expiry: 1000)
        sleeper.subscribe("q/#", .atLeastOnce)
        sleeper.lose()
    }

    @Test func `near the memory limit new retained topics are refused first, and known ones still change`() throws {
        let broker = broker { $0.memory = 10_000_000 }
        let publisher = try client(broker, "p")
        let payload = String(repeating: "x", count: 1_000)
        var refusedAt: Int?
        for number in 0..<12_000 where refusedAt == nil {
            publisher.publish("r/\(number)", payload, .atLeastOnce, retain: true)
            if code(publisher.seen()) == .quotaExceeded { refusedAt = number }
        }
        #expect(refusedAt != nil)
        #expect(broker.pressure == .refusesRetained)
        publisher.publish("r/1", "new", .atLeastOnce, retain: true)
        #expect(code(publisher.seen()) == .success)
        publisher.publish("other", payload, .atLeastOnce)
        #expect(code(publisher.seen()) == .success)
        let old = try client(broker, "old", .v311)
        old.publish("r/x", payload, .atLeastOnce, retain: true)
        #expect(old.seen().isEmpty && old.isClosed)
    }

    @Test func `then the longest queues are shortened, and the broker stays within its limit`() throws {
        let broker = broker {
            $0.memory = 10_000_000
            $0.queuedMessages = 1_000_000
            $0.queuedBytes = 1_000_000_000
        }
        try sleeper(broker)
        let publisher = try client(broker, "p")
        for number in 0..<20_000 {
            publisher.publish("q/\(number)", String(repeating: "x", count: 1_000), .atLeastOnce)
            _ = publisher.seen()
        }
        #expect(broker.counters.dropped[.memory] > 0)
        #expect(broker.memoryInUse < 10_000_000)
    }

    @Test func `when memory is free again everything is taken again`() throws {
        let broker = broker { $0.memory = 10_000_000 }
        let publisher = try client(broker, "p")
        let payload = String(repeating: "x", count: 1_000)
        for number in 0..<6_000 {
            publisher.publish("r/\(number)", payload, .atLeastOnce, retain: true)
            _ = publisher.seen()
        }
        #expect(broker.pressure != .none)
        for number in 0..<6_000 { publisher.publish("r/\(number)", "", retain: true) }
        broker.advance(.seconds(1))
        #expect(broker.pressure == .none)
    }
}
