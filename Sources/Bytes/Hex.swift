/// Bytes as people write them: `01 04 FF`.
package enum Hex {
    /// The bytes of a text of hex digit pairs, with or without spaces between pairs; nil if anything else is in it.
    package static func bytes(_ text: String) -> [UInt8]? {
        var result: [UInt8] = []
        var high: UInt8?
        for character in text.utf8 {
            if character == UInt8(ascii: " ") || character == UInt8(ascii: "\n") {
                guard high == nil else { return nil }
                continue
            }
            guard let digit = value(ofDigit: character) else { return nil }
            if let first = high {
                result.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return high == nil ? result : nil
    }

    /// The bytes as pairs of upper-case digits with spaces between.
    package static func text(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { byte in digit(byte >> 4) + digit(byte & 15) }.joined(separator: " ")
    }

    /// The value of one hex digit, nil for any other byte.
    package static func value(ofDigit byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    private static func digit(_ value: UInt8) -> String {
        String(value, radix: 16, uppercase: true)
    }
}
