import Bytes

/// Frames on a serial line: unit, function and data, CRC low byte first. [Modbus over serial line V1.02, section 2.5]
package enum RTUFrame {
    /// The longest frame: 256 bytes.
    static let longest = 256

    /// The whole frame around a function code and its data.
    package static func encode(unit: UInt8, pdu: [UInt8]) -> [UInt8] {
        var frame = [unit] + pdu
        let crc = Checksum.modbus(frame.span)
        frame.append(UInt8(truncatingIfNeeded: crc))
        frame.append(UInt8(crc >> 8))
        return frame
    }

    /// Whether the last two bytes are the checksum of those before.
    package static func isIntact(_ frame: Span<UInt8>) -> Bool {
        guard frame.count >= 4 else { return false }
        let crc = Checksum.modbus(frame.extracting(0..<(frame.count - 2)))
        return frame[frame.count - 2] == UInt8(truncatingIfNeeded: crc) && frame[frame.count - 1] == UInt8(crc >> 8)
    }

    /// What the bytes at the front are, in view of the request that waits.
    enum Found: Equatable {
        /// The answer, and how many bytes the frame had.
        case answer(Response, length: Int)
        /// A whole frame of somebody else, or one that came too late; skip it.
        case stranger(length: Int)
        /// More must arrive before anything can be said.
        case needMore
        /// No frame begins here; skip one byte.
        case garbage
    }

    /// Looks at the front of what has arrived.
    ///
    /// The length comes from the request and the function code, never from
    /// silence: USB adapters tear and join frames as they like.
    static func find(_ bytes: Span<UInt8>, request: Request, unit: UInt8) -> Found {
        guard bytes.count >= 2 else { return .needMore }
        if bytes[0] == unit {
            if bytes[1] == request.functionCode | 0x80 {
                return answer(bytes, length: 5, request)
            }
            if bytes[1] == request.functionCode, mayBegin(bytes, request) {
                let expected = answer(bytes, length: request.responseLength + 3, request)
                if expected != .garbage { return expected }
            }
        }
        return stranger(bytes)
    }

    /// A read's answer says its own length in the third byte; another one than expected is somebody else's, or noise.
    private static func mayBegin(_ bytes: Span<UInt8>, _ request: Request) -> Bool {
        guard request.functionCode <= 4 || request.functionCode == 23, bytes.count >= 3 else { return true }
        return Int(bytes[2]) == request.responseLength - 2
    }

    private static func answer(_ bytes: Span<UInt8>, length: Int, _ request: Request) -> Found {
        guard bytes.count >= length else { return .needMore }
        let frame = bytes.extracting(0..<length)
        guard isIntact(frame), let response = request.response(from: frame.extracting(1..<(length - 2))) else {
            return .garbage
        }
        return .answer(response, length: length)
    }

    /// A frame that is whole but not ours: the late answer to an earlier request, or the echo of our own.
    private static func stranger(_ bytes: Span<UInt8>) -> Found {
        for length in lengths(bytes) where bytes.count >= length {
            if isIntact(bytes.extracting(0..<length)) { return .stranger(length: length) }
        }
        return .garbage
    }

    /// The lengths that a frame with this beginning can have, as answer or as request.
    private static func lengths(_ bytes: Span<UInt8>) -> [Int] {
        switch bytes[1] {
        case 1...4, 23: bytes.count >= 3 ? [Int(bytes[2]) + 5, 8] : []
        case 5, 6, 15, 16: [8]
        case 22: [10]
        case 0x81...0xFF: [5]
        default: []
        }
    }
}
