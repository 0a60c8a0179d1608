import Bytes
import KnownPackets
import MQTTCodec
import Testing

@testable import Client

/// The table of packets, sent by a server to a client that is ready for them.
@Suite struct KnownPacketTests {
    private static let fromServers = KnownPacket.all.filter { $0.sender != .client && $0.packet.type != .auth }
    private static let fromClients = KnownPacket.all.filter {
        $0.sender == .client && $0.packet.type != .disconnect && !$0.bytes.starts(with: [0x6A])
            && $0.packet.type != .publish && $0.packet.type != .auth
    }
    private static let refused = RefusedPacket.all.filter { $0.sender != .client }

    /// A link that is connected, or waits for its CONNACK if that is what comes.
    private func link(for type: UInt8, _ version: ProtocolVersion, drips: Bool) -> TestLink {
        var link = TestLink(version: version) { $0.receiveMaximum = 20 }
        if type == PacketType.connack.rawValue {
            link.client.transportOpened(now: link.now)
            _ = link.sent()
        } else {
            link.connect()
            _ = link.client.takeEvents()
        }
        link.drips = drips
        return link
    }

    @Test(arguments: fromServers, [false, true])
    func `what a server may send is understood, in one piece and byte by byte`(
        known: KnownPacket, drips: Bool
    ) throws {
        var link = link(for: known.bytes[0] >> 4, known.version, drips: drips)
        link.server(known.bytes)
        let events = link.client.takeEvents()
        switch known.packet {
        case .connack(let packet) where packet.reasonCode == .success:
            #expect(events == [.connected(sessionPresent: packet.sessionPresent)])
        case .connack(let packet):
            #expect(events == [.closed(.refused(packet.reasonCode, nil))])
        case .disconnect(let packet) where known.version == .v5:
            let text = packet.properties[bytes: .reasonString].map { String(decoding: $0, as: UTF8.self) }
            #expect(events == [.closed(.server(packet.reasonCode, text))])
        case .publish(let packet) where packet.qos < .exactlyOnce:
            guard case .message(packet, _) = events.first else { throw Unexpected(events: events) }
        default: #expect(!events.contains { $0.isMalformed })
        }
    }

    @Test(arguments: refused, [false, true])
    func `what nobody may send ends the connection, with its reason`(refused: RefusedPacket, drips: Bool) {
        for version in refused.versions {
            var link = link(for: refused.bytes[0] >> 4, version, drips: drips)
            let wasOpen = link.client.isConnected
            link.server(refused.bytes)
            let closed = link.closed()
            let isRead = mayArrive(refused.bytes[0] >> 4, version) || refused.error.reason == .wrongFlags
            let code = isRead ? refused.error.reasonCode : .protocolError
            if isRead {
                #expect(closed == .malformed(refused.error), "\(version)")
            } else {
                #expect(closed != nil, "\(version)")
            }
            let told = version == .v5 && wasOpen ? ["DISCONNECT \(code)"] : []
            #expect(link.sent() == told, "\(version)")
        }
    }

    /// Whether the client looks into such a packet: servers send no DISCONNECT before version 5, and AUTH only to
    /// clients that named a method.
    private func mayArrive(_ type: UInt8, _ version: ProtocolVersion) -> Bool {
        type != PacketType.auth.rawValue && (version == .v5 || type != PacketType.disconnect.rawValue)
    }

    @Test(arguments: fromClients)
    func `what only clients send ends the connection`(known: KnownPacket) {
        var link = link(for: known.bytes[0] >> 4, known.version, drips: false)
        link.server(known.bytes)
        guard case .protocolError(.protocolError, _) = link.closed() else {
            Issue.record("still open")
            return
        }
        #expect(link.sent() == (known.version == .v5 ? ["DISCONNECT \(ReasonCode.protocolError)"] : []))
    }

    private struct Unexpected: Error {
        var events: [ClientEvent]
    }
}

extension ClientEvent {
    fileprivate var isMalformed: Bool {
        guard case .closed(.malformed) = self else { return false }
        return true
    }
}
