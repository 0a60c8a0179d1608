/// Finds the data messages of meters after IEC 62056-21, which are read out (mode A to C) or push (mode D).
///
/// A message begins with the identification `/AAAz…`. A readout goes on with STX and ends with ETX and a block check
/// character, the exclusive-or of all after STX; a push has neither, and ends with `!`. What cannot be proven must be
/// right to its last line. Once a meter sent a check character, a message without one is damaged. Characters have seven
/// bits; on a line that carries eight, their even parity stands in the highest and is checked here.
package struct IECDecoder: Sendable {
    /// The longest message; readouts with their history have up to 6000 bytes.
    package static let limit = 8_192
    private static let stx: UInt8 = 2
    private static let etx: UInt8 = 3

    private enum Place {
        case outside
        /// From `/` on, before any STX.
        case plain
        /// Behind STX.
        case block
        /// The next byte is the check character.
        case check
    }

    private let longestPause: Duration
    private var place = Place.outside
    private var bytes: [UInt8] = []
    /// Where the data begins: behind STX.
    private var dataStart = 0
    private var startedAt: ContinuousClock.Instant?
    private var lastByteAt: ContinuousClock.Instant?
    private var skipped = SkipCount()
    private var checkExpected = false
    /// Whether the message has its parity in the eighth bit: the line is set to eight data bits without one.
    private var hasParity = false

    package init(longestPause: Duration) {
        self.longestPause = longestPause
    }

    /// Takes what the port delivered; see `StreamDecoder.received`.
    package mutating func received(_ new: Span<UInt8>, at now: ContinuousClock.Instant) -> [StreamEvent] {
        guard !new.isEmpty else { return [] }
        var events: [StreamEvent] = []
        if let lastByteAt, now - lastByteAt > longestPause { events = fellSilent() }
        lastByteAt = now
        for index in new.indices { received(new[index], now, &events) }
        return events
    }

    /// Gives up the message that was begun: nothing came for too long.
    package mutating func fellSilent() -> [StreamEvent] {
        var events: [StreamEvent] = []
        giveUp(.fellSilent, &events)
        return events
    }

    /// What was skipped and not told yet.
    package mutating func takeSkipped() -> SkippedBytes? { skipped.take() }

    private mutating func received(_ sent: UInt8, _ now: ContinuousClock.Instant, _ events: inout [StreamEvent]) {
        if sent == EvenParity.adding(to: UInt8(ascii: "/")) || sent == UInt8(ascii: "/"), place != .check {
            hasParity = sent != UInt8(ascii: "/")
        }
        guard let byte = hasParity ? EvenParity.removing(from: sent) : sent else {
            bytes.append(sent)
            return giveUp(.malformed, &events)
        }
        if place == .check {
            bytes.append(byte)
            return finishBlock(byte, &events)
        }
        // Values have no slash: it is only ever the start.
        if byte == UInt8(ascii: "/") {
            giveUp(.cutShort, &events)
            (place, bytes, startedAt) = (.plain, [byte], now)
            return
        }
        guard place != .outside else {
            return skipped.skip(1, .noise, into: &events)
        }
        bytes.append(byte)
        guard bytes.count <= Self.limit else { return giveUp(.tooLong, &events) }
        guard byte == Self.stx || byte == Self.etx || (0x20...0x7E).contains(byte) || byte == 0x0D || byte == 0x0A
        else {
            return giveUp(.malformed, &events)
        }
        if place == .plain { inPlain(byte, &events) } else { inBlock(byte, &events) }
    }

    private mutating func inPlain(_ byte: UInt8, _ events: inout [StreamEvent]) {
        if byte == Self.stx {
            // Only the identification may stand before it.
            guard isOneLine else { return giveUp(.malformed, &events) }
            (place, dataStart) = (.block, bytes.count)
        } else if byte == Self.etx {
            giveUp(.malformed, &events)
        } else if byte == 0x0A, bytes.suffix(4).elementsEqual([0x0A, 0x21, 0x0D, 0x0A]) {
            finishPlain(&events)
        }
    }

    private mutating func inBlock(_ byte: UInt8, _ events: inout [StreamEvent]) {
        if byte == Self.stx { return giveUp(.malformed, &events) }
        if byte == Self.etx { place = .check }
    }

    private var isOneLine: Bool {
        bytes.count { $0 == 0x0A } == 1 && bytes.dropLast().last == 0x0A
    }

    private mutating func finishBlock(_ sent: UInt8, _ events: inout [StreamEvent]) {
        let computed = bytes[dataStart...].dropLast().reduce(0) { $0 ^ $1 }
        guard sent == computed else {
            return giveUp(.checksumWrong(sent: UInt16(sent), computed: UInt16(computed)), &events)
        }
        let data = bytes[dataStart...].dropLast(2)
        // The last line is `!` alone; a message of several blocks has it in the last.
        guard data.suffix(3).elementsEqual([0x21, 0x0D, 0x0A]) else { return giveUp(.malformed, &events) }
        checkExpected = true
        finish(data.dropLast(3), .matched, &events)
    }

    private mutating func finishPlain(_ events: inout [StreamEvent]) {
        guard !checkExpected else { return giveUp(.checksumMissing, &events) }
        let start = (bytes.firstIndex(of: 0x0A) ?? 0) + 1
        finish(bytes[start...].dropLast(3), .absent, &events)
    }

    private mutating func finish(
        _ data: ArraySlice<UInt8>, _ checksum: Telegram.ChecksumState, _ events: inout [StreamEvent]
    ) {
        let identification = bytes.dropFirst().prefix { $0 != 0x0D && $0 != 0x0A }
        let sets = IECDataSets(data)
        let isOrderly = sets.unreadable == 0 && Self.isOrderly(identification)
        guard let startedAt, checksum == .matched || isOrderly, !sets.entries.isEmpty else {
            return giveUp(.malformed, &events)
        }
        skipped.flush(into: &events)
        events.append(
            .telegram(
                Telegram(
                    identification: String(decoding: identification, as: UTF8.self), entries: sets.entries,
                    checksum: checksum, startedAt: startedAt, lengthInBytes: bytes.count,
                    unreadableLines: sets.unreadable)))
        reset()
    }

    /// Three letters of the maker and a sign for the highest speed. [IEC 62056-21, 6.3.2]
    private static func isOrderly(_ identification: ArraySlice<UInt8>) -> Bool {
        identification.count >= 4
            && identification.prefix(3).allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) }
    }

    private mutating func giveUp(_ reason: SkippedBytes.Reason, _ events: inout [StreamEvent]) {
        if !bytes.isEmpty { skipped.skip(bytes.count, reason, into: &events) }
        reset()
    }

    private mutating func reset() {
        (place, bytes, startedAt, dataStart) = (.outside, [], nil, 0)
    }
}
