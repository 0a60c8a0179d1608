// Public, so that what writes packets is inlined in the targets that write them.
extension [UInt8] {
    /// A copy of the borrowed bytes.
    @inlinable
    public init(copying span: Span<UInt8>) {
        self = []
        append(copying: span)
    }

    /// A copy of the borrowed bytes in `range`.
    @inlinable
    public init(copying span: Span<UInt8>, _ range: Range<Int>) {
        self.init(copying: span.extracting(range))
    }

    /// Appends the borrowed bytes.
    @inlinable
    public mutating func append(copying span: Span<UInt8>) {
        unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// Appends two bytes, high byte first.
    @inlinable
    public mutating func append(bigEndian value: UInt16) {
        append(UInt8(value >> 8))
        append(UInt8(truncatingIfNeeded: value))
    }

    /// Appends four bytes, high byte first.
    @inlinable
    public mutating func append(bigEndian value: UInt32) {
        append(bigEndian: UInt16(value >> 16))
        append(bigEndian: UInt16(truncatingIfNeeded: value))
    }
}
