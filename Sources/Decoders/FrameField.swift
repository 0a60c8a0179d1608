/// One value in a binary frame: where it stands and how its bytes are read.
package struct FrameField: Equatable, Sendable {
    /// What the bytes are.
    package enum Kind: Equatable, Sendable {
        case unsigned
        case signed
        case float
        /// Two decimal digits in each byte.
        case bcd
        /// The bytes themselves, as hex digits.
        case hex
        case text
    }

    /// What was read.
    package enum Content: Equatable, Sendable {
        case integer(Int64)
        case number(Double)
        case text(String)
    }

    /// A negative number counts from the end of the frame.
    package var at: Int
    package var kind: Kind
    package var byteCount: Int
    package var isLowFirst = false
    /// The bits that count, moved down to the lowest.
    package var mask: UInt64?

    package init(at: Int, _ kind: Kind, byteCount: Int, isLowFirst: Bool = false, mask: UInt64? = nil) {
        self.at = at
        self.kind = kind
        self.byteCount = byteCount
        self.isLowFirst = isLowFirst
        self.mask = mask
    }

    /// Reads a type as profiles write it: `u8`, `s16le`, `u24be`, `float32`, `bcd4`, `hex2`, `text16`; nil for others.
    ///
    /// Without an ending it is high byte first. The numbers of `bcd`, `hex` and `text` are bytes.
    package init?(at: Int, type: String) {
        var name = type[...]
        var isLowFirst = false
        if name.hasSuffix("le") || name.hasSuffix("be") {
            isLowFirst = name.hasSuffix("le")
            name = name.dropLast(2)
        }
        let word = name.prefix { !$0.isNumber }
        guard let size = Int(name.dropFirst(word.count)), size >= 1, size <= 64, let kind = Self.kinds[String(word)]
        else {
            return nil
        }
        switch kind {
        case .unsigned, .signed:
            guard size % 8 == 0, size <= 64 else { return nil }
            self.init(at: at, kind, byteCount: size / 8, isLowFirst: isLowFirst)
        case .float:
            guard size == 32 || size == 64 else { return nil }
            self.init(at: at, kind, byteCount: size / 8, isLowFirst: isLowFirst)
        case .bcd:
            guard size <= 8 else { return nil }
            self.init(at: at, kind, byteCount: size, isLowFirst: isLowFirst)
        case .hex, .text: self.init(at: at, kind, byteCount: size, isLowFirst: isLowFirst)
        }
    }

    private static let kinds: [String: Kind] = [
        "u": .unsigned, "s": .signed, "float": .float, "bcd": .bcd, "hex": .hex, "text": .text,
    ]

    /// The value in a frame; nil where the frame is too short or the bytes mean none.
    package func content(in frame: [UInt8]) -> Content? {
        guard let start = FramePlace.index(at, in: frame.count), start + byteCount <= frame.count else { return nil }
        let bytes = Array(frame[start..<start + byteCount])
        switch kind {
        case .hex: return .text(bytes.map(Self.hex).joined())
        case .text: return Self.text(bytes)
        case .bcd: return Self.bcd(isLowFirst ? bytes.reversed() : bytes)
        case .unsigned, .signed, .float: return number(bits(bytes))
        }
    }

    private func bits(_ bytes: [UInt8]) -> UInt64 {
        let ordered = isLowFirst ? bytes.reversed() : bytes
        return ordered.reduce(0) { $0 << 8 | UInt64($1) }
    }

    private func number(_ all: UInt64) -> Content? {
        if kind == .float {
            let number = byteCount == 4 ? Double(Float(bitPattern: UInt32(all))) : Double(bitPattern: all)
            guard number.isFinite else { return nil }
            // A float has seven digits; the rest would be made up.
            return .number(byteCount == 4 ? Double("\(Float(bitPattern: UInt32(all)))") ?? number : number)
        }
        if let mask {
            return mask == 0 ? nil : .integer(Int64(bitPattern: (all & mask) >> UInt64(mask.trailingZeroBitCount)))
        }
        guard kind == .signed, byteCount < 8 else {
            return byteCount < 8 || kind == .signed
                ? .integer(Int64(bitPattern: all)) : Int64(exactly: all).map { .integer($0) }
        }
        let shift = UInt64(64 - 8 * byteCount)
        return .integer(Int64(bitPattern: all << shift) >> Int64(shift))
    }

    private static func bcd(_ bytes: [UInt8]) -> Content? {
        var result: Int64 = 0
        for byte in bytes {
            guard byte >> 4 < 10, byte & 15 < 10 else { return nil }
            let (tens, overflow) = result.multipliedReportingOverflow(by: 100)
            guard !overflow else { return nil }
            result = tens + Int64(byte >> 4) * 10 + Int64(byte & 15)
        }
        return .integer(result)
    }

    private static func text(_ bytes: [UInt8]) -> Content? {
        let used = bytes.prefix { $0 != 0 }
        guard let text = String(validating: used, as: UTF8.self) else { return nil }
        let inner = text.drop { $0 == " " }
        let trailing = inner.reversed().prefix { $0 == " " }.count
        return .text(String(inner.dropLast(trailing)))
    }

    private static func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return digits.count == 1 ? "0" + digits : digits
    }
}
