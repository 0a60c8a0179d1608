/// CRC-32C (Castagnoli), as iSCSI, ext4 and SCTP use it: polynomial 0x82F63B78 reflected, start and end inverted.
///
/// Grows as bytes are added; a copy taken on the way is a start for others. Eight bytes at a time with eight tables,
/// about one gigabyte in a second: what it guards is longer than a serial frame, so the tables pay here.
package struct CRC32C: Equatable, Sendable {
    private var register: UInt32 = ~0

    package init() {}

    /// The sum of the bytes so far.
    package var value: UInt32 { ~register }

    /// The sum of these bytes alone.
    package static func of(_ bytes: Span<UInt8>) -> UInt32 {
        var sum = CRC32C()
        sum.add(bytes)
        return sum.value
    }

    package mutating func add(_ bytes: Span<UInt8>) {
        let tables = Self.tables.span
        var offset = 0
        while offset + 8 <= bytes.count {
            register = Self.added(Self.eightBytes(of: bytes, at: offset), to: register, tables)
            offset += 8
        }
        while offset < bytes.count {
            register = register >> 8 ^ tables[Int(UInt8(truncatingIfNeeded: register) ^ bytes[offset])]
            offset += 1
        }
    }

    /// Adds the eight bytes of a number, lowest first.
    package mutating func add(_ number: UInt64) {
        register = Self.added(number, to: register, Self.tables.span)
    }

    @inline(__always)
    private static func eightBytes(of bytes: Span<UInt8>, at offset: Int) -> UInt64 {
        // The span checks that the bytes are there; any bytes are a number.
        unsafe UInt64(littleEndian: bytes.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    @inline(__always)
    private static func added(_ number: UInt64, to register: UInt32, _ tables: Span<UInt32>) -> UInt32 {
        let mixed = number ^ UInt64(register)
        let low =
            tables[0x700 | Int(mixed & 0xFF)] ^ tables[0x600 | Int(mixed >> 8 & 0xFF)]
            ^ tables[0x500 | Int(mixed >> 16 & 0xFF)] ^ tables[0x400 | Int(mixed >> 24 & 0xFF)]
        let high =
            tables[0x300 | Int(mixed >> 32 & 0xFF)] ^ tables[0x200 | Int(mixed >> 40 & 0xFF)]
            ^ tables[0x100 | Int(mixed >> 48 & 0xFF)] ^ tables[Int(mixed >> 56)]
        return low ^ high
    }

    /// Eight tables of 256: what a byte does to the sum, and what it has done when one to seven more came after it.
    ///
    /// An array, for an `InlineArray` of this size was copied at every use: two hundred times as slow.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 2048)
        for byte in 0..<256 {
            var sum = UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0x82F6_3B78 : sum >> 1 }
            tables[byte] = sum
        }
        for place in 256..<2048 {
            let before = tables[place - 256]
            tables[place] = before >> 8 ^ tables[Int(before & 0xFF)]
        }
        return tables
    }()
}
