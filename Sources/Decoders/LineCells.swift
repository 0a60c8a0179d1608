/// Cuts lines at separators.
enum LineCells {
    /// The parts between separators; a separator of spaces also takes several.
    static func parts(_ line: ArraySlice<UInt8>, _ separator: [UInt8]) -> [ArraySlice<UInt8>] {
        var parts: [ArraySlice<UInt8>] = []
        var rest = line
        while let place = firstRange(of: separator, in: rest) {
            parts.append(rest[..<place.lowerBound])
            rest = rest[place.upperBound...]
        }
        parts.append(rest)
        return separator == [0x20] ? parts.filter { !$0.isEmpty } : parts
    }

    /// The cells of a line; one in quotation marks may have separators in it, and `""` for a mark.
    static func split(_ line: ArraySlice<UInt8>, _ separator: [UInt8]) -> [String] {
        let quote = UInt8(ascii: "\"")
        guard line.contains(quote) else { return parts(line, separator).map { trimmed($0) } }
        var cells: [String] = []
        var cell: [UInt8] = []
        var isQuoted = false
        var index = line.startIndex
        while index < line.endIndex {
            if line[index] == quote {
                let isDoubled = isQuoted && index + 1 < line.endIndex && line[index + 1] == quote
                if isDoubled {
                    cell.append(quote)
                    index += 1
                } else {
                    isQuoted.toggle()
                }
            } else if !isQuoted, line[index...].starts(with: separator) {
                cells.append(trimmed(cell[...]))
                cell = []
                index += separator.count - 1
            } else {
                cell.append(line[index])
            }
            index += 1
        }
        return cells + [trimmed(cell[...])]
    }

    static func firstRange(of wanted: [UInt8], in bytes: ArraySlice<UInt8>) -> Range<Int>? {
        guard let first = wanted.first else { return nil }
        var rest = bytes
        while let index = rest.firstIndex(of: first) {
            if rest[index...].starts(with: wanted) { return index..<index + wanted.count }
            rest = rest[(index + 1)...]
        }
        return nil
    }

    /// The text without spaces, tabs and CRs around it.
    static func trimmed(_ bytes: ArraySlice<UInt8>) -> String {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
        var inner = bytes.drop(while: isSpace)
        while let last = inner.last, isSpace(last) { inner = inner.dropLast() }
        return String(decoding: inner, as: UTF8.self)
    }
}

/// Numbers as devices write them.
package enum FieldNumber {
    /// The number that a text is: `23.5`, `+ 1.250`, `-3e2`; nil for anything else.
    package static func parse(_ text: String) -> (value: Double, decimals: Int)? {
        var bytes = Array(text.utf8)
        guard bytes.count <= 32 else { return nil }
        if let sign = bytes.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
            // Scales write the sign at the left edge of the field.
            let digits = bytes.dropFirst().drop { $0 == 0x20 }
            bytes = (sign == UInt8(ascii: "-") ? [sign] : []) + digits
        }
        let mantissa = bytes.prefix { $0 != UInt8(ascii: "e") && $0 != UInt8(ascii: "E") }
        guard Digits.isDecimal(mantissa) else { return nil }
        if mantissa.count < bytes.count {
            let exponent = bytes.dropFirst(mantissa.count + 1)
            let digits =
                exponent.first == UInt8(ascii: "-") || exponent.first == UInt8(ascii: "+")
                ? exponent.dropFirst() : exponent
            guard Digits.integer(digits) != nil else { return nil }
        }
        guard let value = Double(String(decoding: bytes, as: UTF8.self)), value.isFinite else { return nil }
        let decimals = mantissa.count == bytes.count ? mantissa.drop { $0 != UInt8(ascii: ".") }.count - 1 : 15
        return (value, max(0, decimals))
    }
}
