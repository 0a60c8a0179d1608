import Bytes

/// Finds the telegrams of a smart meter's P1 port in a stream of bytes.
///
/// The meter pushes one every second (DSMR 5) or every ten: from `/` to `!`, then up to four hex digits of CRC16/ARC
/// over everything from `/` to `!` inclusive. Version 2.2 has no checksum. A telegram whose checksum is wrong yields
/// nothing: a value with a flipped digit looks like any other.
package struct DSMRDecoder: Sendable {
    /// The longest telegram; real ones have 400 to 1500 bytes.
    package static let limit = 4096
    /// The longest pause inside one telegram; the meter sends it in one go.
    package static let longestPause: Duration = .seconds(2)

    private var telegram: OpenTelegram?
    private var noise = 0
    private var lastByteAt: ContinuousClock.Instant?
    /// Once a meter has sent a checksum, a telegram without one is damaged.
    private var checksumExpected = false

    package init() {}

    /// Takes what the port delivered; see `StreamDecoder.received`.
    package mutating func received(_ bytes: Span<UInt8>, at now: ContinuousClock.Instant) -> [StreamEvent] {
        guard !bytes.isEmpty else { return [] }
        var events: [StreamEvent] = []
        if let lastByteAt, now - lastByteAt > Self.longestPause { discard(.fellSilent, into: &events) }
        lastByteAt = now
        for index in bytes.indices {
            received(bytes[index], at: now, into: &events)
        }
        return events
    }

    /// Gives up the telegram that was begun: nothing came for too long.
    package mutating func fellSilent() -> [StreamEvent] {
        var events: [StreamEvent] = []
        discard(.fellSilent, into: &events)
        return events
    }

    /// What was skipped and not told yet.
    package mutating func takeSkipped() -> SkippedBytes? {
        guard noise > 0 else { return nil }
        defer { noise = 0 }
        return SkippedBytes(count: noise, reason: .noise)
    }

    private mutating func received(_ byte: UInt8, at now: ContinuousClock.Instant, into events: inout [StreamEvent]) {
        if byte & 0x7F == UInt8(ascii: "/") {
            // A `/` is only ever the start: ask for no other sign, so that damage costs one telegram at most.
            discard(.cutShort, into: &events)
            reportNoise(into: &events)
            telegram = OpenTelegram(slash: byte, startedAt: now)
        } else if telegram == nil {
            countNoise(byte, into: &events)
        } else if let step = telegram?.append(byte), step != .needMore {
            finish(step, into: &events)
        }
    }

    private mutating func finish(_ step: OpenTelegram.Step, into events: inout [StreamEvent]) {
        guard step == .complete, let complete = telegram else {
            return discard(step.refusal, into: &events)
        }
        do throws(SkippedBytes.Reason) {
            let result = try complete.read(checksumExpected: checksumExpected)
            if result.checksum == .matched { checksumExpected = true }
            events.append(.telegram(result))
            telegram = nil
        } catch {
            discard(error, into: &events)
        }
    }

    private mutating func discard(_ reason: SkippedBytes.Reason, into events: inout [StreamEvent]) {
        guard let discarded = telegram else { return }
        telegram = nil
        reportNoise(into: &events)
        events.append(.skipped(SkippedBytes(count: discarded.bytes.count, reason: reason)))
    }

    /// Noise is reported when a telegram begins, or in portions while none does (a wrong baud rate).
    private mutating func countNoise(_ byte: UInt8, into events: inout [StreamEvent]) {
        // Some meters put line ends or a NUL between telegrams; that is nobody's fault.
        if noise == 0, byte == 0 || byte & 0x7F == UInt8(ascii: "\r") || byte & 0x7F == UInt8(ascii: "\n") { return }
        noise += 1
        if noise == Self.limit { reportNoise(into: &events) }
    }

    private mutating func reportNoise(into events: inout [StreamEvent]) {
        guard noise > 0 else { return }
        events.append(.skipped(SkippedBytes(count: noise, reason: .noise)))
        noise = 0
    }
}
