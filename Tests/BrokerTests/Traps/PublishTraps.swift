import MQTTCodec
import Testing

@testable import Broker

/// Traps 30 to 41: what a message may be, and what of it reaches the subscribers.
@Suite struct PublishTraps {
    private let broker = TestBroker()

    @Test(arguments: ["a/+/b", "#", "+", "a#"], ProtocolVersion.allCases)
    func `trap 30: a wildcard in a topic name ends the connection`(topic: String, version: ProtocolVersion) throws {
        let client = try broker.client("c", version)
        client.publish(topic)
        #expect(client.seen().disconnectCode == (version == .v5 ? .topicNameInvalid : nil))
        #expect(client.isClosed)
    }

    @Test(arguments: ProtocolVersion.before5)
    func `trap 30: before version 5 an empty topic ends the connection`(version: ProtocolVersion) throws {
        let client = try broker.client("c", version)
        client.send([0x30, 2, 0, 0])
        #expect(client.seen().isEmpty)
        #expect(client.isClosed)
    }

    @Test func `trap 30: in version 5 an empty topic without an alias is a protocol error`() throws {
        let client = try broker.client("c")
        client.send([0x30, 3, 0, 0, 0])
        #expect(client.seen().disconnectCode == .protocolError)
        #expect(client.isClosed)
    }

    @Test func `trap 33: a subscription identifier from a client is a protocol error, and so is 0 anywhere`() throws {
        for packet in [[0x30, 6, 0, 1, 0x74, 2, 0x0B, 1], [0x82, 9, 0, 1, 2, 0x0B, 0, 0, 1, 0x74, 0]] as [[UInt8]] {
            let client = try broker.client("c")
            client.send(packet)
            #expect(client.seen().disconnectCode == .protocolError)
            #expect(client.isClosed)
        }
    }

    @Test(arguments: ["a/+", "#", ""])
    func `trap 34: a response topic with wildcards or without anything is a protocol error`(topic: String) throws {
        let client = try broker.client("c")
        client.publish("t") { $0.properties[bytes: .responseTopic] = text(topic) }
        #expect(client.seen().disconnectCode == .protocolError)
        let other = try #require(broker.open())
        let seen = other.connect("o") {
            $0.will = will("x")
            $0.will?.properties[bytes: .responseTopic] = text(topic)
        }
        #expect(seen.connack?.reasonCode.isError != false)
        #expect(other.isClosed)
    }

    static func allProperties() -> Properties {
        var properties = Properties()
        properties[number: .payloadFormatIndicator] = 1
        properties[bytes: .contentType] = text("text/plain")
        properties[bytes: .responseTopic] = text("answer/here")
        properties[bytes: .correlationData] = [0, 255]
        properties.userProperties = [
            .init(name: text("b"), value: text("1")), .init(name: text("a"), value: text("2")),
            .init(name: text("b"), value: text("3")), .init(name: text("b"), value: text("1")),
        ]
        return properties
    }

    @Test(arguments: QoS.allCases)
    func `trap 35: properties arrive unaltered and in order, live, queued and retained`(qos: QoS) throws {
        let sent = Self.allProperties()
        let live = try broker.watcher("t", qos)
        let away = try broker.client("away", expiry: 100)
        away.subscribe("t", .exactlyOnce)
        away.lose()
        try broker.client("p").publish("t", "x", qos, retain: true) { $0.properties = sent }
        #expect(live.publishes().map(\.properties) == [sent])
        let back = try #require(broker.open())
        let waited = back.connect("away", clean: false).published
        #expect(waited.map(\.properties) == (qos == .atMostOnce ? [] : [sent]))
        #expect(try broker.client("late").subscribe("t").published.map(\.properties) == [sent])
    }

    @Test func `trap 36: expiry is counted down while a message waits, and it is not delivered at 0`() throws {
        let away = try broker.client("away", expiry: 1_000)
        away.subscribe("#", .atLeastOnce)
        away.lose()
        let publisher = try broker.client("p")
        for seconds in [10, 11, 60] as [UInt32] {
            publisher.publish("t/\(seconds)", "\(seconds)", .atLeastOnce, retain: true) {
                $0.properties[number: .messageExpiryInterval] = seconds
            }
        }
        broker.advance(.seconds(10))
        let back = try #require(broker.open())
        let waited = back.connect("away", clean: false).published
        #expect(waited.map { $0.properties[number: .messageExpiryInterval] } == [1, 50])
        let retained = try broker.client("late").subscribe("t/+").published
        #expect(Set(retained.map { $0.properties[number: .messageExpiryInterval] }) == [1, 50])
    }

