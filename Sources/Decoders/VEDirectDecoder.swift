/// Finds the blocks of VE.Direct's text protocol: battery monitors, solar chargers and inverters of Victron Energy.
///
/// A block is lines of `CR LF label TAB value`; its last line is `Checksum` with one byte that makes the sum of all
/// its bytes 0. HEX messages, from `:` to a line feed, may stand anywhere and are no part of it; but the checksum byte
/// may itself be a `:`.
package struct VEDirectDecoder: Sendable {
    private enum Place {
        /// Before the first line of a block.
        case outside
        case label
        case value
        /// The next byte is the sum.
        case checksum
    }

    /// Real ones have 100 to 250 bytes.
    private static let limit = 1_024

    private let longestPause: Duration
    private var block: [UInt8] = []
    private var fields: [FieldRecord.Field] = []
    private var label: [UInt8] = []
    private var value: [UInt8] = []
    private var place = Place.outside
    /// How long the HEX message is so far; 0 outside of one.
    private var hexCount = 0
    private var startedAt: ContinuousClock.Instant?
    private var lastByteAt: ContinuousClock.Instant?
    private var skipped = SkipCount()

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

    /// Gives up the block that was begun: nothing came for too long.
    package mutating func fellSilent() -> [StreamEvent] {
        var events: [StreamEvent] = []
        giveUp(.fellSilent, &events)
        hexCount = 0
        return events
    }

    /// What was skipped and not told yet.
    package mutating func takeSkipped() -> SkippedBytes? {
        skipped.take()
    }

    private mutating func received(_ byte: UInt8, _ now: ContinuousClock.Instant, _ events: inout [StreamEvent]) {
        if place == .checksum {
            block.append(byte)
            return finish(&events)
        }
        if hexCount > 0 || byte == UInt8(ascii: ":") {
            return inHex(byte, &events)
        }
        if block.isEmpty { startedAt = now }
        block.append(byte)
        guard block.count <= Self.limit else { return giveUp(.tooLong, &events) }
        switch place {
        case .outside: outside(byte, &events)
        case .label:
            if byte == UInt8(ascii: "\t") {
                place = label == Array("Checksum".utf8) ? .checksum : .value
            } else if byte != UInt8(ascii: "\n") {
                label.append(byte)
            }
        case .value:
            if byte == UInt8(ascii: "\r") { endLine() } else { value.append(byte) }
        case .checksum: break
        }
    }

    /// The longest have some 80 characters; what goes on is none, but a block that is damaged.
    private mutating func inHex(_ byte: UInt8, _ events: inout [StreamEvent]) {
        hexCount = byte == UInt8(ascii: "\n") ? 0 : hexCount + 1
        guard hexCount > 128 else { return }
        skipped.skip(hexCount, .tooLong, into: &events)
        hexCount = 0
        giveUp(.malformed, &events)
    }

    private mutating func outside(_ byte: UInt8, _ events: inout [StreamEvent]) {
        if byte == UInt8(ascii: "\r") {
            place = .label
        } else {
            giveUp(.noise, &events)
        }
    }

    private mutating func endLine() {
        fields.append(FieldRecord.Field(LineCells.trimmed(label[...]), LineCells.trimmed(value[...])))
        (label, value, place) = ([], [], .label)
    }

    private mutating func finish(_ events: inout [StreamEvent]) {
        let sum = block.reduce(0 as UInt8) { $0 &+ $1 }
        guard sum == 0, let startedAt, !fields.isEmpty else {
            return giveUp(
                .checksumWrong(sent: UInt16(block.last ?? 0), computed: UInt16((block.last ?? 0) &- sum)), &events)
        }
        if let told = skipped.take() { events.append(.skipped(told)) }
        events.append(.record(FieldRecord(fields: fields, startedAt: startedAt)))
        reset()
    }

    private mutating func giveUp(_ reason: SkippedBytes.Reason, _ events: inout [StreamEvent]) {
        if !block.isEmpty { skipped.skip(block.count, reason, into: &events) }
        reset()
    }

    private mutating func reset() {
        (block, fields, label, value, place, startedAt) = ([], [], [], [], .outside, nil)
    }
}
