import Bytes

/// The bytes of one telegram from its `/` on, until it is complete or shows that it never will be.
///
/// Versions 2.2 and 3 speak 7E1. On a port opened 8N1 their parity bit arrives as bit 7, so ends are looked for without
/// it; it is taken off where every byte of the telegram has even parity, and nowhere else.
struct OpenTelegram: Sendable {
    enum Step: Equatable {
        case needMore
        case complete
        case tooLong
        case malformed

        var refusal: SkippedBytes.Reason { self == .tooLong ? .tooLong : .malformed }
    }

    private(set) var bytes: [UInt8]
    private let startedAt: ContinuousClock.Instant
    /// Where the `!` is that begins a line.
    private var end: Int?
    private var atLineStart = false

    init(slash: UInt8, startedAt: ContinuousClock.Instant) {
        bytes = [slash]
        self.startedAt = startedAt
    }

    mutating func append(_ byte: UInt8) -> Step {
        let character = byte & 0x7F
        bytes.append(byte)
        defer { atLineStart = character == UInt8(ascii: "\n") }
        guard let end else {
            if character == UInt8(ascii: "!"), atLineStart { self.end = bytes.count - 1 }
            return bytes.count < DSMRDecoder.limit ? .needMore : .tooLong
        }
        if character == UInt8(ascii: "\n") { return .complete }
        return bytes.count - end < Self.longestTail ? .needMore : .malformed
    }

    /// `!`, four hex digits, a stray NUL, CR, LF.
    private static let longestTail = 8

    /// What the telegram says, or why it can't be believed.
    func read(checksumExpected: Bool) throws(SkippedBytes.Reason) -> Telegram {
        guard let end else { throw .malformed }
        let bytes = carriesEvenParity ? bytes.map { $0 & 0x7F } : bytes
        let checksum = try check(bytes, end: end)
        let lines = TelegramLines(bytes[1..<end])
        var telegram = Telegram(
            identification: lines.identification, entries: lines.entries, checksum: checksum, startedAt: startedAt,
            lengthInBytes: bytes.count, unreadableLines: lines.unreadable)
        telegram.time = lines.entries.first { $0.code == .clock }?.time ?? .notSent
        if checksum == .absent { try check(unproven: telegram, lines, checksumExpected: checksumExpected) }
        return telegram
    }

    private var carriesEvenParity: Bool {
        bytes.contains { $0 >= 0x80 } && bytes.allSatisfy { $0.nonzeroBitCount.isMultiple(of: 2) }
    }

    private func check(_ bytes: [UInt8], end: Int) throws(SkippedBytes.Reason) -> Telegram.ChecksumState {
        let sent = try Self.checksum(inTail: bytes[(end + 1)...])
        guard let sent else { return .absent }
        let computed = Checksum.arc(bytes.span.extracting(0...end))
        guard sent == computed else { throw .checksumWrong(sent: sent, computed: computed) }
        return .matched
    }

    /// The checksum between `!` and the end of line: up to four upper-case hex digits, for some meters leave out leading
    /// zeros (`!B9F`), perhaps a NUL, CR, LF; nil where there are no digits.
    private static func checksum(inTail tail: ArraySlice<UInt8>) throws(SkippedBytes.Reason) -> UInt16? {
        var rest = tail
        var sum: UInt16?
        while let byte = rest.first, let digit = upperCaseHexDigit(byte), tail.count - rest.count < 4 {
            sum = (sum ?? 0) << 4 | UInt16(digit)
            rest = rest.dropFirst()
        }
        if sum != nil, rest.first == 0 { rest = rest.dropFirst() }
        guard rest.elementsEqual([UInt8(ascii: "\r"), UInt8(ascii: "\n")]) else { throw .malformed }
        return sum
    }

    /// Lower case is not accepted, or a flipped bit in the checksum itself would go unnoticed.
    private static func upperCaseHexDigit(_ byte: UInt8) -> UInt8? {
        byte < UInt8(ascii: "a") ? Hex.value(ofDigit: byte) : nil
    }

    /// Without a checksum everything else must be right: a telegram of version 2.2 or 3, every line readable.
    private func check(
        unproven telegram: Telegram, _ lines: TelegramLines, checksumExpected: Bool
    ) throws(SkippedBytes.Reason) {
        if checksumExpected || telegram.entries.contains(where: { $0.code.comesWithChecksum }) {
            throw .checksumMissing
        }
        guard lines.unreadable == 0, lines.hasOrderlyHeader else { throw .malformed }
    }
}

extension OBISCode {
    static let clock = OBISCode(0, 0, 1, 0, 0)

    /// The clock and the version numbers of DSMR and e-MUCS: sent from version 4 on, as is the checksum.
    fileprivate var comesWithChecksum: Bool {
        self == .clock || self == OBISCode(1, 3, 0, 2, 8) || self == OBISCode(0, 0, 96, 1, 4)
    }
}
