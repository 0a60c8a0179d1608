import Bytes
import MQTTCodec
import Testing

@testable import Broker

/// What is there after the power was cut.
@Suite final class JournalRestartTests: JournalBench {
    @Test func `sessions, subscriptions and queues are there after the power was cut`() throws {
        let broker = TestBroker(on: disk)
        try absent(broker, "away", "t/#")
        let publisher = try client(broker, "publisher", clean: true, expiry: 0).client
        for id in 1...UInt16(20) { publisher.publish("t/\(id)", "\(id)", .atLeastOnce, id: id) }
        broker.commit()
        #expect(publisher.seen().count == 20)
        let next = restarted()
        let back = try client(next, "away")
        #expect(back.connack.sessionPresent)
        #expect(TestClient.messages(back.after) == (1...20).map { "t/\($0) \($0)" })
        let other = try client(next, "publisher", clean: true, expiry: 0).client
        other.publish("t/new", "21", .atLeastOnce, id: 1)
        #expect(back.client.messages() == ["t/new 21"])
    }

    @Test func `what was acknowledged by its receiver does not come again after a restart`() throws {
        let broker = TestBroker(on: disk)
        try absent(broker, "away", "t")
        let publisher = try client(broker, "publisher", clean: true, expiry: 0).client
        for id in 1...UInt16(5) { publisher.publish("t", "\(id)", .atLeastOnce, id: id) }
        broker.commit()
        let back = try client(broker, "away")
        for message in publishes(back.after).prefix(3) { back.client.acknowledge(.puback, message.packetID) }
        broker.advance(.seconds(1))
        broker.commit()
        let again = try client(restarted(), "away")
        #expect(TestClient.messages(again.after) == ["t 4", "t 5"])
    }

    @Test func `what was on its way comes again under its own identifier and as a duplicate`() throws {
        let broker = TestBroker(on: disk)
        try absent(broker, "away", "t")
        let publisher = try client(broker, "publisher", clean: true, expiry: 0).client
        for id in 1...UInt16(3) { publisher.publish("t", "\(id)", .atLeastOnce, id: id) }
        broker.commit()
        let back = try client(broker, "away")
        back.client.acknowledge(.puback, publishes(back.after)[0].packetID)
        broker.advance(.seconds(1))
        broker.commit()
        let again = publishes(try client(restarted(), "away").after)
        #expect(again.map(\.packetID) == publishes(back.after).dropFirst().map(\.packetID))
        #expect(again.allSatisfy { $0.duplicate })
    }

    @Test func `a subscription that was taken back stays taken back`() throws {
        let broker = TestBroker(on: disk)
        let subscriber = try client(broker, "subscriber").client
        subscriber.subscribe("a", .atLeastOnce)
        subscriber.subscribe("b", .atLeastOnce)
        broker.commit()
        _ = subscriber.unsubscribe("a")
        broker.commit()
        let next = restarted()
        let back = try client(next, "subscriber").client
        let publisher = try client(next, "publisher", clean: true, expiry: 0).client
        publisher.publish("a", "1")
        publisher.publish("b", "2")
        #expect(back.messages() == ["b 2"])
    }

    @Test func `the options and the identifier of a subscription are kept`() throws {
        let broker = TestBroker(on: disk)
        let subscriber = try client(broker, "subscriber").client
        subscriber.subscribe("a", .atLeastOnce, identifier: 77) {
            $0.noLocal = true
            $0.retainAsPublished = true
        }
        broker.commit()
        let next = restarted()
        let back = try client(next, "subscriber").client
        back.publish("a", "own")
        let publisher = try client(next, "publisher", clean: true, expiry: 0).client
        publisher.publish("a", "other", retain: true)
        let seen = back.publishes()
        #expect(seen.count == 1)
        #expect(seen.first?.retain == true)
        #expect(seen.first?.properties.subscriptionIdentifiers == [77])
    }

    @Test func `shared subscriptions are kept`() throws {
        let broker = TestBroker(on: disk)
        for id in ["one", "two"] { try absent(broker, id, "$share/group/t") }
        let next = restarted()
        let members = try [client(next, "one").client, client(next, "two").client]
        let publisher = try client(next, "publisher", clean: true, expiry: 0).client
        for number in 1...4 { publisher.publish("t", "\(number)") }
        #expect(members.map { $0.messages().count } == [2, 2])
    }

