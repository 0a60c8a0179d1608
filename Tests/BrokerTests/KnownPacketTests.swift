import KnownPackets
import MQTTCodec
import Testing

@testable import Broker

/// The table of packets, sent to a broker that is ready for them.
@Suite struct KnownPacketTests {
    private static let fromClients = KnownPacket.all.filter { $0.sender != .server && $0.packet.type != .auth }
    private static let fromServers = KnownPacket.all.filter { $0.sender == .server && $0.packet.type != .disconnect }
    private static let refused = RefusedPacket.all.filter { $0.sender != .server }

    /// A client that is connected, or about to connect if the packet is a CONNECT.
    private func client(for type: UInt8, _ version: ProtocolVersion) throws -> TestClient {
        let client = try #require(TestBroker().open())
        client.version = version
        if type != PacketType.connect.rawValue {
            #expect(
                client.connect("known", version, expiry: version == .v5 ? 100 : nil).connack?.reasonCode == .success)
        }
        return client
    }

    /// What a packet is answered with; nil is nothing.
    private func answer(to packet: Packet) -> PacketType? {
        switch packet {
        case .connect: .connack
        case .publish(let publish) where publish.qos == .atLeastOnce: .puback
        case .publish(let publish) where publish.qos == .exactlyOnce: .pubrec
        case .acknowledgement(.pubrel, _): .pubcomp
        // PUBREC of a packet that was not sent: the sender is told to forget it. [MQTT-4.3.3-7]
        case .acknowledgement(.pubrec, let packet) where !packet.reasonCode.isError: .pubrel
        case .subscribe: .suback
        case .unsubscribe: .unsuback
        case .ping: .pingresp
        default: nil
        }
    }

    @Test(arguments: fromClients, [false, true])
    func `what a client may send is taken and answered, in one piece and byte by byte`(
        known: KnownPacket, drips: Bool
    ) throws {
        let client = try client(for: known.bytes[0] >> 4, known.version)
        if drips {
            for byte in known.bytes { client.send([byte]) }
        } else {
            client.send(known.bytes)
        }
        let seen = client.seen()
        #expect(seen.first?.type == answer(to: known.packet), "\(seen)")
        #expect(client.isClosed == (known.packet.type == .disconnect || isTurnedAway(known)))
    }

    /// No user file is there to authenticate against.
    private func isTurnedAway(_ known: KnownPacket) -> Bool {
        guard case .connect(let connect) = known.packet else { return false }
        if connect.properties[bytes: .authenticationMethod] != nil { return true }
        return connect.version == .v31 && connect.clientID.isEmpty
    }

    @Test func `what is kept of a packet that never ends is no more than a packet may have`() throws {
        let broker = TestBroker { $0.maximumPacketSize = 1_000 }
        var random = Mutator(seed: 5)
        for round in 0..<400 {
            let client = try #require(broker.open())
            client.connect("known")
            var bytes = Self.fromClients[round % Self.fromClients.count].bytes
            random.mutate(&bytes, times: 2)
            for _ in 0..<12 { client.send(bytes + [UInt8](repeating: 0x61, count: 200)) }
            #expect(broker.unfinished(client.id) <= 1_000)
            client.lose()
        }
    }

    @Test(arguments: fromServers)
    func `what only servers send ends the connection`(known: KnownPacket) throws {
        let client = try client(for: known.bytes[0] >> 4, known.version)
        client.send(known.bytes)
        let seen = client.seen()
        #expect(client.isClosed)
        // [MQTT-3.3.4-6], and a packet that no client sends.
        #expect(seen.map(\.type) == (known.version == .v5 ? [.disconnect] : []))
        if known.version == .v5 { #expect(seen.disconnectCode == .protocolError) }
    }

    @Test(arguments: refused, [false, true])
    func `what nobody may send ends the connection, and version 5 is told why`(
        refused: RefusedPacket, drips: Bool
    ) throws {
        for version in refused.versions {
            let client = try client(for: refused.bytes[0] >> 4, version)
            if drips {
                for byte in refused.bytes { client.send([byte]) }
            } else {
                client.send(refused.bytes)
            }
            let seen = client.seen()
            #expect(client.isClosed, "\(version)")
            if refused.error.reason == .unsupportedProtocolLevel {
                #expect(seen.count == 1 && seen.first?.type == .connack)  // [MQTT-3.1.2-2]
            } else if version == .v5, refused.bytes[0] >> 4 != PacketType.connect.rawValue {
                #expect(seen.map(\.type) == [.disconnect] && seen.disconnectCode == refused.error.reasonCode)
            } else {
                #expect(seen.isEmpty, "\(version)")  // [MQTT-3.1.4-1]
            }
        }
    }

    @Test(arguments: KnownPacket.all.filter { $0.packet.type != .connect })
    func `whatever comes before CONNECT is closed without an answer`(known: KnownPacket) throws {
        let client = try #require(TestBroker().open())
        client.send(known.bytes)
        let seen = client.seen()
        #expect(seen.isEmpty && client.isClosed)  // [MQTT-3.1.0-1]
    }

    // [MQTT-4.12.0-1]: only CONNECT begins an authentication.
    @Test(arguments: KnownPacket.all.filter { $0.packet.type == .auth })
    func `an AUTH from a client that named no method ends its connection`(known: KnownPacket) throws {
        let client = try client(for: 15, .v5)
        client.send(known.bytes)
        let seen = client.seen()
        #expect(client.isClosed && seen.disconnectCode == .protocolError)
    }
}

extension Seen {
    fileprivate var type: PacketType {
        switch self {
        case .connack: .connack
        case .publish: .publish
        case .acknowledgement(let type, _), .undecodable(let type): type
        case .suback: .suback
        case .unsuback: .unsuback
        case .pingresp: .pingresp
        case .disconnect: .disconnect
        case .auth: .auth
        }
    }
}
