/// Reads big-endian values from borrowed bytes, front to back; every access is checked.
///
/// It borrows, so it costs nothing and cannot outlive the buffer it reads.
package struct ByteReader: ~Escapable {
    private let bytes: Span<UInt8>
    /// Index of the next byte to read, counted from the first byte of the span.
    package private(set) var offset = 0

    @_lifetime(copy bytes)
    package init(_ bytes: Span<UInt8>) {
        self.bytes = bytes
    }

    /// How many bytes are left.
    package var remaining: Int { bytes.count - offset }

    /// The next byte.
    package mutating func uint8() throws(EndOfBytes) -> UInt8 {
        guard remaining >= 1 else { throw EndOfBytes(offset: offset) }
        defer { offset += 1 }
        return bytes[offset]
    }

    /// The next two bytes, high byte first.
    package mutating func uint16() throws(EndOfBytes) -> UInt16 {
        guard remaining >= 2 else { throw EndOfBytes(offset: offset) }
        defer { offset += 2 }
        return UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
    }

    /// The next four bytes, high byte first.
    package mutating func uint32() throws(EndOfBytes) -> UInt32 {
        let high = try uint16()
        return UInt32(high) << 16 | UInt32(try uint16())
    }

    /// Steps over `count` bytes and says where they are.
    @_lifetime(self: copy self)
    package mutating func skip(_ count: Int) throws(EndOfBytes) -> Range<Int> {
        guard count >= 0, remaining >= count else { throw EndOfBytes(offset: offset) }
        defer { offset += count }
        return offset..<offset + count
    }

    /// A copy of the next `count` bytes.
    @_lifetime(self: copy self)
    package mutating func bytes(_ count: Int) throws(EndOfBytes) -> [UInt8] {
        let range = try skip(count)
        return [UInt8](copying: bytes, range)
    }
}

/// Something was read past the end.
package struct EndOfBytes: Error, Equatable, Sendable {
    /// Where the read began.
    package var offset: Int

    package init(offset: Int) {
        self.offset = offset
    }
}
