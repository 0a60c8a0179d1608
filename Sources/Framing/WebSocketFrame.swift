import Bytes

/// The frames that a WebSocket server sends: whole ones, without a mask. [RFC 6455, 5.2]
package enum WebSocketFrame {
    /// Appends the header of a binary frame whose payload of `count` bytes follows.
    package static func appendBinaryHeader(_ count: Int, to output: inout [UInt8]) {
        output.append(0x82)
        switch count {
        case ..<126: output.append(UInt8(count))
        case ..<65_536:
            output.append(126)
            output.append(bigEndian: UInt16(count))
        default:
            output.append(127)
            output.append(bigEndian: UInt32(count >> 32))
            output.append(bigEndian: UInt32(truncatingIfNeeded: count))
        }
    }

    /// The answer to a ping, with the ping's own bytes. [RFC 6455, 5.5.3]
    package static func pong(_ payload: [UInt8]) -> [UInt8] {
        [0x8A, UInt8(min(payload.count, 125))] + payload.prefix(125)
    }

    /// A close frame.
    package static func close(_ code: UInt16?) -> [UInt8] {
        guard let code else { return [0x88, 0] }
        return [0x88, 2, UInt8(code >> 8), UInt8(truncatingIfNeeded: code)]
    }
}
