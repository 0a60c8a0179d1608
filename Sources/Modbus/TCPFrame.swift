import Bytes

/// Frames over TCP: transaction, protocol 0, length, unit, then function and data.
/// [Modbus messaging on TCP/IP V1.0b, section 3.1.3]
package enum TCPFrame {
    static let headerLength = 7

    package static func encode(transaction: UInt16, unit: UInt8, pdu: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = []
        frame.append(bigEndian: transaction)
        frame.append(bigEndian: UInt16(0))
        frame.append(bigEndian: UInt16(clamping: pdu.count + 1))
        frame.append(unit)
        frame.append(contentsOf: pdu)
        return frame
    }

    /// What the bytes at the front are, in view of the request that waits.
    static func find(_ bytes: Span<UInt8>, request: Request, unit: UInt8, transaction: UInt16) -> RTUFrame.Found {
        guard bytes.count >= headerLength else { return .needMore }
        let length = Int(bytes[4]) << 8 | Int(bytes[5])
        // A protocol that is not Modbus, or a length that no frame has: the stream has lost its step.
        guard bytes[2] == 0, bytes[3] == 0, length >= 2, length <= 254 else { return .garbage }
        guard bytes.count >= length + 6 else { return .needMore }
        let isOurs = UInt16(bytes[0]) << 8 | UInt16(bytes[1]) == transaction && bytes[6] == unit
        guard isOurs, let response = request.response(from: bytes.extracting(headerLength..<(length + 6))) else {
            return .stranger(length: length + 6)
        }
        return .answer(response, length: length + 6)
    }
}
