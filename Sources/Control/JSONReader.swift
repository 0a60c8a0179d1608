import Bytes

/// Reads one flat JSON object, strictly: what RFC 8259 forbids is refused, and so are members that are not text, number,
/// `true`, `false` or `null`, and names that come twice.
///
/// The caller bounds the length; without nesting there is nothing else to bound.
struct JSONReader {
    /// One member's value.
    enum Scalar: Equatable {
        case text(String)
        /// As it was written.
        case number(String)
        case boolean(Bool)
        case null
    }

    /// What is wrong, and how many bytes stand before the place.
    struct Problem: Error, Equatable {
        var text: String
        var offset: Int
    }

    private let bytes: [UInt8]
    private var offset = 0

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The members in the order they were written.
    static func object(_ bytes: [UInt8]) throws(Problem) -> [(name: String, value: Scalar)] {
        var reader = JSONReader(bytes)
        let members = try reader.object()
        reader.skipSpace()
        guard reader.offset == bytes.count else { throw reader.problem("something comes after the object") }
        return members
    }

    private mutating func object() throws(Problem) -> [(name: String, value: Scalar)] {
        var members: [(name: String, value: Scalar)] = []
        try expect("{")
        if take("}") { return members }
        repeat {
            let name = try string()
            guard !members.contains(where: { $0.name == name }) else { throw problem("'\(name)' comes twice") }
            try expect(":")
            members.append((name, try scalar()))
        } while take(",")
        try expect("}")
        return members
    }

    private mutating func scalar() throws(Problem) -> Scalar {
        skipSpace()
        guard let first = next else { throw problem("the object ends too early") }
        switch first {
        case UInt8(ascii: "\""): return .text(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        case UInt8(ascii: "{"), UInt8(ascii: "["): throw problem("a list or an object has no place here")
        default: return try word()
        }
    }

    private mutating func word() throws(Problem) -> Scalar {
        for (word, value) in [("true", Scalar.boolean(true)), ("false", .boolean(false)), ("null", .null)]
        where bytes[offset...].starts(with: word.utf8) {
            offset += word.utf8.count
            return value
        }
        throw problem("a value is missing here; text needs quotation marks")
    }

    private mutating func number() throws(Problem) -> String {
        let start = offset
        while let byte = next, JSONNumber.characters.contains(byte) { offset += 1 }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        guard JSONNumber.value(text) != nil else {
            throw Problem(text: "'\(text)' is not a number", offset: start)
        }
        return text
    }

    private mutating func string() throws(Problem) -> String {
        try expect("\"")
        let start = offset
        var content: [UInt8] = []
        while let byte = next {
            offset += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: content, as: UTF8.self) else {
                    throw Problem(text: "the text is not UTF-8", offset: start)
                }
                return text
            case UInt8(ascii: "\\"): content.append(contentsOf: String(try escaped()).utf8)
            case ..<0x20: throw problem("a control character must be escaped")
            default: content.append(byte)
            }
        }
        throw Problem(text: "the text has no closing quotation mark", offset: start)
    }

    private mutating func escaped() throws(Problem) -> Unicode.Scalar {
        guard let byte = next else { throw problem("the text ends after '\\'") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try escapedUnicode()
        default: throw problem("no such escape")
        }
    }

    /// Four hex digits, or two times four: characters beyond U+FFFF are written as a surrogate pair.
    private mutating func escapedUnicode() throws(Problem) -> Unicode.Scalar {
        let first = try fourHexDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, bytes[offset...].starts(with: "\\u".utf8) else { throw problem("half a surrogate pair") }
        offset += 2
        let second = try fourHexDigits()
        guard (0xDC00..<0xE000).contains(second) else { throw problem("half a surrogate pair") }
        guard let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) else {
            throw problem("half a surrogate pair")
        }
        return scalar
    }

    private mutating func fourHexDigits() throws(Problem) -> UInt32 {
        let digits = bytes[offset...].prefix(4)
        var value: UInt32 = 0
        for byte in digits {
            guard let digit = Hex.value(ofDigit: byte) else { throw problem("four hex digits must follow '\\u'") }
            value = value << 4 | UInt32(digit)
        }
        guard digits.count == 4 else { throw problem("four hex digits must follow '\\u'") }
        offset += 4
        return value
    }

    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func skipSpace() {
        while let byte = next, " \t\r\n".utf8.contains(byte) { offset += 1 }
    }

    private mutating func take(_ wanted: Unicode.Scalar) -> Bool {
        skipSpace()
        guard next == UInt8(ascii: wanted) else { return false }
        offset += 1
        return true
    }

    private mutating func expect(_ wanted: Unicode.Scalar) throws(Problem) {
        guard take(wanted) else { throw problem("'\(wanted)' is missing here") }
    }

    private func problem(_ text: String) -> Problem {
        Problem(text: text, offset: offset)
    }
}
