import Bytes

/// Finds the messages of German smart meters in a stream of bytes: SML files in the transport protocol, version 1.
///
/// A file begins with `1B1B1B1B 01010101` and ends with `1B1B1B1B 1A`, the count of padding bytes and a CRC over all before
/// it; four bytes 1B inside are doubled. Nearly all meters take CRC-16/X-25; Holley's take CRC-16/KERMIT: what a meter's first
/// file had, all others must have. [BSI TR-03109-1, Smart Message Language, section 8]
package struct SMLDecoder: Sendable {
    /// The longest file; real ones have 200 to 700 bytes.
    package static let limit = 4_096
    private static let start: [UInt8] = [0x1B, 0x1B, 0x1B, 0x1B, 1, 1, 1, 1]
    private static let escape: UInt8 = 0x1B

    private enum Sum {
        case x25, kermit
    }

    private let longestPause: Duration
    /// From its first byte on, as sent.
    private var file: [UInt8] = []
    private var startedAt: ContinuousClock.Instant?
    /// Where the next group of four is looked at, of which none was an end.
    private var looked = 0
    private var sum: Sum?
    private var skips = SkipCount()
    private var lastByteAt: ContinuousClock.Instant?

    package init(longestPause: Duration) {
        self.longestPause = longestPause
    }

    /// Takes what the port delivered; see `StreamDecoder.received`.
    package mutating func received(_ bytes: Span<UInt8>, at now: ContinuousClock.Instant) -> [StreamEvent] {
        guard !bytes.isEmpty else { return [] }
        var events: [StreamEvent] = []
        if let lastByteAt, now - lastByteAt > longestPause { discard(.fellSilent, into: &events) }
        lastByteAt = now
        for index in bytes.indices { received(bytes[index], at: now, into: &events) }
        return events
    }

    /// Gives up the file that was begun: nothing came for too long.
    package mutating func fellSilent() -> [StreamEvent] {
        var events: [StreamEvent] = []
        discard(.fellSilent, into: &events)
        return events
    }

    /// What was skipped and not told yet.
    package mutating func takeSkipped() -> SkippedBytes? { skips.take() }

    private mutating func received(_ byte: UInt8, at now: ContinuousClock.Instant, into events: inout [StreamEvent]) {
        if file.isEmpty { startedAt = now }
        file.append(byte)
        if file.count <= Self.start.count {
            while !Self.start.starts(with: file) {
                file.removeFirst()
                skips.skip(1, .noise, into: &events)
            }
            looked = Self.start.count
            return
        }
        if byte == 1, beginsAnew { return beginAnew(into: &events) }
        while file.count >= looked + 8 {
            let (first, next) = (file[looked..<looked + 4], file[looked + 4..<looked + 8])
            guard first.allSatisfy({ $0 == Self.escape }) else {
                looked += 4
                continue
            }
            if next.first == 0x1A { return finish(into: &events) }
            // Else it is 1B1B1B1B of the message, which is doubled, but perhaps not where a group of four begins.
            looked += next.allSatisfy { $0 == Self.escape } ? 8 : 4
        }
        if file.count > Self.limit { discard(.tooLong, into: &events) }
    }

    /// Whether a start stands at the end: the bytes of one file were lost, and with them where its groups of four begin.
    private var beginsAnew: Bool {
        guard file.suffix(Self.start.count).elementsEqual(Self.start) else { return false }
        let run = file.dropLast(4).reversed().prefix { $0 == Self.escape }.count
        // Eight of them are four of a message.
        return run % 8 == 4
    }

    private mutating func beginAnew(into events: inout [StreamEvent]) {
        file.removeLast(Self.start.count)
        discard(.cutShort, into: &events)
        (file, startedAt, looked) = (Self.start, lastByteAt, Self.start.count)
    }

    private mutating func finish(into events: inout [StreamEvent]) {
        do throws(SkippedBytes.Reason) {
            let telegram = try read()
            skips.flush(into: &events)
            events.append(.telegram(telegram))
            file = []
        } catch {
            // Where a byte of the end was lost, the last one here is the first of the next file.
            let began = (1..<Self.start.count).reversed().first { file.suffix($0).elementsEqual(Self.start.prefix($0)) }
            file.removeLast(began ?? 0)
            discard(error, into: &events)
            file = Array(Self.start.prefix(began ?? 0))
            startedAt = lastByteAt
        }
    }

    private mutating func discard(_ reason: SkippedBytes.Reason, into events: inout [StreamEvent]) {
        guard !file.isEmpty else { return }
        skips.flush(into: &events)
        events.append(.skipped(SkippedBytes(count: file.count, reason: reason)))
        file = []
    }

    // MARK: a whole file

    private mutating func read() throws(SkippedBytes.Reason) -> Telegram {
        let count = file.count
        let sent = UInt16(file[count - 2]) | UInt16(file[count - 1]) << 8
        let (computed, other) = Self.sums(file.dropLast(2))
        let found: Sum? = sent == computed ? .x25 : sent == other ? .kermit : nil
        guard let found, sum == nil || sum == found else { throw .checksumWrong(sent: sent, computed: computed) }
        let padding = Int(file[count - 3])
        let content = Self.unescaped(file[Self.start.count..<count - 8])
        guard padding <= 3, content.count > padding, content.suffix(padding).allSatisfy({ $0 == 0 }) else {
            throw .malformed
        }
        guard let telegram = SMLFile.telegram(content.dropLast(padding), startedAt: startedAt, length: count) else {
            throw .malformed
        }
        sum = found
        return telegram
    }

    private static func sums(_ bytes: ArraySlice<UInt8>) -> (x25: UInt16, kermit: UInt16) {
        (Checksum.x25(bytes.span), Checksum.kermit(bytes.span))
    }

    private static func unescaped(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var content: [UInt8] = []
        var run = 0
        var index = bytes.startIndex
        while index < bytes.endIndex {
            content.append(bytes[index])
            run = bytes[index] == escape ? run + 1 : 0
            index += 1
            // The four that follow are there only to say that these are no end.
            if run == 4 {
                index += 4
                run = 0
            }
        }
        return content
    }
}

extension SkipCount {
    /// Tells what was skipped before a message.
    mutating func flush(into events: inout [StreamEvent]) {
        if let told = take() { events.append(.skipped(told)) }
    }
}
