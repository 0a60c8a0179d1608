import Bytes

/// Reads one line of JSON into fields named by their paths: `wind.speed`, `list[0]`.
///
/// Numbers keep their text, so that no digit is made up. Names that come twice, and anything that JSON forbids, refuse
/// the line.
struct JSONFields {
    private struct Refused: Error {}
    private static let deepest = 8
    private static let most = 256

    private let bytes: ArraySlice<UInt8>
    private var index: Int
    private var fields: [FieldRecord.Field] = []

    /// Nil for what is not JSON.
    static func read(_ line: ArraySlice<UInt8>) -> [FieldRecord.Field]? {
        var reader = JSONFields(bytes: line, index: line.startIndex)
        do throws(Refused) {
            try reader.value("", depth: 0)
            reader.skipSpace()
            guard reader.index == line.endIndex else { throw Refused() }
        } catch {
            return nil
        }
        let names = Set(reader.fields.map(\.name))
        return names.count == reader.fields.count ? reader.fields : nil
    }

    private var next: UInt8? { index < bytes.endIndex ? bytes[index] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A { index += 1 }
    }

    private mutating func take(_ wanted: Unicode.Scalar) -> Bool {
        skipSpace()
        guard next == UInt8(ascii: wanted) else { return false }
        index += 1
        return true
    }

    private mutating func value(_ path: String, depth: Int) throws(Refused) {
        skipSpace()
        guard let byte = next, depth <= Self.deepest, fields.count < Self.most else { throw Refused() }
        switch byte {
        case UInt8(ascii: "{"): try object(path, depth)
        case UInt8(ascii: "["): try list(path, depth)
        case UInt8(ascii: "\""): fields.append(FieldRecord.Field(path, try string()))
        default: try word(path)
        }
    }

    private mutating func object(_ path: String, _ depth: Int) throws(Refused) {
        index += 1
        if take("}") { return }
        repeat {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw Refused() }
            let name = try string()
            guard take(":") else { throw Refused() }
            try value(path.isEmpty ? name : "\(path).\(name)", depth: depth + 1)
        } while take(",")
        guard take("}") else { throw Refused() }
    }

    private mutating func list(_ path: String, _ depth: Int) throws(Refused) {
        index += 1
        if take("]") { return }
        var number = 0
        repeat {
            try value("\(path)[\(number)]", depth: depth + 1)
            number += 1
        } while take(",")
        guard take("]") else { throw Refused() }
    }

    private mutating func word(_ path: String) throws(Refused) {
        let start = index
        while let byte = next, !" \t\r\n,]}".utf8.contains(byte) { index += 1 }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        // Nothing was measured.
        if text == "null" { return }
        guard text == "true" || text == "false" || (FieldNumber.parse(text) != nil && !text.hasPrefix("+")) else {
            throw Refused()
        }
        fields.append(FieldRecord.Field(path, text))
    }

    private mutating func string() throws(Refused) -> String {
        index += 1
        var content: [UInt8] = []
        while let byte = next {
            index += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: content, as: UTF8.self) else { throw Refused() }
                return text
            case UInt8(ascii: "\\"): content.append(contentsOf: String(try escaped()).utf8)
            case ..<0x20: throw Refused()
            default: content.append(byte)
            }
        }
        throw Refused()
    }

    private mutating func escaped() throws(Refused) -> Unicode.Scalar {
        guard let byte = next else { throw Refused() }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try escapedUnicode()
        default: throw Refused()
        }
    }

    private mutating func escapedUnicode() throws(Refused) -> Unicode.Scalar {
        let first = try fourHexDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, bytes[index...].starts(with: "\\u".utf8) else { throw Refused() }
        index += 2
        let second = try fourHexDigits()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw Refused() }
        return scalar
    }

    private mutating func fourHexDigits() throws(Refused) -> UInt32 {
        let digits = bytes[index...].prefix(4)
        var value: UInt32 = 0
        for byte in digits {
            guard let digit = Hex.value(ofDigit: byte) else { throw Refused() }
            value = value << 4 | UInt32(digit)
        }
        guard digits.count == 4 else { throw Refused() }
        index += 4
        return value
    }
}
