import Bytes
import MQTTCodec
import Testing

@testable import Broker

/// "Acknowledged means durable": what waits for the disk, and what does not.
@Suite final class JournalTests: JournalBench {
    // MARK: what waits

    @Test func `PUBACK for a message that an absent session must get comes after its commit`() throws {
        let broker = TestBroker(on: disk)
        try absent(broker, "away", "t")
        let publisher = try client(broker, "publisher", clean: true, expiry: 0).client
        publisher.publish("t", "x", .atLeastOnce, id: 5)
        #expect(publisher.seen().isEmpty)
        broker.beginCommit()
        #expect(publisher.seen().isEmpty)
        broker.finishCommit()
        #expect(acknowledgements(publisher.seen(), .puback) == [5])
    }

    @Test func `PUBREC waits as well`() throws {
        let broker = TestBroker(on: disk)
        try absent(broker, "away", "t", .exactlyOnce)
        let publisher = try client(broker, "publisher").client
        broker.commit()
        publisher.publish("t", "x", .exactlyOnce, id: 5)
        #expect(publisher.seen().isEmpty)
        broker.commit()
        #expect(acknowledgements(publisher.seen(), .pubrec) == [5])
    }

    @Test(arguments: [QoS.atLeastOnce, .exactlyOnce], [false, true])
    func `what takes a retained message away waits as well, and the message stays away`(qos: QoS, isHeard: Bool) throws
    {
        let broker = TestBroker(on: disk)
        let listener = try client(broker, "listener").client
        if isHeard { listener.subscribe("t", .atLeastOnce) }
        let publisher = try client(broker, "publisher", clean: true, expiry: 0).client
        publisher.publish("t", "x", .atLeastOnce, retain: true, id: 5)
        broker.commit()
        for message in listener.publishes() { listener.acknowledge(.puback, message.packetID) }
        broker.commit()
        _ = publisher.seen()
        publisher.publish("t", "", qos, retain: true, id: 6)
        // Its receiver has it; the disk has not.
        for message in listener.publishes() { listener.acknowledge(.puback, message.packetID) }
        #expect(publisher.seen().isEmpty)
        // Nothing is there any more for the second one, but the first one's end is not on the disk either.
        let other = try client(broker, "other", clean: true, expiry: 0).client
        other.publish("t", "", .atLeastOnce, retain: true, id: 7)
        #expect(other.seen().isEmpty)
        broker.beginCommit()
        #expect(publisher.seen().isEmpty)
        broker.finishCommit()
        #expect(acknowledgements(publisher.seen(), qos == .atLeastOnce ? .puback : .pubrec) == [6])
        broker.commit()
        #expect(acknowledgements(other.seen(), .puback) == [7])
        broker.commit()
        other.publish("t", "", .atLeastOnce, retain: true, id: 8)
        // The disk is up to date, so that only a listener could make it wait.
        #expect(acknowledgements(other.seen(), .puback) == (isHeard ? [] : [8]))
        #expect(try client(restarted(), "late").client.subscribe("t").published.isEmpty)
    }

    @Test func `nothing waits when nobody's session outlives its connection`() throws {
        let broker = TestBroker(on: disk)
        let subscriber = try client(broker, "subscriber", clean: true, expiry: 0).client
        subscriber.subscribe("t", .exactlyOnce)
        let publisher = try client(broker, "publisher", clean: true, expiry: 0).client
        broker.commit()
        let commits = disk.commits
        publisher.publish("t", "x", .atLeastOnce, id: 5)
        #expect(acknowledgements(publisher.seen(), .puback) == [5])
        #expect(subscriber.messages() == ["t x"])
        broker.advance(.seconds(10))
        broker.commit()
        #expect(disk.commits == commits)
    }