    @Test func `a session that ended is not there any more`() throws {
        let broker = TestBroker(on: disk)
        try absent(broker, "away", "t")
        try client(broker, "away", clean: true, expiry: 0).client.disconnect()
        broker.advance(.seconds(1))
        broker.commit()
        #expect(try !client(restarted(), "away").connack.sessionPresent)
    }

    @Test func `a session's expiry goes on while the gateway is off`() throws {
        let broker = TestBroker(on: disk)
        let away = try client(broker, "away", expiry: 100).client
        broker.commit()
        away.lose()
        broker.advance(.seconds(1))
        broker.commit()
        #expect(try client(restarted(after: 90_000), "away").connack.sessionPresent)
        #expect(try !client(restarted(after: 110_000), "away").connack.sessionPresent)
    }

    @Test func `a message's expiry goes on while the gateway is off`() throws {
        let broker = TestBroker(on: disk)
        try absent(broker, "away", "t")
        let publisher = try client(broker, "publisher", clean: true, expiry: 0).client
        publisher.publish("t", "short", .atLeastOnce, id: 1) { $0.properties[number: .messageExpiryInterval] = 60 }
        publisher.publish("t", "long", .atLeastOnce, id: 2) { $0.properties[number: .messageExpiryInterval] = 600 }
        broker.commit()
        let seen = publishes(try client(restarted(after: 100_000), "away").after)
        #expect(seen.map { String(decoding: $0.payload, as: UTF8.self) } == ["long"])
        #expect(seen.first?.properties[number: .messageExpiryInterval] == 500)
    }

    @Test func `a clock that is not set yet makes nothing older`() throws {
        let broker = TestBroker(on: disk)
        try absent(broker, "away", "t")
        let publisher = try client(broker, "publisher", clean: true, expiry: 0).client
        publisher.publish("t", "x", .atLeastOnce, id: 1) { $0.properties[number: .messageExpiryInterval] = 60 }
        broker.commit()
        disk.cut(keepingWhatIsUnderWay: false)
        let next = TestBroker(on: disk, wall: 1_000)
        #expect(publishes(try client(next, "away").after).first?.properties[number: .messageExpiryInterval] == 60)
    }

    @Test func `what other parts of the gateway keep under a name is there`() {
        let broker = TestBroker(on: disk)
        broker.keep([1], for: "counter")
        broker.keep([2], for: "counter")
        broker.commit()
        broker.report(.snapshotWanted)
        broker.commit()
        // It ends behind the commit that follows its last part.
        broker.commit()
        #expect(disk.snapshots == 1)
        #expect(restarted().keptValue(for: "counter") == [2])
    }

    // MARK: retained messages and wills

    @Test func `a retained message is there with all its properties`() throws {
        let broker = TestBroker(on: disk)
        let publisher = try client(broker, "publisher", clean: true, expiry: 0).client
        publisher.publish("t", "x", .atLeastOnce, retain: true, id: 3) {
            $0.properties.userProperties = [
                .init(name: Array("b".utf8), value: Array("1".utf8)),
                .init(name: Array("a".utf8), value: Array("2".utf8)),
            ]
            $0.properties[bytes: .contentType] = Array("text/plain".utf8)
        }
        #expect(publisher.seen().isEmpty)
        broker.commit()
        #expect(acknowledgements(publisher.seen(), .puback) == [3])
        let reader = try client(restarted(), "reader", clean: true, expiry: 0).client
        let message = try #require(publishes(reader.subscribe("t", .atLeastOnce)).first)
        #expect(message.properties.userProperties.map(\.name) == [Array("b".utf8), Array("a".utf8)])
        #expect(message.properties[bytes: .contentType] == Array("text/plain".utf8))
        #expect(message.retain)
    }

