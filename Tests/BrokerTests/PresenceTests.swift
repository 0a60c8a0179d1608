import Foundation
import MQTTCodec
import Testing

@testable import Broker

@Suite struct PresenceTests {
    private let broker = TestBroker()
    private let watcher: TestClient

    init() throws {
        watcher = try #require(broker.open())
        watcher.connect("watcher")
    }

    /// The events seen: the topic's last levels and the body.
    private func events() throws -> [(name: String, body: [String: Any])] {
        try watcher.publishes().map { publish in
            let topic = String(decoding: publish.topic, as: UTF8.self)
            #expect(!publish.retain)
            let body = try JSONSerialization.jsonObject(with: Data(publish.payload)) as? [String: Any]
            return (String(topic.dropFirst("$SYS/brokers/house/clients/".count)), try #require(body))
        }
    }

    @Test func `who comes and goes is told as EMQX tells it`() throws {
        watcher.subscribe("$SYS/brokers/+/clients/+/connected")
        watcher.subscribe("$SYS/brokers/+/clients/+/disconnected")
        let client = try #require(broker.open(listener: "127.0.0.1:1883"))
        client.connect("panel/1", expiry: 60) {
            $0.keepAlive = 30
            $0.userName = Array("anna".utf8)
        }
        let connected = try #require(try events().first)
        #expect(connected.name == "panel%2F1/connected")
        let words = [
            "clientid", "username", "ts", "ipaddress", "sockport", "protocol", "proto_name", "proto_ver",
            "connected_at", "keepalive", "clean_start", "expiry_interval", "connack",
        ]
        #expect(Set(connected.body.keys) == Set(words))
        #expect(connected.body["clientid"] as? String == "panel/1")
        #expect(connected.body["username"] as? String == "anna")
        #expect(connected.body["sockport"] as? Int == 1883)
        #expect(connected.body["proto_ver"] as? Int == 5)
        #expect(connected.body["keepalive"] as? Int == 30)
        #expect(connected.body["clean_start"] as? Bool == true)
        #expect(connected.body["expiry_interval"] as? Int == 60)
        #expect(connected.body["connected_at"] as? Int == 1_772_346_600_000)

        broker.advance(.seconds(3))
        client.disconnect()
        let gone = try #require(try events().first)
        #expect(gone.name == "panel%2F1/disconnected")
        #expect(gone.body["reason"] as? String == "the client disconnected")
        #expect(gone.body["username"] as? String == "anna")
        #expect(gone.body["disconnected_at"] as? Int == 1_772_346_603_000)
    }

    @Test func `who subscribes is told with the options`() throws {
        watcher.subscribe("$SYS/brokers/+/clients/panel/#")
        let client = try #require(broker.open())
        client.connect("panel")
        client.subscribe("a/+", .exactlyOnce) { $0.noLocal = true }
        _ = client.unsubscribe("a/+")
        _ = client.unsubscribe("never")
        let seen = try events()
        #expect(seen.map(\.name) == ["panel/connected", "panel/subscribed", "panel/unsubscribed"])
        #expect(seen[0].body["username"] as? String == "undefined")
        #expect(seen[1].body["topic"] as? String == "a/+")
        let options = seen[1].body["subopts"] as? [String: Int]
        #expect(options == ["qos": 2, "nl": 1, "rap": 0, "rh": 0])
        #expect(seen[2].body["topic"] as? String == "a/+")
    }

    @Test func `a client that takes over sees its own coming after the answer to its CONNECT`() throws {
        let first = try #require(broker.open())
        first.connect("self", expiry: 60)
        first.subscribe("$SYS/brokers/+/clients/self/#", .atLeastOnce)
        let second = try #require(broker.open())
        let seen = second.connect("self", clean: false, expiry: 60)
        guard case .connack = seen.first else { return #expect(Bool(false), "\(seen)") }
        let topics = seen.compactMap { packet -> String? in
            guard case .publish(let publish) = packet else { return nil }
            return String(decoding: publish.topic, as: UTF8.self)
        }
        #expect(
            topics == ["$SYS/brokers/house/clients/self/disconnected", "$SYS/brokers/house/clients/self/connected"])
    }

    @Test func `the gateway's own clients come and go unmentioned`() throws {
        watcher.subscribe("$SYS/brokers/#")
        _ = watcher.seen()
        let inside = try #require(broker.open(isInternal: true))
        inside.connect("$martlet/devices")
        inside.lose()
        #expect(try events().isEmpty)
    }
}
