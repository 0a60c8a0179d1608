import Bytes
package import MQTTCodec

/// Any packet, so that one table can hold them all.
package enum Packet: Equatable, Sendable {
    case connect(Connect)
    case connack(Connack)
    case publish(Publish)
    /// PUBACK, PUBREC, PUBREL, PUBCOMP.
    case acknowledgement(PacketType, Acknowledgement)
    case subscribe(Subscribe)
    case unsubscribe(Unsubscribe)
    /// SUBACK, UNSUBACK.
    case suback(PacketType, Suback)
    case ping(PacketType)
    case disconnect(Disconnect)
    case auth(Auth)

    /// Reads one packet as the loops do: header first, then the body once it is there.
    ///
    /// Nil while more bytes must arrive.
    package init?(_ bytes: [UInt8], _ version: ProtocolVersion) throws(DecodeError) {
        let span = bytes.span
        guard let header = try FixedHeader.parse(span, version: version), bytes.count >= header.length else {
            return nil
        }
        switch header.type {
        case .connect: self = .connect(try Connect(span, header))
        case .connack: self = .connack(try Connack(span, header, version: version))
        case .publish: self = .publish(try Publish(span, header, version: version))
        case .puback, .pubrec, .pubrel, .pubcomp:
            self = .acknowledgement(header.type, try Acknowledgement(span, header, version: version))
        case .subscribe: self = .subscribe(try Subscribe(span, header, version: version))
        case .unsubscribe: self = .unsubscribe(try Unsubscribe(span, header, version: version))
        case .suback, .unsuback: self = .suback(header.type, try Suback(span, header, version: version))
        case .pingreq, .pingresp:
            try Ping.check(header)
            self = .ping(header.type)
        case .disconnect: self = .disconnect(try Disconnect(span, header, version: version))
        case .auth:
            guard version == .v5 else { throw DecodeError(.reservedPacketType, at: 0) }
            self = .auth(try Auth(span, header))
        }
    }

    package func bytes(_ version: ProtocolVersion) -> [UInt8] {
        var output: [UInt8] = []
        switch self {
        case .connect(let packet): packet.encode(into: &output)
        case .connack(let packet): packet.encode(into: &output, version: version)
        case .publish(let packet): packet.encode(into: &output, version: version)
        case .acknowledgement(let type, let packet): packet.encode(type, into: &output, version: version)
        case .subscribe(let packet): packet.encode(into: &output, version: version)
        case .unsubscribe(let packet): packet.encode(into: &output, version: version)
        case .suback(let type, let packet): packet.encode(type, into: &output, version: version)
        case .ping(let type): Ping.encode(type, into: &output)
        case .disconnect(let packet): packet.encode(into: &output, version: version)
        case .auth(let packet): packet.encode(into: &output)
        }
        return output
    }
}

extension Packet {
    package var type: PacketType {
        switch self {
        case .connect: .connect
        case .connack: .connack
        case .publish: .publish
        case .acknowledgement(let type, _), .suback(let type, _), .ping(let type): type
        case .subscribe: .subscribe
        case .unsubscribe: .unsubscribe
        case .disconnect: .disconnect
        case .auth: .auth
        }
    }

    /// Who sends packets of this type.
    var sender: KnownPacket.Sender { type.sender }

    var isConnecting: Bool { type == .connect || type == .connack }
}

extension PacketType {
    /// Who sends packets of this type, in the newest version that has it.
    package var sender: KnownPacket.Sender {
        switch self {
        case .connect, .subscribe, .unsubscribe, .pingreq: .client
        case .connack, .suback, .unsuback, .pingresp: .server
        case .publish, .puback, .pubrec, .pubrel, .pubcomp, .disconnect, .auth: .both
        }
    }
}