    @Test func `a retained message that was taken away does not come back`() throws {
        let broker = TestBroker(on: disk)
        let publisher = try client(broker, "publisher", clean: true, expiry: 0).client
        publisher.publish("t", "x", .atLeastOnce, retain: true, id: 3)
        broker.commit()
        publisher.publish("t", "", .atLeastOnce, retain: true, id: 4)
        broker.commit()
        let reader = try client(restarted(), "reader", clean: true, expiry: 0).client
        #expect(publishes(reader.subscribe("t")).isEmpty)
    }

    @Test func `what is retained at QoS 0 costs nothing at once, and is on the disk within a minute`() throws {
        let broker = TestBroker(on: disk)
        let publisher = try client(broker, "publisher", clean: true, expiry: 0).client
        for number in 1...100 { publisher.publish("t", "\(number)", retain: true) }
        broker.commit()
        #expect(disk.commits == 0)
        broker.advance(.seconds(61))
        broker.advance(.seconds(1))
        broker.commit()
        #expect(disk.commits == 1)
        #expect(disk.writtenBytes < 60)
        let reader = try client(restarted(), "reader", clean: true, expiry: 0).client
        #expect(TestClient.messages(reader.subscribe("t")) == ["t 100"])
    }

    @Test func `what the gateway itself had retained is not taken for a value after a restart`() throws {
        let broker = TestBroker(on: disk)
        try absent(broker, "away", "reading")
        let devices = try #require(broker.open(isInternal: true))
        devices.connect("$martlet/devices")
        devices.publish("reading", "230", .atLeastOnce, retain: true, id: 1)
        devices.publish("state", "online", retain: true)
        broker.commit()
        #expect(acknowledgements(devices.seen(), .puback) == [1])
        broker.advance(.seconds(61))
        broker.advance(.seconds(1))
        broker.commit()
        let next = restarted()
        let reader = try client(next, "reader", clean: true, expiry: 0).client
        #expect(TestClient.messages(reader.subscribe("#")).isEmpty)
        #expect(TestClient.messages(try client(next, "away").after) == ["reading 230"])
    }

    @Test func `a will that waits for its delay goes after a restart, at its time`() throws {
        let broker = TestBroker(on: disk)
        try absent(broker, "watcher", "will")
        let client = try #require(broker.open())
        client.connect("dying", clean: false, expiry: 3_600) {
            $0.will = Connect.Will(topic: Array("will".utf8), payload: Array("gone".utf8), qos: .atLeastOnce)
            $0.will?.properties[number: .willDelayInterval] = 100
        }
        client.lose()
        broker.advance(.seconds(40))
        broker.commit()
        let next = restarted(after: 50_000)
        let watcher = try self.client(next, "watcher").client
        next.advance(.seconds(40))
        #expect(watcher.messages().isEmpty)
        next.advance(.seconds(20))
        #expect(watcher.messages() == ["will gone"])
    }

    @Test func `a will with a delay waits through a restart in order, and not if its client is back in time`() throws {
        let broker = TestBroker(on: disk)
        try absent(broker, "watcher", "will")
        for id in ["late", "back"] {
            try #require(broker.open()).connect(id, clean: false, expiry: 3_600) {
                $0.will = Connect.Will(topic: Array("will".utf8), payload: Array(id.utf8), qos: .atLeastOnce)
                $0.will?.properties[number: .willDelayInterval] = 100
            }
        }
        broker.shutDown()
        broker.advance(.seconds(1))
        broker.commit()
        let next = restarted(after: 11_000)
        let watcher = try client(next, "watcher").client
        _ = try client(next, "back")
        next.advance(.seconds(100))
        #expect(watcher.messages() == ["will late"])
    }

    @Test func `the will of a client that was connected when the power went is published after the restart`() throws {
        let broker = TestBroker(on: disk)
        try absent(broker, "watcher", "will")
        let client = try #require(broker.open())
        client.connect("dying", clean: true) {
            $0.will = Connect.Will(topic: Array("will".utf8), payload: Array("gone".utf8), qos: .atLeastOnce)
        }
        broker.advance(.seconds(1))
        broker.commit()
        let watcher = try self.client(restarted(), "watcher")
        #expect(TestClient.messages(watcher.after) == ["will gone"])
    }
}