    @Test func `a message that its receiver acknowledges before the commit is not written`() throws {
        let broker = TestBroker(on: disk, .within(.milliseconds(50)))
        let subscriber = try client(broker, "subscriber").client
        subscriber.subscribe("t", .atLeastOnce)
        broker.advance(.milliseconds(50))
        broker.commit()
        _ = subscriber.seen()
        let publisher = try client(broker, "publisher", clean: true, expiry: 0).client
        publisher.publish("t", "a payload to look for", .atLeastOnce, id: 5)
        #expect(publisher.seen().isEmpty)
        let message = try #require(subscriber.publishes().first)
        subscriber.acknowledge(.puback, message.packetID)
        #expect(acknowledgements(publisher.seen(), .puback) == [5])
        broker.advance(.seconds(2))
        broker.commit()
        let text = Array("a payload to look for".utf8)
        #expect(
            !disk.batches.contains { batch in
                batch.indices.contains { batch[$0...].starts(with: text) }
            })
        #expect(try client(restarted(), "subscriber").after.isEmpty)
    }

    @Test func `acknowledgements keep the order of their messages`() throws {
        let broker = TestBroker(on: disk)
        try absent(broker, "away", "kept")
        let publisher = try client(broker, "publisher", clean: true, expiry: 0).client
        publisher.publish("kept", "1", .atLeastOnce, id: 1)
        publisher.publish("nobody", "2", .atLeastOnce, id: 2)
        publisher.publish("kept", "3", .atLeastOnce, id: 3)
        #expect(publisher.seen().isEmpty)
        broker.commit()
        #expect(acknowledgements(publisher.seen(), .puback) == [1, 2, 3])
        publisher.publish("nobody", "4", .atLeastOnce, id: 4)
        #expect(acknowledgements(publisher.seen(), .puback) == [4])
    }

    @Test func `a ping is answered while an acknowledgement waits`() throws {
        let broker = TestBroker(on: disk)
        try absent(broker, "away", "t")
        let publisher = try client(broker, "publisher", clean: true, expiry: 0).client
        publisher.publish("t", "1", .atLeastOnce, id: 1)
        publisher.send { Ping.encode(.pingreq, into: &$0) }
        #expect(publisher.seen() == [.pingresp])
    }

    @Test func `a commit waits as long as it may, and no longer when a publisher waits for many answers`() throws {
        let broker = TestBroker(on: disk, .within(.milliseconds(50)))
        try absent(broker, "away", "t")
        broker.advance(.seconds(2))
        broker.commit()
        let publisher = try client(broker, "publisher", clean: true, expiry: 0).client
        publisher.publish("t", "1", .atLeastOnce, id: 1)
        #expect(broker.commitDueAt == broker.now + .milliseconds(50))
        for id in 2...UInt16(JournalState.mostWaitingOfOne) { publisher.publish("t", "x", .atLeastOnce, id: id) }
        #expect(broker.commitDueAt == broker.now)
    }

    @Test func `SUBACK and UNSUBACK of a session that stays wait for the disk`() throws {
        let broker = TestBroker(on: disk)
        let subscriber = try client(broker, "subscriber").client
        #expect(subscriber.subscribe("t", .atLeastOnce).isEmpty)
        broker.commit()
        #expect(subscriber.seen().count == 1)
        #expect(subscriber.unsubscribe("t").isEmpty)
        broker.commit()
        #expect(subscriber.seen().count == 1)
    }

    @Test func `PUBACK waits for a client inside that keeps messages itself`() throws {
        let broker = TestBroker(on: disk)
        let bridge = try #require(
            broker.open {
                $0.isInternal = true
                $0.keepsMessages = true
            })
        bridge.connect("$martlet/bridge")
        bridge.subscribe("t", .atLeastOnce)
        let publisher = try client(broker, "publisher", clean: true, expiry: 0).client
        publisher.publish("t", "x", .atLeastOnce, id: 5)
        broker.commit()
        #expect(publisher.seen().isEmpty)
        let message = try #require(bridge.publishes().first)
        bridge.acknowledge(.puback, message.packetID)
        #expect(acknowledgements(publisher.seen(), .puback) == [5])
    }

    @Test func `with sync off nothing waits, and the journal is written all the same`() throws {
        let broker = TestBroker(on: disk, .off)
        try absent(broker, "away", "t")
        broker.advance(.seconds(1))
        broker.commit()
        let publisher = try client(broker, "publisher", clean: true, expiry: 0).client
        publisher.publish("t", "x", .atLeastOnce, id: 5)
        #expect(acknowledgements(publisher.seen(), .puback) == [5])
        broker.advance(.seconds(1))
        broker.commit()
        #expect(publishes(try client(restarted(), "away").after).count == 1)
    }

    // MARK: a disk that takes nothing

    @Test func `while the disk takes nothing, what it had to keep is refused with 0x97 and the rest goes on`() throws {
        let broker = TestBroker(on: disk)
        try absent(broker, "away", "kept")
        let publisher = try client(broker, "publisher", clean: true, expiry: 0).client
        broker.report(.failing("no space left"))
        publisher.publish("kept", "x", .atLeastOnce, id: 1)
        publisher.publish("other", "x", .atLeastOnce, id: 2)
        #expect(
            publisher.seen() == [
                .acknowledgement(.puback, Acknowledgement(packetID: 1, reasonCode: .quotaExceeded)),
                .acknowledgement(.puback, Acknowledgement(packetID: 2)),
            ])
        broker.report(.recovered)
        publisher.publish("kept", "x", .atLeastOnce, id: 3)
        broker.commit()
        #expect(acknowledgements(publisher.seen(), .puback) == [3])
    }

    @Test func `a 3 1 1 publisher is not read while the disk takes nothing, and loses nothing`() throws {
        let broker = TestBroker(on: disk)
        try absent(broker, "away", "kept")
        let publisher = try client(broker, "publisher", .v311, clean: true).client
        broker.report(.failing("no space left"))
        for id in 1...UInt16(3) { publisher.publish("kept", "\(id)", .atLeastOnce, id: id) }
        #expect(publisher.seen().isEmpty)
        #expect(broker.readingChanges() == [publisher.id: false])
        broker.report(.recovered)
        broker.commit()
        #expect(broker.readingChanges() == [publisher.id: true])
        broker.commit()
        #expect(acknowledgements(publisher.seen(), .puback) == [1, 2, 3])
        #expect(TestClient.messages(try client(restarted(), "away").after) == ["kept 1", "kept 2", "kept 3"])
    }
}
