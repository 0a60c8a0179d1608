import MQTTCodec
import Testing

@testable import Broker

@Suite struct SystemTopicTests {
    private let broker = TestBroker()

    private func client(_ id: String, expiry: UInt32? = nil) throws -> TestClient {
        let client = try #require(broker.open())
        client.connect(id, clean: expiry == nil, expiry: expiry)
        return client
    }

    /// What mosquitto 2 publishes; read from a running one.
    static let mosquittoTopics: Set<String> = {
        let single = [
            "version", "uptime", "clients/total", "clients/maximum", "clients/connected", "clients/active",
            "clients/disconnected", "clients/inactive", "clients/expired", "connections/socket/count",
            "messages/received", "messages/sent", "messages/stored", "store/messages/count", "store/messages/bytes",
            "publish/messages/received", "publish/messages/sent", "publish/messages/dropped",
            "publish/bytes/received", "publish/bytes/sent", "bytes/received", "bytes/sent", "subscriptions/count",
            "shared_subscriptions/count", "retained messages/count", "packet/out/count", "packet/out/bytes",
            "heap/current", "heap/maximum",
        ]
        let loads = [
            "messages/received", "messages/sent", "publish/received", "publish/sent", "publish/dropped",
            "bytes/received", "bytes/sent", "sockets", "connections",
        ]
        let periods = loads.flatMap { load in ["1min", "5min", "15min"].map { "load/\(load)/\($0)" } }
        return Set((single + periods).map { "$SYS/broker/\($0)" })
    }()

    @Test func `the topics under $SYS/broker are mosquitto's, all there from the start`() throws {
        let watcher = try client("watcher")
        watcher.subscribe("$SYS/broker/#")
        broker.advance(.seconds(10))
        #expect(Set(broker.systemTopics("$SYS/broker/#").keys) == Self.mosquittoTopics)
        let atStart = TestBroker()
        #expect(Set(atStart.systemTopics("$SYS/broker/#").keys) == Self.mosquittoTopics)
    }

    @Test func `the values are those of what happened`() throws {
        let sleeper = try client("sleeper", expiry: 1_000)
        sleeper.subscribe("t", .atLeastOnce)
        sleeper.lose()
        let sender = try client("sender")
        sender.publish("t", "12345", .atLeastOnce)
        sender.publish("t", "12345")
        broker.advance(.seconds(10))
        let topics = broker.systemTopics("$SYS/broker/#")
        #expect(topics["$SYS/broker/version"] == "martlet version 1.2.3")
        #expect(topics["$SYS/broker/uptime"] == "10 seconds")
        #expect(topics["$SYS/broker/clients/total"] == "2")
        #expect(topics["$SYS/broker/clients/connected"] == "1")
        #expect(topics["$SYS/broker/clients/active"] == "1")
        #expect(topics["$SYS/broker/clients/disconnected"] == "1")
        #expect(topics["$SYS/broker/publish/messages/received"] == "2")
        #expect(topics["$SYS/broker/publish/bytes/received"] == "10")
        #expect(topics["$SYS/broker/subscriptions/count"] == "1")
        #expect(topics["$SYS/broker/load/publish/received/1min"] == "1.84")  // 12 a minute times 1 - e^(-1/6)
    }

    @Test func `what did not change is not published again`() throws {
        let watcher = try client("watcher")
        watcher.subscribe("$SYS/broker/clients/+")
        watcher.subscribe("$SYS/broker/uptime")
        broker.advance(.seconds(10))
        _ = watcher.messages()
        broker.advance(.seconds(10))
        #expect(watcher.messages() == ["$SYS/broker/uptime 20 seconds"])
    }

    @Test func `updates keep step with the clock on the wall, also when it is set`() throws {
        broker.setClock(byMilliseconds: 4_000)
        let watcher = try client("watcher")
        watcher.subscribe("$SYS/brokers/house/datetime")
        _ = watcher.messages()
        broker.advance(.seconds(20))
        #expect(watcher.messages().last == "$SYS/brokers/house/datetime 2026-03-01T06:30:24.000Z")
        // The first one was made before the clock was set; from now on they are in step.
        broker.advance(.seconds(6))
        #expect(watcher.messages() == ["$SYS/brokers/house/datetime 2026-03-01T06:30:30.000Z"])
        broker.advance(.seconds(9))
        #expect(watcher.messages().isEmpty)
        broker.advance(.seconds(1))
        #expect(watcher.messages() == ["$SYS/brokers/house/datetime 2026-03-01T06:30:40.000Z"])
    }

