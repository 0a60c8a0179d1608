extension Span<UInt8> {
    /// Whether both hold the same bytes, compared eight at a time.
    ///
    /// Public, so that it is inlined where topics are compared, once for each message.
    @inlinable
    public func hasSameBytes(as other: borrowing Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        // Swift 6.2 calls this safe, and complains of a word too many.
        #if compiler(>=6.3)
            let (left, right) = unsafe (bytes, other.bytes)
        #else
            let (left, right) = (bytes, other.bytes)
        #endif
        var offset = 0
        while offset + 8 <= count {
            // Both are `count` bytes long, checked above.
            let leftWord = unsafe left.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
            let rightWord = unsafe right.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
            guard leftWord == rightWord else { return false }
            offset += 8
        }
        while offset < count {
            guard self[offset] == other[offset] else { return false }
            offset += 1
        }
        return true
    }
}
