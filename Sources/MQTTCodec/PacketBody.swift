import Bytes

extension FixedHeader {
    /// A reader at the variable header of the packet that `bytes` begins with, ending where the packet ends.
    @_lifetime(copy bytes)
    func body(of bytes: Span<UInt8>) throws(DecodeError) -> ByteReader {
        guard bytes.count >= length else { throw DecodeError(.endsEarly, at: bytes.count) }
        var reader = ByteReader(bytes.extracting(0..<length))
        _ = try reader.range(bodyStart)
        return reader
    }
}

extension ByteReader {
    /// Nothing may follow the last field.
    func end() throws(DecodeError) {
        guard remaining == 0 else { throw DecodeError(.trailingBytes, at: offset) }
    }

    /// A length-prefixed text, checked; where it is.
    @_lifetime(self: copy self)
    mutating func text(of bytes: Span<UInt8>) throws(DecodeError) -> Range<Int> {
        let range = try prefixedRange()
        guard UTF8Text.isValid(bytes, range) else { throw DecodeError(.invalidUTF8, at: range.lowerBound) }
        return range
    }
}

extension [UInt8] {
    /// Appends a whole packet whose flags are fixed: first byte, remaining length, body.
    mutating func append(packet type: PacketType, body: [UInt8]) {
        append(type.firstByte)
        append(variableByteInteger: body.count)
        append(contentsOf: body)
    }
}