    @Test func `trap 37: the will's delay stays in CONNECT, its other properties are published`() throws {
        let watcher = try broker.watcher("will")
        let sent = Self.allProperties()
        try broker.client("c", expiry: 100) {
            $0.will = will("gone", delay: 5)
            $0.will?.properties = sent
            $0.will?.properties[number: .willDelayInterval] = 5
            $0.will?.properties[number: .messageExpiryInterval] = 30
        }.lose()
        broker.advance(.seconds(5))
        let published = try #require(watcher.publishes().first)
        #expect(published.properties[number: .willDelayInterval] == nil)
        #expect(published.properties[number: .messageExpiryInterval] == 30)
        #expect(published.properties.userProperties == sent.userProperties)
        #expect(published.properties[bytes: .correlationData] == [0, 255])
    }

    @Test(arguments: QoS.allCases, ProtocolVersion.allCases)
    func `trap 38: an empty retained message is delivered, removes the old one and is not kept`(
        qos: QoS, version: ProtocolVersion
    ) throws {
        let publisher = try broker.client("p", version)
        publisher.publish("t", "old", qos, retain: true, id: 1)
        publisher.acknowledge(.pubrel, 1)
        publisher.publish("t", "passing", qos, id: 2)
        publisher.acknowledge(.pubrel, 2)
        let first = try broker.client("first", version)
        #expect(first.subscribe("t").payloads == ["old"])
        publisher.publish("t", "", qos, retain: true, id: 3)
        publisher.publish("t", "", qos, retain: true, id: 4)
        #expect(first.messages() == ["t ", "t "])
        #expect(try broker.client("late", version).subscribe("t").published.isEmpty)
    }

    @Test(arguments: ProtocolVersion.before5)
    func `trap 39: RETAIN is 0 on live messages and 1 on those of a new subscription`(
        version: ProtocolVersion
    ) throws {
        let live = try broker.client("live", version)
        live.subscribe("t")
        try broker.client("p", version).publish("t", "x", retain: true)
        #expect(live.publishes().map(\.retain) == [false])
        #expect(try broker.client("late", version).subscribe("t").published.map(\.retain) == [true])
    }

    @Test(arguments: ProtocolVersion.before5)
    func `trap 39: a bridge before version 5 gets RETAIN as published, and nothing of its own`(
        version: ProtocolVersion
    ) throws {
        let bridge = try broker.client("bridge", version) { $0.isBridge = true }
        bridge.subscribe("#")
        try broker.client("p", version).publish("t", "x", retain: true)
        #expect(bridge.publishes().map(\.retain) == [true])
        bridge.publish("t", "mine", retain: true)
        #expect(bridge.seen().isEmpty)
        let five = try #require(broker.open())
        five.send([0x10, 0x0D, 0, 4, 0x4D, 0x51, 0x54, 0x54, 0x85, 2, 0, 0, 0, 0, 0])
        #expect(broker.flush(five.id).bytes == [0x20, 2, 0, 1])
    }

    @Test(arguments: [false, true], [false, true])
    func `trap 39: in version 5 RETAIN follows Retain As Published`(asked: Bool, retain: Bool) throws {
        let live = try broker.client("live")
        live.subscribe("t") { $0.retainAsPublished = asked }
        try broker.client("p").publish("t", "x", retain: retain)
        #expect(live.publishes().map(\.retain) == [asked && retain])
        let late = try broker.client("late").subscribe("t") { $0.retainAsPublished = asked }
        #expect(late.published.map(\.retain) == (retain ? [true] : []))
    }

    @Test(arguments: [QoS.atLeastOnce, .exactlyOnce])
    func `trap 40: DUP is not passed on from the publisher`(qos: QoS) throws {
        let watcher = try broker.watcher("t", qos)
        try broker.client("p").publish("t", "x", qos) { $0.duplicate = true }
        #expect(watcher.publishes().map(\.duplicate) == [false])
    }

    @Test func `trap 41: a refused message has its code in version 5 and a plain answer before it`() throws {
        for version in ProtocolVersion.allCases {
            let client = try broker.client("c", version)
            client.publish("$SYS/x", "x", .atLeastOnce, id: 3)
            client.publish("$SYS/x", "x", .exactlyOnce, id: 4)
            let seen = client.seen()
            #expect(seen.acknowledged(.puback) == [version == .v5 ? "3 0x87" : "3"])
            #expect(seen.acknowledged(.pubrec) == [version == .v5 ? "4 0x87" : "4"])
            #expect(!client.isClosed)
        }
    }

    @Test func `trap 41: a message without subscribers is acknowledged with success or 0x10`() throws {
        let client = try broker.client("c")
        client.publish("nobody", "x", .atLeastOnce, id: 3)
        #expect([["3"], ["3 0x10"]].contains(client.seen().acknowledged(.puback)))
        #expect(client.subscribe("nobody", .atLeastOnce).codes == [1])
    }
}
