import MQTTCodec
import Testing

@testable import Broker

@Suite struct RetainedAndWillTests {
    private let broker = TestBroker()

    private func client(
        _ id: String, _ version: ProtocolVersion = .v5, expiry: UInt32? = nil,
        _ change: (inout Connect) -> Void = { _ in }
    ) throws -> TestClient {
        let client = try #require(broker.open())
        client.connect(id, version, clean: expiry == nil, expiry: expiry, change)
        return client
    }

    private func will(_ payload: String, retain: Bool = false) -> Connect.Will {
        Connect.Will(topic: Array("will".utf8), payload: Array(payload.utf8), retain: retain)
    }

    @Test func `a retained message meets a later subscriber marked as retained`() throws {
        try client("p").publish("a/b", "kept", .atLeastOnce, retain: true)
        let late = try client("late")
        let seen = late.subscribe("a/+", .atLeastOnce)
        guard case .suback? = seen.first, case .publish(let publish)? = seen.last else {
            Issue.record("\(seen)")
            return
        }
        #expect(publish.retain)
        #expect(publish.qos == .atLeastOnce)
    }

    @Test func `an earlier subscriber gets it unmarked unless it asked for as published`() throws {
        let plain = try client("plain", .v311)
        plain.subscribe("t")
        let asked = try client("asked")
        asked.subscribe("t") { $0.retainAsPublished = true }
        try client("p").publish("t", "x", retain: true)
        #expect(plain.publishes().map(\.retain) == [false])
        #expect(asked.publishes().map(\.retain) == [true])
    }

    @Test func `the last one replaces the one before and an empty one takes it away`() throws {
        let keptBefore = broker.keptMessages
        let publisher = try client("p")
        publisher.publish("t", "1", retain: true)
        publisher.publish("t", "2", retain: true)
        publisher.publish("t", "not kept")
        let first = try client("first")
        #expect(first.subscribe("t").count == 2)
        publisher.publish("t", "", retain: true)
        #expect(first.messages() == ["t "])
        #expect(try client("second").subscribe("t").count == 1)
        #expect(broker.keptMessages == keptBefore)
    }

    @Test func `retain handling decides whether a subscription gets retained messages`() throws {
        try client("p").publish("t", "x", retain: true)
        let subscriber = try client("s")
        #expect(subscriber.subscribe("t") { $0.retainHandling = .never }.count == 1)
        #expect(subscriber.subscribe("t") { $0.retainHandling = .sendIfNew }.count == 1)
        #expect(subscriber.subscribe("t") { $0.retainHandling = .send }.count == 2)
    }

    @Test func `a retained message disappears when it expires`() throws {
        let keptBefore = broker.keptMessages
        try client("p").publish("t", "old", retain: true) { $0.properties[number: .messageExpiryInterval] = 30 }
        broker.advance(.seconds(30))
        #expect(try client("late").subscribe("t").count == 1)
        broker.advance(.seconds(60))
        #expect(broker.keptMessages == keptBefore)
    }

    @Test func `more retained messages than a window or a queue holds all arrive`() throws {
        let publisher = try client("p")
        for number in 0..<12_000 { publisher.publish("r/\(number)", "x", .atLeastOnce, retain: true) }
        let late = try client("late")
        var received = 0
        var seen = late.subscribe("r/#", .atLeastOnce)
        while !seen.isEmpty {
            for case .publish(let publish) in seen {
                received += 1
                late.acknowledge(.puback, publish.packetID)
            }
            seen = late.seen()
        }
        #expect(received == 12_000)
    }

    @Test func `a newer message never arrives before an older retained one`() throws {
        let publisher = try client("p")
        for number in 0..<150 { publisher.publish("r/\(number)", "old", .atLeastOnce, retain: true) }
        let late = try client("late")
        var seen = late.subscribe("r/#", .atLeastOnce)
        publisher.publish("r/149", "new", retain: true)
        publisher.publish("r/0", "new", retain: true)
        var last: [String: String] = [:]
        while !seen.isEmpty {
            for case .publish(let publish) in seen {
                last[String(decoding: publish.topic, as: UTF8.self)] = String(decoding: publish.payload, as: UTF8.self)
                late.acknowledge(.puback, publish.packetID)
            }
            seen = late.seen()
        }
        #expect(last["r/149"] == "new")
        #expect(last["r/0"] == "new")
    }

    @Test func `a will is published when the connection breaks and not when the client says goodbye`() throws {
        let watcher = try client("watcher")
        watcher.subscribe("will")
        try client("a") { $0.will = will("broke") }.lose()
        try client("b") { $0.will = will("polite") }.disconnect()
        try client("c") { $0.will = will("asked for") }.disconnect(.disconnectWithWill)
        #expect(watcher.messages() == ["will broke", "will asked for"])
    }

    @Test func `a retained will stays for later subscribers`() throws {
        try client("a") { $0.will = will("offline", retain: true) }.lose()
        #expect(try client("late").subscribe("will").count == 2)
    }

    @Test func `a delayed will waits and a client that comes back in time takes it away`() throws {
        let watcher = try client("watcher")
        watcher.subscribe("will")
        var delayed = will("late")
        delayed.properties[number: .willDelayInterval] = 10
        try client("a", expiry: 100) { $0.will = delayed }.lose()
        broker.advance(.seconds(9))
        let back = try client("a", expiry: 100) { $0.will = delayed }
        broker.advance(.seconds(9))
        #expect(watcher.messages().isEmpty)
        back.lose()
        broker.advance(.seconds(10))
        let published = watcher.publishes()
        #expect(published.count == 1)
        #expect(published.first?.properties[number: .willDelayInterval] == nil)
    }

    @Test func `a delayed will goes no later than the end of the session`() throws {
        let watcher = try client("watcher")
        watcher.subscribe("will")
        var delayed = will("ended")
        delayed.properties[number: .willDelayInterval] = 100
        try client("a") { $0.will = delayed }.lose()
        #expect(watcher.messages() == ["will ended"])
    }

    @Test func `the will of a connection that is taken over is published`() throws {
        let watcher = try client("watcher")
        watcher.subscribe("will")
        _ = try client("a") { $0.will = will("old") }
        _ = try client("a") { $0.will = will("new") }
        #expect(watcher.messages() == ["will old"])
    }
}
