/// What the text of a scalar means, by the type that the schema asks for.
package enum Scalar {
    /// A decimal or `0x` number.
    ///
    /// `1_000`, `1e3` and octal are not numbers here.
    package static func integer(_ text: String) -> Int? {
        let isNegative = text.hasPrefix("-")
        let digits = isNegative ? text.dropFirst() : Substring(text)
        if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
            let hex = digits.dropFirst(2)
            guard hex.first?.isHexDigit == true else { return nil }
            return Int(hex, radix: 16).map { isNegative ? -$0 : $0 }
        }
        guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        return Int(digits).map { isNegative ? -$0 : $0 }
    }

    package static func number(_ text: String) -> Double? {
        if let integer = integer(text) { return Double(integer) }
        guard text.allSatisfy({ "0123456789.+-eE".contains($0) }) else { return nil }
        return Double(text).flatMap { $0.isFinite ? $0 : nil }
    }

    /// `true`, `yes`, `on` and their opposites, in any case.
    package static func bool(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "yes", "on": true
        case "false", "no", "off": false
        default: nil
        }
    }

    package static func duration(_ text: String) -> Duration? {
        guard let (number, unit) = split(text) else { return nil }
        let factor: Double? =
            switch unit {
            case "ms": 1
            case "s": 1_000
            case "m", "min": 60_000
            case "h": 3_600_000
            case "d": 86_400_000
            default: nil
            }
        guard let factor, number >= 0, number * factor < 1e15 else { return nil }
        return .milliseconds(Int64((number * factor).rounded()))
    }

    /// In bytes; 1 KB is 1000 bytes.
    package static func size(_ text: String) -> Int? {
        guard let (number, unit) = split(text) else { return nil }
        let factor: Double? =
            switch unit.uppercased() {
            case "B": 1
            case "KB": 1e3
            case "MB": 1e6
            case "GB": 1e9
            default: nil
            }
        guard let factor, number >= 0, number * factor < 1e15 else { return nil }
        return Int(number * factor)
    }

    private static func split(_ text: String) -> (Double, String)? {
        let digits = text.prefix { "0123456789.".contains($0) }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let number = Double(digits), !unit.isEmpty else { return nil }
        return (number, String(unit))
    }
}
