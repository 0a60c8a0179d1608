import MQTTCodec
import Testing

@testable import Broker

@Suite struct ConnectingTests {
    @Test(arguments: ProtocolVersion.allCases)
    func `a client that connects is answered with success and no session`(version: ProtocolVersion) throws {
        let client = try #require(TestBroker().open())
        guard case .connack(let connack)? = client.connect("a", version).first else {
            Issue.record("no CONNACK")
            return
        }
        #expect(connack.reasonCode == .success)
        #expect(!connack.sessionPresent)
        #expect(connack.properties[bytes: .assignedClientIdentifier] == nil)
    }

    @Test func `an empty client id gets one of its own in version 5`() throws {
        let client = try #require(TestBroker().open())
        guard case .connack(let connack)? = client.connect("", clean: false).first else {
            Issue.record("no CONNACK")
            return
        }
        #expect(connack.properties[bytes: .assignedClientIdentifier]?.isEmpty == false)
    }

    @Test func `an empty client id with a session to keep is refused in 3 1 1`() throws {
        let client = try #require(TestBroker().open())
        #expect(client.connect("", .v311, clean: false) == [.connack(Connack(reasonCode: .clientIdentifierNotValid))])
        #expect(client.isClosed)
    }

    @Test func `an unknown protocol level is told so and closed`() throws {
        let client = try #require(TestBroker().open())
        client.send([0x10, 0x0C, 0, 4, 0x4D, 0x51, 0x54, 0x54, 6, 2, 0, 0, 0, 0])
        #expect(client.broker.flush(client.id).bytes == [0x20, 2, 0, 1])
    }

    @Test func `a first packet that is not CONNECT is closed without an answer`() throws {
        let client = try #require(TestBroker().open())
        client.send([0xC0, 0])
        #expect(client.seen().isEmpty)
        #expect(client.isClosed)
    }

    @Test func `a malformed CONNECT is closed without an answer`() throws {
        let client = try #require(TestBroker().open())
        client.send([0x10, 0x0C, 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 3, 0, 0, 0, 0])
        #expect(client.seen().isEmpty)
        #expect(client.isClosed)
    }

    @Test func `packets behind a refused CONNECT have no effect`() throws {
        let broker = TestBroker()
        let watcher = try #require(broker.open())
        watcher.connect("watcher")
        watcher.subscribe("#")
        let client = try #require(broker.open(anonymous: false))
        var bytes: [UInt8] = []
        var connect = Connect(version: .v5)
        connect.clientID = Array("b".utf8)
        connect.encode(into: &bytes)
        Publish(topic: Array("t".utf8), payload: []).encode(into: &bytes, version: .v5)
        client.send(bytes)
        guard case .connack(let connack)? = client.seen().first else {
            Issue.record("no CONNACK")
            return
        }
        #expect(connack.reasonCode == .notAuthorized)
        #expect(watcher.messages().isEmpty)
    }

    @Test func `packets behind a good CONNECT are handled in order after the CONNACK`() throws {
        let client = try #require(TestBroker().open())
        var bytes: [UInt8] = []
        var connect = Connect(version: .v5)
        connect.clientID = Array("c".utf8)
        connect.encode(into: &bytes)
        Subscribe(packetID: 1, requests: [.init(filter: Array("t".utf8), qos: .atMostOnce)])
            .encode(into: &bytes, version: .v5)
        Publish(topic: Array("t".utf8), payload: [1]).encode(into: &bytes, version: .v5)
        client.send(bytes)
        let seen = client.seen()
        #expect(seen.count == 3)
        guard case .connack = seen.first, case .publish = seen.last else {
            Issue.record("order is wrong: \(seen)")
            return
        }
    }

    @Test func `the same client id again takes over and the old connection is told`() throws {
        let broker = TestBroker()
        let old = try #require(broker.open())
        old.connect("twin")
        let new = try #require(broker.open())
        new.connect("twin")
        #expect(old.seen() == [.disconnect(Disconnect(reasonCode: .sessionTakenOver))])
        #expect(old.isClosed)
        #expect(!new.isClosed)
        #expect(broker.counters.clients == 1)
        #expect(broker.takeEvents().contains(.takenOver(client: "twin", by: "test", from: "test")))
    }

