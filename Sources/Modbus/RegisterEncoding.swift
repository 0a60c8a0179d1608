extension RegisterType {
    /// The registers that hold a number: the other way round than `decode`.
    ///
    /// A whole type takes the number rounded, and its nearest end where it does not fit. Texts are empty.
    package func encode(_ number: Double, order: WordOrder = .ABCD) -> [UInt16] {
        let bits: UInt64 =
            switch self {
            case .bool: number == 0 ? 0 : 1
            case .u16: UInt64(Self.whole(number, as: UInt16.self))
            case .u32: UInt64(Self.whole(number, as: UInt32.self))
            case .u64: Self.whole(number, as: UInt64.self)
            case .s16: UInt64(truncatingIfNeeded: Self.whole(number, as: Int16.self))
            case .s32: UInt64(truncatingIfNeeded: Self.whole(number, as: Int32.self))
            case .s64: UInt64(bitPattern: Self.whole(number, as: Int64.self))
            case .float32: UInt64(Float(number).bitPattern)
            case .float64: number.bitPattern
            case .bcd16: Self.digits(number, 4)
            case .bcd32: Self.digits(number, 8)
            case .text4, .text8, .text16, .text32: 0
            }
        return registers(bits, order)
    }

    private static func whole<Number: FixedWidthInteger>(_ number: Double, as type: Number.Type) -> Number {
        guard number == number else { return 0 }
        return Number(exactly: number.rounded()) ?? (number < 0 ? .min : .max)
    }

    private static func digits(_ number: Double, _ count: Int) -> UInt64 {
        var rest = Self.whole(max(0, number), as: UInt64.self)
        var bits: UInt64 = 0
        for position in 0..<count {
            bits |= (rest % 10) << UInt64(position * 4)
            rest /= 10
        }
        return bits
    }

    private func registers(_ bits: UInt64, _ order: WordOrder) -> [UInt16] {
        guard !isText else { return Array(repeating: 0, count: registerCount) }
        var words = (0..<registerCount).reversed().map { UInt16(truncatingIfNeeded: bits >> UInt64($0 * 16)) }
        if order == .CDAB || order == .DCBA { words.reverse() }
        if order == .BADC || order == .DCBA { words = words.map(\.byteSwapped) }
        return words
    }
}
