/// The four tables of a Modbus device. [Modbus application protocol V1.1b3, section 4.3]
package enum RegisterTable: String, CaseIterable, Sendable {
    case coil
    case discrete
    case input
    case holding

    /// Whether its entries are single bits.
    package var isBits: Bool { self == .coil || self == .discrete }
}

/// How a value lies in registers; the raw value is the word in a profile.
package enum RegisterType: String, CaseIterable, Sendable {
    case bool
    case u16
    case s16
    case u32
    case s32
    case u64
    case s64
    case float32
    case float64
    case bcd16
    case bcd32
    case text4
    case text8
    case text16
    case text32

    /// How many registers it takes.
    package var registerCount: Int {
        switch self {
        case .bool, .u16, .s16, .bcd16: 1
        case .u32, .s32, .float32, .bcd32: 2
        case .u64, .s64, .float64: 4
        case .text4: 2
        case .text8: 4
        case .text16: 8
        case .text32: 16
        }
    }

    /// Whether its highest bit is a sign.
    package var isSigned: Bool { self == .s16 || self == .s32 || self == .s64 }

    /// Whether it is a whole number in plain binary.
    package var isWhole: Bool {
        switch self {
        case .u16, .u32, .u64, .s16, .s32, .s64: true
        default: false
        }
    }

    package var isText: Bool {
        switch self {
        case .text4, .text8, .text16, .text32: true
        default: false
        }
    }
}

/// The order of the bytes A (highest) to D (lowest) of a 32-bit value over two registers; wider values follow suit.
package enum WordOrder: String, CaseIterable, Sendable {
    case ABCD
    /// Low register first.
    case CDAB
    /// Bytes swapped in each register.
    case BADC
    /// Both.
    case DCBA
}

/// A decoded value, before scale and unit.
package enum RegisterValue: Equatable, Sendable {
    case boolean(Bool)
    case integer(Int64)
    case unsigned(UInt64)
    case number(Double)
    case text(String)
}

extension RegisterType {
    /// The value of `registers`, which must be `registerCount` of them; nil for BCD digits above 9, for a float that
    /// is no number, and for too few registers.
    package func decode(_ registers: ArraySlice<UInt16>, order: WordOrder = .ABCD, bit: Int? = nil) -> RegisterValue? {
        guard registers.count >= registerCount else { return nil }
        let words = ordered(registers.prefix(registerCount), order)
        let bits = words.reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
        switch self {
        case .bool: return .boolean(bit.map { bits >> UInt64($0 & 15) & 1 == 1 } ?? (bits != 0))
        case .u16, .u32, .u64: return .unsigned(bits)
        case .s16: return .integer(Int64(Int16(truncatingIfNeeded: bits)))
        case .s32: return .integer(Int64(Int32(truncatingIfNeeded: bits)))
        case .s64: return .integer(Int64(bitPattern: bits))
        case .float32: return Self.number(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
        case .float64:
            let number = Double(bitPattern: bits)
            return number.isFinite ? .number(number) : nil
        case .bcd16, .bcd32: return Self.bcd(bits, digits: registerCount * 4)
        case .text4, .text8, .text16, .text32: return Self.text(words)
        }
    }

    private func ordered(_ registers: ArraySlice<UInt16>, _ order: WordOrder) -> [UInt16] {
        var words = Array(registers)
        if !isText, order == .CDAB || order == .DCBA { words.reverse() }
        if order == .BADC || order == .DCBA { words = words.map(\.byteSwapped) }
        return words
    }

    /// Goes through the shortest decimal: a meter's 230.2 must not become 230.1999969482422.
    private static func number(_ float: Float) -> RegisterValue? {
        guard float.isFinite else { return nil }
        return Double(float.description).map { .number($0) }
    }

    private static func bcd(_ bits: UInt64, digits: Int) -> RegisterValue? {
        var value: UInt64 = 0
        for position in stride(from: digits - 1, through: 0, by: -1) {
            let digit = bits >> UInt64(position * 4) & 0xF
            guard digit <= 9 else { return nil }
            value = value * 10 + digit
        }
        return .unsigned(value)
    }

    /// Printable bytes up to the first zero, without spaces at the end.
    private static func text(_ words: [UInt16]) -> RegisterValue {
        let bytes = words.flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] }
        var kept = Array(bytes.prefix { $0 != 0 })
        while kept.last == UInt8(ascii: " ") { kept.removeLast() }
        return .text(String(decoding: kept.map { $0 < 0x20 || $0 > 0x7E ? UInt8(ascii: "?") : $0 }, as: UTF8.self))
    }
}
