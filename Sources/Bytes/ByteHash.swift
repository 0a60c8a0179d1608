// Public, so that it is inlined where topics are looked up, once for each message.
extension Span<UInt8> {
    /// The bytes from `offset` on as one number, first byte lowest: at most eight, and none behind `end`.
    @inlinable
    public func word(at offset: Int, before end: Int) -> UInt64 {
        precondition(offset >= 0 && offset <= end && end <= count, "a word outside of the bytes")
        if offset + 8 <= count {
            // Eight bytes are there, checked above.
            let word = unsafe UInt64(
                littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
            return end - offset >= 8 ? word : word & ((1 << UInt64(8 * (end - offset))) - 1)
        }
        var word: UInt64 = 0
        for position in (offset..<Swift.min(end, offset + 8)).reversed() { word = word << 8 | UInt64(self[position]) }
        return word
    }

    /// A seeded hash of the bytes in `range`: who doesn't know the seed can't choose bytes that fall together.
    @inlinable
    public func hash(of range: Range<Int>, seed: UInt64) -> UInt64 {
        var value = seed ^ (UInt64(truncatingIfNeeded: range.count) &* 0x9E37_79B9_7F4A_7C15)
        var offset = range.lowerBound
        repeat {
            value = ByteHash.mix(value ^ word(at: offset, before: range.upperBound))
            offset += 8
        } while offset < range.upperBound
        return value
    }
}

/// The step of the hash.
public enum ByteHash {
    /// Spreads every bit of `value` over all of the result: both halves of its product with an odd constant, folded.
    @inlinable
    public static func mix(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
        return product.high ^ product.low
    }
}
