/// What MQTT allows in its strings: well-formed UTF-8 without U+0000. [MQTT-1.5.4-1] [MQTT-1.5.4-2]
///
/// A byte order mark is a character like any other. [MQTT-1.5.4-3] (3.1.1: [MQTT-1.5.3-1] to [MQTT-1.5.3-3]) [MQTT-4.7.3-2]
///
/// Strings stay bytes: `String` compares by canonical equivalence, and MQTT by bytes. [MQTT-4.7.3-4]
package enum UTF8Text {
    /// Whether `bytes` in `range` may stand in a packet.
    package static func isValid(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = bytes[index]
            guard byte < 0x80 else {
                guard let length = sequenceLength(bytes, index..<range.upperBound) else { return false }
                index += length
                continue
            }
            guard byte != 0 else { return false }
            index += 1
        }
        return true
    }

    /// The length of the multi-byte sequence at the front; nil if it is cut, overlong, a surrogate or too large.
    private static func sequenceLength(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        let first = bytes[range.lowerBound]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch first {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return nil
        }
        guard range.count >= length, second.contains(bytes[range.lowerBound + 1]) else { return nil }
        for index in (range.lowerBound + 2)..<(range.lowerBound + length) where bytes[index] & 0xC0 != 0x80 {
            return nil
        }
        return length
    }
}
