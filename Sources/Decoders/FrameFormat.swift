import Bytes

/// One kind of binary frame: how it begins, how long it is, and what proves it.
package struct FrameFormat: Equatable, Sendable {
    /// How the end is found.
    package enum Length: Equatable, Sendable {
        /// In bytes, all of them.
        case fixed(Int)
        /// A field says it; `add` is what the field leaves out.
        case field(FrameField, add: Int)
        /// Where the end bytes stand.
        case untilEnd
    }

    package var name: String
    package var start: [UInt8]
    package var length: Length
    package var end: [UInt8] = []
    package var checksums: [FrameChecksum] = []
    /// The longest frame.
    package var maximum = 512

    package init(name: String, start: [UInt8], length: Length) {
        self.name = name
        self.start = start
        self.length = length
    }
}

/// A sum that a frame carries over a part of itself.
package struct FrameChecksum: Equatable, Sendable {
    /// The raw value is the word in a profile.
    package enum Kind: String, CaseIterable, Sendable {
        case sum8
        /// 0x100 less the sum: MH-Z19.
        case negatedSum8 = "neg-sum8"
        /// The sum of all bytes with it is 0: VE.Direct.
        case zeroSum8 = "zero-sum8"
        case xor8
        case sum16be
        case sum16le
        case sum32be
        case modbus
        case arc
        case x25
        case kermit

        /// How many bytes it takes; the one without a place of its own takes none.
        package var byteCount: Int {
            switch self {
            case .zeroSum8: 0
            case .sum8, .negatedSum8, .xor8: 1
            case .sum16be, .sum16le, .modbus, .arc, .x25, .kermit: 2
            case .sum32be: 4
            }
        }
    }

    package var kind: Kind
    /// The first byte that it covers; a negative number counts from the end of the frame.
    package var first: Int
    /// The last byte that it covers.
    package var last: Int
    /// Where it stands.
    package var at: Int

    package init(_ kind: Kind, from first: Int, through last: Int, at: Int) {
        self.kind = kind
        self.first = first
        self.last = last
        self.at = at
    }

    /// Nil where the sum is right, else why not.
    func refusal(of frame: [UInt8]) -> SkippedBytes.Reason? {
        guard let first = FramePlace.index(first, in: frame.count), let last = FramePlace.index(last, in: frame.count),
            first <= last
        else { return .malformed }
        let computed = sum(of: frame, first, last)
        guard kind != .zeroSum8 else {
            return computed == 0 ? nil : .checksumWrong(sent: 0, computed: UInt16(computed))
        }
        guard let at = FramePlace.index(at, in: frame.count), at + kind.byteCount <= frame.count else {
            return .malformed
        }
        var sent: UInt32 = 0
        for index in 0..<kind.byteCount {
            let shift = isLowFirst ? 8 * index : 8 * (kind.byteCount - 1 - index)
            sent |= UInt32(frame[at + index]) << UInt32(shift)
        }
        guard sent != computed else { return nil }
        return .checksumWrong(sent: UInt16(truncatingIfNeeded: sent), computed: UInt16(truncatingIfNeeded: computed))
    }

    private var isLowFirst: Bool {
        switch kind {
        case .sum16le, .modbus, .arc, .x25, .kermit: true
        case .sum8, .negatedSum8, .zeroSum8, .xor8, .sum16be, .sum32be: false
        }
    }

    private func sum(of frame: [UInt8], _ first: Int, _ last: Int) -> UInt32 {
        let bytes = frame.span.extracting(first...last)
        switch kind {
        case .sum8, .zeroSum8: return Self.plain(bytes) & 0xFF
        case .negatedSum8: return (0x100 - Self.plain(bytes) & 0xFF) & 0xFF
        case .xor8: return frame[first...last].reduce(0) { $0 ^ UInt32($1) }
        case .sum16be, .sum16le: return Self.plain(bytes) & 0xFFFF
        case .sum32be: return Self.plain(bytes)
        case .modbus: return UInt32(Checksum.modbus(bytes))
        case .arc: return UInt32(Checksum.arc(bytes))
        case .x25: return UInt32(Checksum.x25(bytes))
        case .kermit: return UInt32(Checksum.kermit(bytes))
        }
    }

    private static func plain(_ bytes: Span<UInt8>) -> UInt32 {
        var sum: UInt32 = 0
        for index in bytes.indices { sum &+= UInt32(bytes[index]) }
        return sum
    }
}

/// A place in a frame.
enum FramePlace {
    /// The index that a number means: a negative one counts from the end; nil where there is no such byte.
    static func index(_ place: Int, in count: Int) -> Int? {
        let index = place < 0 ? count + place : place
        return index >= 0 && index < count ? index : nil
    }
}
