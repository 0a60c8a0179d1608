import MQTTCodec
import Testing

@testable import Broker

@Suite struct CounterTests {
    @Test func `packets are counted by type in both directions, messages by quality of service`() throws {
        let broker = TestBroker { $0.sysInterval = .zero }
        let receiver = try #require(broker.open())
        receiver.connect("receiver")
        receiver.subscribe("a/#", .atLeastOnce)
        let sender = try #require(broker.open())
        sender.connect("sender")
        sender.publish("a/b", "12345", .atLeastOnce)
        sender.publish("a/b", "123", .exactlyOnce, id: 2)
        sender.publish("a/b", "1")
        sender.publish("nobody", "1")
        sender.acknowledge(.pubrel, 2)
        #expect(receiver.publishes().count == 3)
        receiver.acknowledge(.puback, 1)
        receiver.acknowledge(.puback, 77)
        sender.send([0xC0, 0])
        _ = sender.seen()

        let counters = broker.counters
        #expect(counters.packetsReceived[.connect] == 2)
        #expect(counters.packetsReceived[.publish] == 4)
        #expect(counters.packetsReceived[.puback] == 2)
        #expect(counters.packetsReceived[.pubrel] == 1)
        #expect(counters.packetsReceived.total == 2 + 1 + 4 + 1 + 2 + 1)
        #expect(counters.packetsSent[.connack] == 2)
        #expect(counters.packetsSent[.suback] == 1)
        #expect(counters.packetsSent[.puback] == 1)
        #expect(counters.packetsSent[.pubrec] == 1)
        #expect(counters.packetsSent[.pubcomp] == 1)
        #expect(counters.packetsSent[.pingresp] == 1)
        #expect(counters.packetsMissed[.puback] == 1)
        #expect(counters.allPacketsSent == 2 + 1 + 1 + 1 + 1 + 1 + 3)

        #expect(counters.messagesReceived.payloadBytes == 10)
        #expect(counters.messagesReceived[.exactlyOnce] == 1)
        #expect(counters.messagesSent[.atLeastOnce] == 2)
        #expect(counters.messagesSent[.atMostOnce] == 1)
        #expect(counters.messagesSent.payloadBytes == 9)
        #expect(counters.messagesWithoutSubscriber == 1)
    }

    @Test func `bytes are counted as they come and as they are written`() throws {
        let broker = TestBroker { $0.sysInterval = .zero }
        let client = try #require(broker.open())
        client.send { Connect(version: .v311).encode(into: &$0) }
        let received = broker.counters.bytesReceived
        #expect(received == 14)
        #expect(broker.counters.bytesSent == 0)
        let (written, outcome) = broker.flush(client.id, limit: 3)
        #expect(outcome == .blocked)
        #expect(broker.counters.bytesSent == 3)
        #expect(written.count + broker.flush(client.id).bytes.count == 4)
        #expect(broker.counters.bytesSent == 4)
    }

    @Test func `clients and sockets are those from outside`() throws {
        let broker = TestBroker()
        let inside = try #require(broker.open(isInternal: true))
        inside.connect("$martlet/devices")
        let first = try #require(broker.open())
        first.connect("first")
        let second = try #require(broker.open())
        #expect(broker.counters.sockets == 2)
        #expect(broker.counters.clients == 1)
        #expect(broker.counters.insideClients == 1)
        second.connect("second")
        first.disconnect()
        _ = first.seen()
        inside.lose()
        #expect(broker.counters.sockets == 1)
        #expect(broker.counters.socketsOpened == 2)
        #expect(broker.counters.clients == 1)
        #expect(broker.counters.maximumClients == 2)
        #expect(broker.counters.insideClients == 0)
    }

    @Test func `what somebody did not get is counted by its reason`() throws {
        let broker = TestBroker { $0.queuedMessages = 1 }
        let slow = try #require(broker.open())
        slow.connect("slow", expiry: 100) { $0.properties[number: .maximumPacketSize] = 40 }
        slow.subscribe("a", .atLeastOnce)
        let sender = try #require(broker.open())
        sender.connect("sender")
        sender.publish("a", String(repeating: "x", count: 50))
        slow.lose()
        sender.publish("a", "offline")
        sender.publish("a", "first", .atLeastOnce, id: 1)
        sender.publish("a", "second", .atLeastOnce, id: 2) { $0.properties[number: .messageExpiryInterval] = 1 }
        broker.advance(.seconds(2))
        let back = try #require(broker.open())
        back.connect("slow", clean: false)

        let dropped = broker.counters.dropped
        #expect(dropped[.tooLarge] == 1)
        #expect(dropped[.offlineQoS0] == 1)
        #expect(dropped[.queueFull] == 1)
        #expect(dropped[.expired] == 1)
        #expect(dropped.total == 4)
        // At QoS 0 nobody promised anything to a client that is not there.
        #expect(broker.counters.messagesDropped == 3)
        let reasons = broker.takeEvents().compactMap { event -> DropReason? in
            guard case .dropped("slow", let reason, _) = event else { return nil }
            return reason
        }
        #expect(reasons == [.tooLarge, .queueFull])  // the first, the second; the third is no power of two
    }
}
