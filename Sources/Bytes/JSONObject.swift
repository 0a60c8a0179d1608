/// Writes one flat JSON object, members in the order they are added. [RFC 8259]
package struct JSONObject: Sendable {
    private var text: [UInt8] = [UInt8(ascii: "{")]

    package init() {}

    /// The object so far, closed.
    package var bytes: [UInt8] { text + [UInt8(ascii: "}")] }

    /// Adds a text, escaped where it must be.
    package mutating func add(_ name: String, _ value: String) {
        begin(name)
        append(quoted: value)
    }

    /// Adds a whole number.
    package mutating func add(_ name: String, _ number: some BinaryInteger) {
        add(name, literal: String(number))
    }

    /// Adds what is JSON already: a number, `true`, `false`.
    package mutating func add(_ name: String, literal: String) {
        begin(name)
        text.append(contentsOf: literal.utf8)
    }

    private mutating func begin(_ name: String) {
        if text.count > 1 { text.append(UInt8(ascii: ",")) }
        append(quoted: name)
        text.append(UInt8(ascii: ":"))
    }

    private mutating func append(quoted string: String) {
        text.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(contentsOf: [UInt8(ascii: "\\"), byte])
            case ..<0x20: append(escapedControl: byte)  // RFC 8259, section 7
            default: text.append(byte)
            }
        }
        text.append(UInt8(ascii: "\""))
    }

    private mutating func append(escapedControl byte: UInt8) {
        let digits = [UInt8]("0123456789abcdef".utf8)
        text.append(contentsOf: "\\u00".utf8)
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
}
