// How numbers and byte strings stand in what is kept on the disk; public for the same reason as `AppendedBytes`.
extension [UInt8] {
    /// Appends seven bits a byte, the lowest first; all but the last have the highest bit set.
    @inlinable
    public mutating func append(varint value: UInt64) {
        var rest = value
        while rest > 0x7F {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    /// Appends a count in the same form.
    @inlinable
    public mutating func append(varint value: Int) {
        append(varint: UInt64(clamping: value))
    }

    /// Appends eight bytes, high byte first.
    @inlinable
    public mutating func append(fixed value: UInt64) {
        append(bigEndian: UInt32(truncatingIfNeeded: value >> 32))
        append(bigEndian: UInt32(truncatingIfNeeded: value))
    }

    /// Appends bytes behind their count.
    @inlinable
    public mutating func append(counted bytes: Span<UInt8>) {
        append(varint: bytes.count)
        append(copying: bytes)
    }
}

extension ByteReader {
    /// What `append(varint:)` wrote.
    package mutating func varint() throws(EndOfBytes) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            let byte = try uint8()
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw EndOfBytes(offset: offset)
    }

    /// The same, where it counts bytes or things that follow: never more than what is left.
    package mutating func count() throws(EndOfBytes) -> Int {
        let value = try varint()
        guard value <= UInt64(remaining) else { throw EndOfBytes(offset: offset) }
        return Int(value)
    }

    /// What `append(fixed:)` wrote.
    package mutating func fixed() throws(EndOfBytes) -> UInt64 {
        let high = try uint32()
        return UInt64(high) << 32 | UInt64(try uint32())
    }

    /// What `append(counted:)` wrote.
    package mutating func counted() throws(EndOfBytes) -> [UInt8] {
        try bytes(try count())
    }
}
