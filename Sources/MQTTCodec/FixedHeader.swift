import Bytes

/// The first byte and the remaining length: enough to know how many bytes the packet has.
package struct FixedHeader: Equatable, Sendable {
    package var type: PacketType
    /// The low half of the first byte; checked, except for PUBLISH.
    package var flags: UInt8
    /// Where the variable header begins.
    package var bodyStart: Int
    /// Length of the whole packet in bytes.
    package var length: Int

    /// The header at `start` of `bytes`, or nil while more must arrive.
    ///
    /// The packet itself may still be incomplete.
    ///
    /// A wrong first byte or a fifth length byte is an error at once, without waiting for more.
    ///
    /// In 3.1 PUBREL, SUBSCRIBE and UNSUBSCRIBE have DUP when they are sent again.
    package static func parse(
        _ bytes: Span<UInt8>, at start: Int = 0, version: ProtocolVersion = .v5
    ) throws(DecodeError) -> FixedHeader? {
        guard start < bytes.count else { return nil }
        let first = bytes[start]
        guard let type = PacketType(rawValue: first >> 4) else { throw DecodeError(.reservedPacketType, at: 0) }
        let flags = first & 0x0F
        // [MQTT-2.1.3-1] (3.1.1: [MQTT-2.2.2-2]) [MQTT-3.14.1-1]
        if let required = type.requiredFlags, flags != required {
            guard version == .v31, required == 2, flags == 0x0A else { throw DecodeError(.wrongFlags, at: 0) }
        }
        var length = 0
        for position in 0..<4 {
            guard start + 1 + position < bytes.count else { return nil }
            let byte = bytes[start + 1 + position]
            length |= Int(byte & 0x7F) << (7 * position)
            guard byte < 0x80 else { continue }
            // [MQTT-1.5.5-1]: the shortest form only.
            if position > 0, byte == 0 { throw DecodeError(.variableLengthNotMinimal, at: 1 + position) }
            let bodyStart = 2 + position
            return FixedHeader(type: type, flags: flags, bodyStart: bodyStart, length: bodyStart + length)
        }
        throw DecodeError(.remainingLengthTooLong, at: 4)
    }
}
