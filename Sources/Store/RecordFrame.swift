import Bytes

/// What stands before each record: how long it is, which batch it was committed with, and sums of itself and of it.
///
/// The sums are over the place too, so a frame counts only where it was written. The header has a sum of its own: its
/// length can be trusted where the record is damaged, and looking for the next frame costs sixteen bytes a try.
struct RecordFrame: Equatable, Sendable {
    enum Kind: UInt32, Sendable {
        case record = 0
        /// Stands where a damage was, `length` bytes behind the header.
        case hole = 1
        /// Ends a snapshot; `batch` counts its frames.
        case end = 2
    }

    static let headerLength = 16
    /// The longest record.
    static let longest = 64 << 20

    var kind: Kind
    var length: Int
    /// Where the batch begins that the frame was committed with: what is before that was committed earlier.
    var batch: Int

    /// The sum of everything before the record; the record's bytes are added to it.
    private(set) var sum: CRC32C
    private var recordSum: UInt32 = 0

    init(_ kind: Kind, length: Int, batch: Int, at offset: Int, seed: CRC32C) {
        self.kind = kind
        self.length = length
        self.batch = batch
        let word = kind.rawValue << 30 | UInt32(truncatingIfNeeded: length)
        sum = Self.sum(word, UInt32(truncatingIfNeeded: batch), at: offset, seed)
    }

    /// The header at `index`, if there is one whose sum is right for a frame at `offset` of the file.
    init?(_ bytes: Span<UInt8>, at index: Int, offset: Int, seed: CRC32C) {
        let word = Self.word(bytes, index)
        let batch = Self.word(bytes, index + 4)
        guard let kind = Kind(rawValue: word >> 30) else { return nil }
        length = Int(word & 0x3FFF_FFFF)
        // Cheap questions first: this is asked of every byte behind a damage.
        guard kind != .record || (1...Self.longest).contains(length) && Int(batch) <= offset else { return nil }
        sum = Self.sum(word, batch, at: offset, seed)
        guard sum.value == Self.word(bytes, index + 8) else { return nil }
        self.kind = kind
        self.batch = Int(batch)
        recordSum = Self.word(bytes, index + 12)
        guard kind == .record || recordSum == sum.value else { return nil }
    }

    private static func sum(_ word: UInt32, _ batch: UInt32, at offset: Int, _ seed: CRC32C) -> CRC32C {
        var sum = seed
        sum.add(UInt64(truncatingIfNeeded: offset) << 32 | UInt64(word))
        sum.add(UInt64(batch))
        return sum
    }

    private static func word(_ bytes: Span<UInt8>, _ index: Int) -> UInt32 {
        UInt32(bytes[index]) << 24 | UInt32(bytes[index + 1]) << 16 | UInt32(bytes[index + 2]) << 8
            | UInt32(bytes[index + 3])
    }

    /// Whether these bytes are the record that was written.
    func matches(_ record: Span<UInt8>) -> Bool {
        var sum = sum
        sum.add(record)
        return sum.value == recordSum
    }

    /// Writes the header into the sixteen bytes before the record, which ends with the frame.
    func write(into bytes: inout [UInt8], at index: Int) {
        var whole = sum
        let start = index + Self.headerLength
        if kind == .record { whole.add(bytes.span.extracting(start..<start + length)) }
        let words = [
            kind.rawValue << 30 | UInt32(truncatingIfNeeded: length), UInt32(truncatingIfNeeded: batch), sum.value,
            whole.value,
        ]
        for (place, word) in words.enumerated() {
            for byte in 0..<4 {
                bytes[index + place * 4 + byte] = UInt8(truncatingIfNeeded: word >> UInt32(24 - 8 * byte))
            }
        }
    }

    /// A frame without a record, as bytes.
    var encoded: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.headerLength)
        write(into: &bytes, at: 0)
        return bytes
    }
}