    @Test func `an interval of zero switches them off`() throws {
        let silent = TestBroker { $0.sysInterval = .zero }
        silent.advance(.seconds(60))
        #expect(silent.systemTopics("$SYS/#").isEmpty)
    }

    @Test func `EMQX's topics tell of one node, named after the gateway`() throws {
        _ = try client("one")
        broker.advance(.seconds(10))
        let topics = broker.systemTopics("$SYS/brokers/#")
        #expect(topics["$SYS/brokers"] == "house")
        #expect(topics["$SYS/brokers/house/version"] == "1.2.3")
        #expect(topics["$SYS/brokers/house/uptime"] == "10000")
        #expect(topics["$SYS/brokers/house/datetime"] == "2026-03-01T06:30:10.000Z")
        #expect(topics["$SYS/brokers/house/stats/connections/count"] == "1")
        #expect(topics["$SYS/brokers/house/metrics/packets/connect/received"] == "1")
    }

    @Test func `drops are told by reason`() throws {
        let gone = try client("gone", expiry: 100)
        gone.subscribe("t")
        gone.lose()
        try client("sender").publish("t")
        broker.advance(.seconds(10))
        let topics = broker.systemTopics("$SYS/martlet/drops/#")
        #expect(topics["$SYS/martlet/drops/offline_qos0"] == "1")
        #expect(topics.count == DropReason.allCases.count)
    }

    @Test func `a queue is told about while it holds something or lost something`() throws {
        let sleeper = try client("house/cellar", expiry: 25)
        sleeper.subscribe("t", .atLeastOnce)
        sleeper.lose()
        let sender = try client("sender")
        sender.publish("t", "12345", .atLeastOnce)
        sender.publish("t", "12345", .atLeastOnce, id: 2)
        broker.advance(.seconds(10))
        let prefix = "$SYS/martlet/clients/house%2Fcellar"
        #expect(
            broker.systemTopics("$SYS/martlet/clients/#") == [
                "\(prefix)/queued": "2", "\(prefix)/queued_bytes": "76", "\(prefix)/in_flight": "0",
                "\(prefix)/dropped": "0",
            ])
        let back = try #require(broker.open())
        back.connect("house/cellar", clean: false, expiry: 5)
        #expect(back.publishes().isEmpty)  // taken with the CONNACK
        broker.advance(.seconds(10))
        #expect(broker.systemTopics("$SYS/martlet/clients/#").isEmpty)
    }

    @Test func `the queue of a session that ends is told about no more`() throws {
        let sleeper = try client("sleeper", expiry: 15)
        sleeper.subscribe("t", .atLeastOnce)
        sleeper.lose()
        try client("sender").publish("t", "12345", .atLeastOnce)
        broker.advance(.seconds(10))
        #expect(broker.systemTopics("$SYS/martlet/clients/sleeper/queued").count == 1)
        broker.advance(.seconds(10))
        #expect(broker.systemTopics("$SYS/martlet/clients/#").isEmpty)
    }

    @Test func `many sessions are looked through in parts, and the number told about is bounded`() throws {
        let sender = try client("sender")
        for number in 0..<1_200 {
            let sleeper = try client("c\(number)", expiry: 1_000)
            sleeper.subscribe("t", .atLeastOnce)
            sleeper.lose()
        }
        sender.publish("t", "x", .atLeastOnce)
        broker.advance(.seconds(10))
        #expect(broker.systemTopics("$SYS/martlet/clients/+/queued").count < 600)
        broker.advance(.milliseconds(100))
        broker.advance(.milliseconds(100))
        #expect(broker.systemTopics("$SYS/martlet/clients/+/queued").count == 1_000)
    }
}
