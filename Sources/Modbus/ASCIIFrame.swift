import Bytes

/// Frames as lines of hexadecimal digits: `:`, unit, function and data, their longitudinal redundancy check, CR LF.
/// [Modbus over serial line V1.02, section 2.5.2]
package enum ASCIIFrame {
    /// The longest line: 513 characters.
    static let longest = 513
    private static let start = UInt8(ascii: ":")

    /// The whole line around a function code and its data.
    package static func encode(unit: UInt8, pdu: [UInt8]) -> [UInt8] {
        let content = [unit] + pdu
        let digits = Hex.text(content + [check(content)]).utf8.filter { $0 != UInt8(ascii: " ") }
        return [start] + digits + [0x0D, 0x0A]
    }

    /// The longitudinal redundancy check: what makes the sum of all bytes zero.
    static func check(_ content: [UInt8]) -> UInt8 { 0 &- content.reduce(0, &+) }

    /// The unit and the function with its data in a whole line; nil if it is none with a right check.
    package static func content(_ line: Span<UInt8>) -> [UInt8]? {
        // Unit, function and check at least.
        guard line.count >= 9, line[0] == start, line.count % 2 == 1 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 1, to: line.count - 2, by: 2) {
            guard let high = digit(line[index]), let low = digit(line[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        guard bytes.reduce(0, &+) == 0 else { return nil }
        return bytes.dropLast()
    }

    /// What the bytes at the front are, in view of the request that waits.
    static func find(_ bytes: Span<UInt8>, request: Request, unit: UInt8) -> RTUFrame.Found {
        guard !bytes.isEmpty else { return .needMore }
        guard bytes[0] == start else { return .garbage }
        var end = 1
        while end < bytes.count, bytes[end] != 0x0A {
            // A new line begins: the end of this one was lost.
            guard bytes[end] != start, end < longest else { return .garbage }
            end += 1
        }
        guard end < bytes.count else { return .needMore }
        let length = end + 1
        guard bytes[end - 1] == 0x0D, let content = content(bytes.extracting(0..<length)) else { return .garbage }
        guard content[0] == unit, let response = request.response(from: content.span.extracting(1..<content.count))
        else {
            return .stranger(length: length)
        }
        return .answer(response, length: length)
    }

    private static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