    @Test func `a second CONNECT is a protocol error and publishes the will`() throws {
        let broker = TestBroker()
        let watcher = try #require(broker.open())
        watcher.connect("watcher")
        watcher.subscribe("will")
        let client = try #require(broker.open())
        client.connect("c") { $0.will = Connect.Will(topic: Array("will".utf8), payload: Array("gone".utf8)) }
        #expect(client.connect("c") == [.disconnect(Disconnect(reasonCode: .protocolError))])
        #expect(watcher.messages() == ["will gone"])
    }

    @Test func `a connection that says nothing is closed`() throws {
        let client = try #require(TestBroker { $0.connectTimeout = .seconds(10) }.open())
        client.broker.advance(.seconds(10))
        #expect(client.seen().isEmpty)
        #expect(client.isClosed)
    }

    @Test func `what came before CONNECT counts towards the time for it`() throws {
        // A TLS handshake that took six seconds, for instance.
        let broker = TestBroker { $0.connectTimeout = .seconds(10) }
        let client = try #require(broker.open(connectBy: .seconds(4)))
        broker.advance(.milliseconds(3_999))
        #expect(client.seen().isEmpty && !client.isClosed)
        broker.advance(.milliseconds(1))
        #expect(client.seen().isEmpty && client.isClosed)
    }

    @Test func `a client that does not read its last packet is closed all the same`() throws {
        let broker = TestBroker { $0.connectTimeout = .seconds(10) }
        let client = try #require(broker.open())
        client.connect("c")
        client.send([0xD0, 0])  // only servers say this
        #expect(broker.flush(client.id, limit: 0).outcome == .blocked)
        broker.advance(.seconds(9))
        #expect(broker.flush(client.id, limit: 0).outcome == .blocked)
        broker.advance(.seconds(1))
        #expect(broker.marked().contains(client.id))
        #expect(broker.flush(client.id, limit: 0).outcome == .lost)
    }

    @Test func `a client silent for one and a half times its keep alive is disconnected`() throws {
        let client = try #require(TestBroker().open())
        client.connect("quiet") { $0.keepAlive = 2 }
        client.broker.advance(.milliseconds(2_999))
        #expect(client.seen().isEmpty)
        client.broker.advance(.milliseconds(1))
        #expect(client.seen() == [.disconnect(Disconnect(reasonCode: .keepAliveTimeout))])
    }

    @Test func `any whole packet prolongs the keep alive but half a packet does not`() throws {
        let client = try #require(TestBroker().open())
        client.connect("busy") { $0.keepAlive = 2 }
        for _ in 0..<4 {
            client.broker.advance(.milliseconds(1_500))
            client.publish("t")
        }
        #expect(client.seen().isEmpty)
        for byte in [0x30, 0x0A] as [UInt8] {
            client.broker.advance(.milliseconds(1_400))
            client.send([byte])
        }
        client.broker.advance(.milliseconds(200))
        #expect(client.seen() == [.disconnect(Disconnect(reasonCode: .keepAliveTimeout))])
    }

    @Test func `a connection beyond the limit is refused and one that closes makes room`() throws {
        let broker = TestBroker { $0.maximumConnections = 1 }
        let first = try #require(broker.open())
        #expect(broker.open() == nil)
        first.lose()
        #expect(broker.open() != nil)
    }

    @Test func `the gateway's own connections take nobody's place`() throws {
        let broker = TestBroker { $0.maximumConnections = 1 }
        for name in ["bridge", "devices"] {
            let inside = try #require(broker.open(isInternal: true))
            inside.connect("$martlet/\(name)")
        }
        let outside = try #require(broker.open())
        #expect(broker.open() == nil)
        #expect(broker.open(isInternal: true) != nil)
        outside.lose()
        #expect(broker.open() != nil)
    }

    @Test func `client ids of the gateway itself are refused to others`() throws {
        let client = try #require(TestBroker().open())
        guard case .connack(let connack)? = client.connect("$martlet/local").first else {
            Issue.record("no CONNACK")
            return
        }
        #expect(connack.reasonCode == .clientIdentifierNotValid)
    }

    @Test func `stopping tells version 5 clients that the server shuts down`() throws {
        let client = try #require(TestBroker().open())
        client.connect("c")
        client.broker.shutDown()
        #expect(client.seen() == [.disconnect(Disconnect(reasonCode: .serverShuttingDown))])
    }

    @Test func `an old name does not reach a new connection in the same place`() throws {
        let broker = TestBroker()
        let old = try #require(broker.open())
        old.lose()
        let new = try #require(broker.open())
        new.connect("new")
        old.send([0xC0, 0])
        #expect(new.seen().isEmpty)
    }
}
