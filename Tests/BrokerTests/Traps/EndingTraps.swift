import MQTTCodec
import Testing

@testable import Broker

/// Traps 69 to 75: how a connection ends, what becomes of its will, and what stays.
@Suite struct EndingTraps {
    private let broker = TestBroker()

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 69: a plain DISCONNECT takes the will away, everything else publishes it`(
        version: ProtocolVersion
    ) throws {
        let watcher = try broker.watcher("will")
        let endings: [(String, Bool, (TestClient) -> Void)] = [
            ("goodbye", false, { $0.disconnect() }), ("lost", true, { $0.lose() }),
            ("malformed", true, { $0.send([0x36, 2, 0, 0]) }), ("not for clients", true, { $0.send([0xD0, 0]) }),
            ("taken over", true, { _ in _ = try? self.broker.client("c", version) }),
            ("silence", true, { _ in self.broker.advance(.seconds(100)) }),
        ]
        for (name, isPublished, end) in endings {
            let client = try broker.client("c", version) {
                $0.will = will(name)
                $0.keepAlive = 10
            }
            end(client)
            #expect(watcher.messages() == (isPublished ? ["will \(name)"] : []))
        }
    }

    @Test(arguments: [0x04, 0x80, 0x81, 0x82, 0x93, 0x98] as [UInt8])
    func `trap 69: a DISCONNECT with another reason than 0 publishes the will`(code: UInt8) throws {
        let watcher = try broker.watcher("will")
        try broker.client("c") { $0.will = will("asked for") }.disconnect(ReasonCode(rawValue: code))
        #expect(watcher.messages() == ["will asked for"])
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 69: when the server stops, wills reach whoever is still there`(version: ProtocolVersion) throws {
        let watcher = try broker.watcher("will")
        let inside = try #require(broker.open(isInternal: true))
        inside.connect("$martlet/inside")
        inside.subscribe("will")
        try broker.client("away", expiry: 100) { $0.will = will("waiting", delay: 50) }.lose()
        _ = try broker.client("c", version) { $0.will = will("connected") }
        try broker.client("gone", version) { $0.will = will("polite") }.disconnect()
        broker.shutDown()
        let seen = watcher.seen()
        #expect(Set(TestClient.messages(seen)) == ["will waiting", "will connected"])
        #expect(seen.last == .disconnect(Disconnect(reasonCode: .serverShuttingDown)))
        #expect(inside.messages().count == 2)
        broker.advance(.seconds(100))
        #expect(inside.messages().isEmpty)
    }

    // Will delay, session expiry, and when the will comes.
    @Test(
        arguments: [(0, 100, 0), (10, 100, 10), (100, 10, 10), (100, 0, 0), (10, UInt32.max, 10)]
            as [(UInt32, UInt32, Int)])
    func `trap 70: a will waits for its delay or the end of its session, whichever is first`(
        delay: UInt32, expiry: UInt32, seconds: Int
    ) throws {
        let watcher = try broker.watcher("will")
        try broker.client("c", expiry: expiry) { $0.will = will("x", delay: delay) }.lose()
        if seconds > 0 {
            broker.advance(.seconds(seconds) - .milliseconds(1))
            #expect(watcher.messages().isEmpty)
            broker.advance(.milliseconds(1))
        }
        #expect(watcher.messages() == ["will x"])
        broker.advance(.seconds(1_000))
        #expect(watcher.messages().isEmpty)
    }

    @Test func `trap 70: a client that is back before the delay has passed takes its will away`() throws {
        let watcher = try broker.watcher("will")
        try broker.client("c", expiry: 100) { $0.will = will("x", delay: 10) }.lose()
        broker.advance(.seconds(9))
        _ = try broker.client("c", clean: false, expiry: 100)
        broker.advance(.seconds(200))
        #expect(watcher.messages().isEmpty)
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 71: a DISCONNECT with flags is malformed and the will is published`(version: ProtocolVersion) throws {
        let watcher = try broker.watcher("will")
        let client = try broker.client("c", version) { $0.will = will("x") }
        client.send([0xE1, 0])
        #expect(client.seen().disconnectCode == (version == .v5 ? .malformedPacket : nil))
        #expect(client.isClosed)
        #expect(watcher.messages() == ["will x"])
    }

    @Test func `trap 71: the broker's DISCONNECT has no session expiry`() throws {
        let client = try broker.client("c", expiry: 100)
        client.send([0xD0, 0])
        guard case .disconnect(let disconnect)? = client.seen().last else {
            Issue.record("no DISCONNECT")
            return
        }
        #expect(disconnect.properties[number: .sessionExpiryInterval] == nil)
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 72: retained messages and retained wills outlive sessions and clean starts`(
        version: ProtocolVersion
    ) throws {
        let client = try broker.client("c", version) { $0.will = will("kept", retain: true) }
        client.publish("t", "kept", retain: true)
        client.lose()
        let again = try broker.client("c", version)
        #expect(again.subscribe("t").payloads == ["kept"])
        #expect(again.subscribe("will").payloads == ["kept"])
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 73: QoS 1 and 2 wait for a session that is away`(version: ProtocolVersion) throws {
        let expiry: UInt32? = version == .v5 ? 100 : nil
        let away = try broker.client("away", version, clean: false, expiry: expiry)
        away.subscribe("t", .exactlyOnce)
        away.lose()
        let publisher = try broker.client("p")
        for (id, qos) in QoS.allCases.enumerated() { publisher.publish("t", "\(id)", qos, id: UInt16(id)) }
        #expect(publisher.seen().acknowledged(.puback) == ["1"])
        let back = try #require(broker.open())
        #expect(back.connect("away", version, clean: false, expiry: expiry).payloads == ["1", "2"])
    }

    @Test func `trap 73: a full queue is its subscriber's loss and counted`() throws {
        let broker = TestBroker { $0.queuedMessages = 2 }
        let away = try broker.client("away", expiry: 100)
        away.subscribe("t", .atLeastOnce)
        away.lose()
        let other = try broker.watcher("t", .atLeastOnce)
        let publisher = try broker.client("p")
        for id in 1...5 as ClosedRange<UInt16> { publisher.publish("t", "\(id)", .atLeastOnce, id: id) }
        #expect(publisher.seen().acknowledged(.puback) == ["1", "2", "3", "4", "5"])
        #expect(other.messages().count == 5)
        #expect(broker.counters.messagesDropped == 3)
    }

    @Test(arguments: [PacketType.connack, .disconnect])
    func `trap 75: after a refusal the bytes leave first and then the connection is closed`(type: PacketType) throws {
        let client = try #require(broker.open(anonymous: type == .disconnect))
        client.version = .v5
        client.send(connectFlags: 2, .v5)
        if type == .disconnect { client.send([0xD0, 0]) }
        var bytes: [UInt8] = []
        var outcome = BrokerState.FlushOutcome.blocked
        while outcome == .blocked {
            let part = broker.flush(client.id, limit: 1)
            bytes += part.bytes
            outcome = part.outcome
        }
        #expect(outcome == .close)
        let seen = client.decode(bytes)
        #expect(type == .connack ? seen.connack?.reasonCode.isError == true : seen.disconnectCode == .protocolError)
        client.send([0xC0, 0])
        #expect(client.seen().isEmpty)
    }
}
