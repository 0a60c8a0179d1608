/// Bytes as text of 64 letters, with `=` at the end. [RFC 4648, section 4]
package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")

    package static func text(_ bytes: [UInt8]) -> String {
        String(decoding: encoded(bytes), as: UTF8.self)
    }

    package static func encoded(_ bytes: [UInt8]) -> [UInt8] {
        var letters: [UInt8] = []
        letters.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var group = 0
            for place in 0..<3 { group = group << 8 | (place < count ? Int(bytes[start + place]) : 0) }
            for place in 0..<4 {
                letters.append(place <= count ? alphabet[group >> (18 - 6 * place) & 63] : padding)
            }
        }
        return letters
    }

    /// The bytes of a text; nil if it is none of ours: other letters, a wrong length, bits that say nothing.
    package static func bytes(_ text: [UInt8]) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        var letters = text[...]
        var padded = 0
        while padded < 2, letters.last == padding {
            letters = letters.dropLast()
            padded += 1
        }
        var bytes: [UInt8] = []
        var bits = 0
        var collected = 0
        for letter in letters {
            guard let value = value(of: letter) else { return nil }
            collected = (collected << 6 | value) & 0xFFFF
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: collected >> bits))
            }
        }
        // The bits beyond the last byte are zero, else two texts would mean the same bytes.
        guard collected & (1 << bits - 1) == 0 else { return nil }
        return bytes
    }

    package static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        bytes(Array(text.utf8))
    }

    private static func value(of letter: UInt8) -> Int? {
        switch letter {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(letter - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(letter - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(letter - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
