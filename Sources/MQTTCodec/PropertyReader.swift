import Bytes

/// Walks over the properties of one packet, checking each; allocates nothing.
package struct PropertyReader: ~Escapable {
    /// One property: a number for the numeric forms, and where its bytes are, identifier included.
    package struct Item: Equatable, Sendable {
        package var property: Property
        package var number: UInt32
        /// Identifier and value: what is copied when the property is passed on.
        package var whole: Range<Int>
        /// The text or binary, without its length; the first text of a pair.
        package var first: Range<Int>
        /// The second text of a pair.
        package var second: Range<Int>
    }

    private let bytes: Span<UInt8>
    private let place: Property.Place
    private var position: Int
    private let end: Int
    private var seen: UInt64 = 0

    /// Reads the properties of `bytes` in `range`, the property length not included.
    @_lifetime(copy bytes)
    package init(_ bytes: Span<UInt8>, _ range: Range<Int>, in place: Property.Place) {
        self.bytes = bytes
        self.place = place
        position = range.lowerBound
        end = range.upperBound
    }

    /// The next property, or nil after the last.
    package mutating func next() throws(DecodeError) -> Item? {
        guard position < end else { return nil }
        let start = position
        guard let property = Property(rawValue: bytes[start]) else { throw DecodeError(.unknownProperty, at: start) }
        guard property.isAllowed(in: place) else { throw DecodeError(.propertyNotAllowed, at: start) }
        let bit = UInt64(1) << UInt64(property.rawValue)
        if seen & bit != 0, !property.mayRepeat(in: place) { throw DecodeError(.propertyTwice, at: start) }
        seen |= bit
        position += 1
        var item = Item(property: property, number: 0, whole: start..<start, first: 0..<0, second: 0..<0)
        try readValue(of: property, into: &item)
        guard property.isLegal(item.number) || property.form.isTextual else {
            throw DecodeError(property == .topicAlias ? .topicAliasZero : .propertyValue, at: start)
        }
        item.whole = start..<position
        return item
    }

    @_lifetime(self: copy self)
    private mutating func readValue(of property: Property, into item: inout Item) throws(DecodeError) {
        switch property.form {
        case .byte: item.number = try number(1)
        case .twoBytes: item.number = try number(2)
        case .fourBytes: item.number = try number(4)
        case .variable: item.number = try variable()
        case .text: item.first = try text()
        case .binary: item.first = try prefixed()
        case .textPair:
            item.first = try text()
            item.second = try text()
        }
    }

    @_lifetime(self: copy self)
    private mutating func number(_ count: Int) throws(DecodeError) -> UInt32 {
        guard end - position >= count else { throw DecodeError(.endsEarly, at: position) }
        var value: UInt32 = 0
        for index in position..<(position + count) { value = value << 8 | UInt32(bytes[index]) }
        position += count
        return value
    }

    private mutating func variable() throws(DecodeError) -> UInt32 {
        var reader = ByteReader(bytes.extracting(position..<end))
        do {
            let value = try reader.variableByteInteger()
            position += reader.offset
            return UInt32(value)
        } catch {
            throw DecodeError(error.reason, at: position + error.offset)
        }
    }

    private mutating func prefixed() throws(DecodeError) -> Range<Int> {
        let length = Int(try number(2))
        guard end - position >= length else { throw DecodeError(.endsEarly, at: position) }
        defer { position += length }
        return position..<(position + length)
    }

    /// A text, checked to be one. [MQTT-1.5.4-1] [MQTT-1.5.7-1] [MQTT-3.3.2-13] [MQTT-3.3.2-19]
    private mutating func text() throws(DecodeError) -> Range<Int> {
        let range = try prefixed()
        guard UTF8Text.isValid(bytes, range) else { throw DecodeError(.invalidUTF8, at: range.lowerBound) }
        return range
    }
}

extension Property.Form {
    fileprivate var isTextual: Bool {
        switch self {
        case .text, .binary, .textPair: true
        case .byte, .twoBytes, .fourBytes, .variable: false
        }
    }
}
