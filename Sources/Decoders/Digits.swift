/// Decimal digits as bytes.
enum Digits {
    static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        default: nil
        }
    }

    /// The value of up to 18 digits; nil for none, more, or anything else.
    static func integer(_ bytes: ArraySlice<UInt8>) -> Int64? {
        guard !bytes.isEmpty, bytes.count <= 18 else { return nil }
        var result: Int64 = 0
        for byte in bytes {
            guard let digit = value(byte) else { return nil }
            result = result * 10 + Int64(digit)
        }
        return result
    }

    /// Whether `bytes` is a decimal number: digits with at most one point between, and perhaps a minus in front.
    static func isDecimal(_ bytes: ArraySlice<UInt8>) -> Bool {
        let unsigned = bytes.first == UInt8(ascii: "-") ? bytes.dropFirst() : bytes
        let parts = unsigned.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count) else { return false }
        return parts.allSatisfy { part in !part.isEmpty && part.allSatisfy { value($0) != nil } }
    }
}
