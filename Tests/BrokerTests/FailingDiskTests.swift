import MQTTCodec
import Testing

@testable import Broker

/// Subscriptions of sessions that stay, while the disk takes nothing.
@Suite final class FailingDiskTests: JournalBench {
    private func codes(_ seen: [Seen]) -> [ReasonCode]? {
        for case .suback(let suback) in seen { return suback.reasonCodes }
        return nil
    }

    @Test(arguments: [(ProtocolVersion.v5, ReasonCode.quotaExceeded), (.v311, .unspecifiedError)])
    func `a subscription that the disk had to keep is refused at once, and can be made later`(
        version: ProtocolVersion, code: ReasonCode
    ) throws {
        let broker = TestBroker(on: disk)
        let subscriber = try client(broker, "subscriber", version).client
        broker.commit()
        broker.report(.failing("no space left"))
        #expect(codes(subscriber.subscribe("t", .atLeastOnce)) == [code])
        let publisher = try client(broker, "publisher", clean: true, expiry: 0).client
        publisher.publish("t", "x")
        #expect(subscriber.messages().isEmpty)
        broker.report(.recovered)
        #expect(subscriber.subscribe("t", .atLeastOnce).isEmpty)
        broker.commit()
        #expect(codes(subscriber.seen()) == [ReasonCode(rawValue: 1)])
    }

    @Test func `a subscription that ends with its connection needs no disk`() throws {
        let broker = TestBroker(on: disk)
        broker.report(.failing("no space left"))
        let subscriber = try client(broker, "subscriber", clean: true, expiry: 0).client
        #expect(codes(subscriber.subscribe("t", .atLeastOnce)) == [ReasonCode(rawValue: 1)])
    }

    @Test func `what the disk has already is granted again, and stays when a change of it is refused`() throws {
        let broker = TestBroker(on: disk)
        try absent(broker, "subscriber", "t")
        broker.report(.failing("no space left"))
        let subscriber = try client(broker, "subscriber").client
        #expect(codes(subscriber.subscribe("t", .atLeastOnce)) == [ReasonCode(rawValue: 1)])
        #expect(codes(subscriber.subscribe("t", .exactlyOnce)) == [.quotaExceeded])
        let publisher = try client(broker, "publisher", clean: true, expiry: 0).client
        publisher.publish("t", "x")
        #expect(subscriber.messages() == ["t x"])
        #expect(try client(restarted(), "subscriber").connack.sessionPresent)
    }

    @Test func `a subscription whose answer still waits for the disk is not granted a second time`() throws {
        let broker = TestBroker(on: disk)
        let first = try client(broker, "subscriber").client
        #expect(first.subscribe("t", .atLeastOnce).isEmpty)
        broker.beginCommit()
        broker.report(.failing("no space left"))
        first.lose()
        let second = try client(broker, "subscriber").client
        #expect(codes(second.subscribe("t", .atLeastOnce)) == [.quotaExceeded])
        broker.report(.recovered)
        broker.finishCommit()
        broker.commit()
        #expect(second.subscribe("t", .atLeastOnce).isEmpty)
        broker.commit()
        #expect(codes(second.seen()) == [ReasonCode(rawValue: 1)])
    }

    @Test func `with sync off a subscription waits for nothing, and is on the disk when that is back`() throws {
        let broker = TestBroker(on: disk, .off)
        let subscriber = try client(broker, "subscriber").client
        broker.report(.failing("no space left"))
        #expect(codes(subscriber.subscribe("t", .atLeastOnce)) == [ReasonCode(rawValue: 1)])
        broker.report(.recovered)
        broker.advance(.seconds(1))
        broker.commit()
        try expectDelivery(restarted())
    }

    @Test func `an UNSUBACK waits, and what it says is so already`() throws {
        let broker = TestBroker(on: disk)
        try absent(broker, "subscriber", "t")
        let subscriber = try client(broker, "subscriber").client
        broker.commit()
        broker.report(.failing("no space left"))
        #expect(subscriber.unsubscribe("t").isEmpty)
        let publisher = try client(broker, "publisher", clean: true, expiry: 0).client
        publisher.publish("t", "x")
        #expect(subscriber.messages().isEmpty)
        broker.report(.recovered)
        broker.commit()
        #expect(subscriber.seen().count == 1)
    }

    @Test func `who waits for the disk when it fails goes on waiting, and what follows waits behind it`() throws {
        let broker = TestBroker(on: disk)
        try absent(broker, "away", "kept")
        let publisher = try client(broker, "publisher", clean: true, expiry: 0).client
        publisher.publish("kept", "1", .atLeastOnce, id: 1)
        broker.beginCommit()
        broker.report(.failing("no space left"))
        publisher.publish("kept", "2", .atLeastOnce, id: 2)
        publisher.publish("other", "3", .atLeastOnce, id: 3)
        #expect(publisher.seen().isEmpty)
        broker.report(.recovered)
        broker.finishCommit()
        #expect(
            publisher.seen() == [
                .acknowledgement(.puback, Acknowledgement(packetID: 1)),
                .acknowledgement(.puback, Acknowledgement(packetID: 2, reasonCode: .quotaExceeded)),
                .acknowledgement(.puback, Acknowledgement(packetID: 3)),
            ])
    }

    @Test func `what the gateway itself publishes does not pile up once its receivers have it`() throws {
        let broker = TestBroker(on: disk)
        try absent(broker, "subscriber", "t")
        let present = try client(broker, "present").client
        present.subscribe("devices", .atLeastOnce)
        broker.commit()
        _ = present.seen()
        let devices = try #require(broker.open { $0.isInternal = true })
        devices.connect("$martlet/devices")
        devices.publish("devices", "first", .atLeastOnce, id: 1)
        broker.beginCommit()
        broker.report(.failing("no space left"))
        for id in 2...UInt16(200) { devices.publish("devices", "x", .atLeastOnce, id: id) }
        devices.publish("t", "x", .atLeastOnce, id: 201)
        var count = 0
        while case let messages = present.publishes(), !messages.isEmpty {
            count += messages.count
            for message in messages { present.acknowledge(.puback, message.packetID) }
        }
        #expect(count == 200)
        #expect(acknowledgements(devices.seen(), .puback).count == 200)
        #expect(broker.waitingForJournal == 200)
        broker.advance(.seconds(61))
        #expect(broker.waitingForJournal == 1)
        broker.report(.recovered)
        broker.finishCommit()
        broker.commit()
        #expect(acknowledgements(devices.seen(), .puback) == [201])
        try expectDelivery(restarted(), ["t x", "t x"])
    }

    /// The session of `subscriber` is there and gets what is published.
    private func expectDelivery(_ broker: TestBroker, _ messages: [String] = ["t x"]) throws {
        let publisher = try client(broker, "publisher", clean: true, expiry: 0).client
        publisher.publish("t", "x", .atLeastOnce, id: 1)
        let (_, connack, after) = try client(broker, "subscriber")
        #expect(connack.sessionPresent)
        #expect(TestClient.messages(after) == messages)
    }
}
