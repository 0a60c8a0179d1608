import MQTTCodec
import Testing

@testable import Broker

/// Traps 12 to 22: how long a session and a connection last, and what CONNECT and CONNACK agree on.
@Suite struct SessionTraps {
    private let broker = TestBroker()

    private func resume(_ id: String, _ version: ProtocolVersion, expiry: UInt32?) throws -> Connack {
        let client = try #require(broker.open())
        let connack = try #require(client.connect(id, version, clean: false, expiry: expiry).connack)
        client.lose()
        return connack
    }

    @Test(arguments: ProtocolVersion.since311)
    func `trap 12: Session Present says what is really there`(version: ProtocolVersion) throws {
        let expiry: UInt32? = version == .v5 ? 100 : nil
        #expect(try !resume("c", version, expiry: expiry).sessionPresent)
        #expect(try resume("c", version, expiry: expiry).sessionPresent)
        try broker.client("c", version).lose()
        #expect(try !resume("c", version, expiry: expiry).sessionPresent)
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 12: a refused client is told of no session`(version: ProtocolVersion) throws {
        _ = try resume("c", version, expiry: 100)
        let stranger = try #require(broker.open(anonymous: false))
        let connack = try #require(stranger.connect("c", version, clean: false, expiry: 100).connack)
        #expect(connack.reasonCode.isError)
        #expect(!connack.sessionPresent)
    }

    @Test(arguments: ProtocolVersion.since311)
    func `trap 12: after its expiry a session is not present`(version: ProtocolVersion) throws {
        let broker = TestBroker { $0.sessionExpiryV3 = 50 }
        let expiry: UInt32? = version == .v5 ? 50 : nil
        try broker.client("c", version, clean: false, expiry: expiry).lose()
        broker.advance(.seconds(50))
        let back = try #require(broker.open())
        #expect(back.connect("c", version, clean: false, expiry: expiry).connack?.sessionPresent == false)
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 13: whole packets prolong the keep alive, half packets do not`(version: ProtocolVersion) throws {
        let client = try broker.client("c", version) { $0.keepAlive = 2 }
        for _ in 0..<4 {
            broker.advance(.milliseconds(1_500))
            client.publish("t")
        }
        #expect(client.seen().isEmpty && !client.isClosed)
        for byte in [0x30, 0x0A, 0x00] as [UInt8] {
            broker.advance(.milliseconds(999))
            client.send([byte])
        }
        #expect(client.seen().isEmpty && !client.isClosed)
        broker.advance(.milliseconds(3))
        #expect(client.seen().disconnectCode == (version == .v5 ? .keepAliveTimeout : nil))
        #expect(client.isClosed)
    }

    @Test func `trap 13: what the broker sends does not prolong the keep alive`() throws {
        let client = try broker.client("c") { $0.keepAlive = 2 }
        client.subscribe("t")
        let publisher = try broker.client("p")
        for _ in 0..<2 {
            broker.advance(.milliseconds(1_499))
            publisher.publish("t")
        }
        #expect(client.seen().published.count == 2)
        broker.advance(.milliseconds(2))
        #expect(client.seen().disconnectCode == .keepAliveTimeout)
    }

    @Test func `trap 13: a keep alive of 0 never ends and the server's own is the one that counts`() throws {
        let patient = try broker.client("patient")
        broker.advance(.seconds(1_000_000))
        patient.send([0xC0, 0])
        #expect(patient.seen() == [.pingresp])
        let strict = TestBroker { $0.maximumKeepAlive = 10 }
        let client = try #require(strict.open())
        let connack = try #require(client.connect("c") { $0.keepAlive = 600 }.connack)
        #expect(connack.properties[number: .serverKeepAlive] == 10)
        strict.advance(.seconds(15))
        #expect(client.seen().disconnectCode == .keepAliveTimeout)
    }

    @Test func `trap 14: an expiry that was shortened is said, one that was granted is not`() throws {
        let broker = TestBroker { $0.sessionExpiry = 60 }
        for (wanted, told) in [(61, 60), (60, nil), (UInt32.max, 60)] as [(UInt32, UInt32?)] {
            let client = try #require(broker.open())
            let connack = try #require(client.connect("c\(wanted)", expiry: wanted).connack)
            #expect(connack.properties[number: .sessionExpiryInterval] == told)
        }
    }

    @Test func `trap 14: the largest expiry is for ever and none is 0`() throws {
        let broker = TestBroker { $0.sessionExpiry = .max }
        try broker.client("ever", clean: false, expiry: .max).lose()
        try broker.client("never", clean: false).lose()
        broker.advance(.seconds(10_000_000_000 / 2))
        for (id, isPresent) in [("ever", true), ("never", false)] {
            let back = try #require(broker.open())
            #expect(back.connect(id, clean: false, expiry: 0).connack?.sessionPresent == isPresent)
        }
    }

    @Test func `trap 15: DISCONNECT may change an expiry but not make a session of none`() throws {
        for (first, then, isAllowed) in [(100, 10, true), (10, 100, true), (0, 10, false), (0, 0, true)]
            as [(UInt32, UInt32, Bool)]
        {
            let client = try broker.client("c", expiry: first) { $0.will = will("\(first) \(then)") }
            var goodbye = Disconnect()
            goodbye.properties[number: .sessionExpiryInterval] = then
            client.send { goodbye.encode(into: &$0, version: .v5) }
            #expect(client.seen().disconnectCode == (isAllowed ? nil : .protocolError))
            #expect(client.isClosed)
            broker.advance(.seconds(50))
            let isPresent = try resume("c", .v5, expiry: 0).sessionPresent
            #expect(isPresent == (then == 100))
        }
    }

    @Test func `trap 15: the clock of an expiry starts when the connection ends`() throws {
        let client = try broker.client("c", expiry: 10)
        broker.advance(.seconds(1_000))
        client.lose()
        broker.advance(.seconds(9))
        #expect(try resume("c", .v5, expiry: 10).sessionPresent)
    }

    @Test func `trap 16: authentication data needs a method`() throws {
        let client = try #require(broker.open())
        client.send(connectFlags: 2, .v5, properties: [0x16, 0, 1, 0])
        let seen = client.seen()
        #expect(client.isClosed)
        #expect(seen.connack == nil || seen.connack?.reasonCode == .protocolError)
    }

    @Test func `trap 16: an unknown method is refused by its own code`() throws {
        let client = try #require(broker.open())
        let seen = client.connect("c") { $0.properties[bytes: .authenticationMethod] = text("riddle") }
        #expect(seen.connack?.reasonCode == .badAuthenticationMethod)
        #expect(client.isClosed)
    }

    @Test func `trap 16: no AUTH without a method`() throws {
        let client = try broker.client("c")
        try client.send(hex: "F0 00")
        #expect(client.seen().disconnectCode == .protocolError)
        #expect(client.isClosed)
    }
}
