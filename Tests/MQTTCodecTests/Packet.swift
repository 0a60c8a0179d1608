import Bytes

@testable import MQTTCodec

/// Any packet, so that one table can hold them all.
enum Packet: Equatable {
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

    /// Reads one packet as the loops do: header first, then the body once it is there.
    ///
    /// Nil while more bytes must arrive.
    init?(_ bytes: [UInt8], _ version: ProtocolVersion) throws(DecodeError) {
        let span = bytes.span
        guard let header = try FixedHeader.parse(span), bytes.count >= header.length else { return nil }
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
        case .auth: throw DecodeError(.reservedPacketType, at: 0)
        }
    }

    func bytes(_ version: ProtocolVersion) -> [UInt8] {
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
        }
        return output
    }
}

// A macro can't hold a span, so the tests ask with arrays.

extension FixedHeader {
    static func parse(_ bytes: [UInt8], at start: Int = 0) throws(DecodeError) -> FixedHeader? {
        try parse(bytes.span, at: start)
    }
}

extension Topic {
    static func isName(_ bytes: [UInt8], _ range: Range<Int>? = nil) -> Bool {
        isValidName(bytes.span, range ?? bytes.indices)
    }

    static func isFilter(_ bytes: [UInt8], _ range: Range<Int>? = nil) -> Bool {
        isValidFilter(bytes.span, range ?? bytes.indices)
    }
}

/// A small generator with a seed, so that a failing mutation can be had again.
struct Xorshift: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
