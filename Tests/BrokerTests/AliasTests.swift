import MQTTCodec
import Testing

@testable import Broker

struct AliasTests {
    private func client(_ broker: TestBroker, _ name: String, aliases: UInt32 = 0, size: UInt32? = nil) throws
        -> TestClient
    {
        let client = try #require(broker.open())
        client.connect(name) {
            if aliases > 0 { $0.properties[number: .topicAliasMaximum] = aliases }
            if let size { $0.properties[number: .maximumPacketSize] = size }
        }
        return client
    }

    @Test func `CONNACK says how many aliases a client may use`() throws {
        let connack = try #require(TestBroker().open()).connect("five").first
        guard case .connack(let packet) = connack else { return #expect(Bool(false)) }
        #expect(packet.properties[number: .topicAliasMaximum] == 10)
    }

    @Test func `an alias stands for its topic, and for another one once that is said`() throws {
        let broker = TestBroker()
        let publisher = try client(broker, "p")
        let subscriber = try client(broker, "s")
        subscriber.subscribe("#")
        publisher.publish("a/b", "1") { $0.properties[number: .topicAlias] = 10 }
        publisher.publish("", "2") { $0.properties[number: .topicAlias] = 10 }
        publisher.publish("c", "3") { $0.properties[number: .topicAlias] = 10 }
        publisher.publish("", "4", .atLeastOnce) { $0.properties[number: .topicAlias] = 10 }
        #expect(subscriber.messages() == ["a/b 1", "a/b 2", "c 3", "c 4"])
    }

    @Test(arguments: [UInt32(11), 65_535]) func `an alias above the maximum ends the connection`(alias: UInt32) throws {
        let publisher = try client(TestBroker(), "p")
        publisher.publish("t") { $0.properties[number: .topicAlias] = alias }
        #expect(publisher.seen() == [.disconnect(Disconnect(reasonCode: .topicAliasInvalid))])
    }

    @Test func `an alias without a topic is a protocol error, also when another connection gave it one`() throws {
        let broker = TestBroker()
        try client(broker, "other").publish("t") { $0.properties[number: .topicAlias] = 1 }
        let publisher = try client(broker, "p")
        publisher.publish("") { $0.properties[number: .topicAlias] = 1 }
        #expect(publisher.seen() == [.disconnect(Disconnect(reasonCode: .protocolError))])
    }

    @Test func `a client that asks for aliases gets each topic once`() throws {
        let broker = TestBroker()
        let publisher = try client(broker, "p")
        let subscriber = try client(broker, "s", aliases: 2)
        subscriber.subscribe("#", .atLeastOnce)
        let qos: [QoS] = [.atMostOnce, .atLeastOnce, .atMostOnce]
        for (topic, qos) in ["long/topic", "long/other", "long/third"].flatMap({ topic in qos.map { (topic, $0) } }) {
            publisher.publish(topic, "x", qos)
        }
        let seen = subscriber.publishes().map {
            "\(String(decoding: $0.topic, as: UTF8.self))=\($0.properties[number: .topicAlias] ?? 0)"
        }
        #expect(
            seen == [
                "long/topic=1", "=1", "=1", "long/other=2", "=2", "=2", "long/third=0", "long/third=0", "long/third=0",
            ])
    }

    @Test func `a message that was dropped as too large makes no alias known`() throws {
        let broker = TestBroker()
        let publisher = try client(broker, "p")
        let subscriber = try client(broker, "s", aliases: 5, size: 40)
        subscriber.subscribe("#", .atLeastOnce)
        publisher.publish("long/topic", String(repeating: "x", count: 100), .atLeastOnce)
        publisher.publish("long/topic", String(repeating: "x", count: 100))
        publisher.publish("long/topic", "x")
        #expect(subscriber.publishes().map(\.topic) == [Array("long/topic".utf8)])
    }

    @Test func `aliases that are given away go to topics that keep coming`() {
        let aliases = TopicAliases(incomingMaximum: 0, outgoingMaximum: 1)
        let (old, new) = (Array("old/topic".utf8), Array("new/topic".utf8))
        #expect(aliases.alias(for: old.span)?.isKnown == false)
        for _ in 0..<15 { #expect(aliases.alias(for: new.span)?.alias == nil) }
        #expect(aliases.alias(for: new.span)?.isKnown == false)
        #expect(aliases.alias(for: new.span)?.isKnown == true)
        #expect(aliases.alias(for: old.span)?.alias == nil)
    }
}
