import Bytes

/// Finds lines in a stream of bytes and reads the fields that are in them.
package struct TextLineDecoder: Sendable {
    private let format: TextLineFormat
    private let longestPause: Duration
    private var line: [UInt8] = []
    private var startedAt: ContinuousClock.Instant?
    private var lastByteAt: ContinuousClock.Instant?
    private var skipped = SkipCount()
    /// Whether the beginning of this line may have been missed: what is left of `21.5` could be `1.5`.
    private var isTorn: Bool
    private var isTooLong = false

    /// `openedAt` is when somebody began to listen, perhaps in the middle of a line; nil where it can't be.
    package init(_ format: TextLineFormat, longestPause: Duration, openedAt: ContinuousClock.Instant? = nil) {
        self.format = format
        self.longestPause = longestPause
        isTorn = openedAt != nil && format.start.isEmpty
        lastByteAt = openedAt
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

    /// Gives up the line that was begun: nothing came for too long, so what comes next is a beginning.
    package mutating func fellSilent() -> [StreamEvent] {
        var events: [StreamEvent] = []
        if !line.isEmpty { skipped.skip(line.count, .fellSilent, into: &events) }
        reset()
        return events
    }

    /// What was skipped and not told yet.
    package mutating func takeSkipped() -> SkippedBytes? {
        skipped.take()
    }

    private mutating func reset() {
        line.removeAll(keepingCapacity: true)
        (isTorn, isTooLong, startedAt) = (false, false, nil)
    }

    private mutating func received(_ byte: UInt8, _ now: ContinuousClock.Instant, _ events: inout [StreamEvent]) {
        if format.start == [byte], !line.isEmpty {
            // A line begins: the one before was cut short, and nothing of it can be believed.
            skipped.skip(line.count, .cutShort, into: &events)
            reset()
        }
        if line.isEmpty { startedAt = now }
        line.append(byte)
        while line.count <= format.start.count, !format.start.starts(with: line) {
            skipped.skip(1, .noise, into: &events)
            line.removeFirst()
        }
        if line.last == format.end.last, line.suffix(format.end.count).elementsEqual(format.end) {
            finish(&events)
        } else if line.count >= format.maximum + format.end.count {
            skipped.skip(line.count, .tooLong, into: &events)
            reset()
            isTooLong = true
        }
    }

    private mutating func finish(_ events: inout [StreamEvent]) {
        defer { reset() }
        var content = line[...].dropLast(format.end.count)
        if format.end == [0x0A], content.last == 0x0D { content = content.dropLast() }
        guard !isTorn, !isTooLong else {
            return skipped.skip(line.count, isTooLong ? .tooLong : .noise, into: &events)
        }
        guard !content.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0 }) else { return }
        if !format.comment.isEmpty, content.starts(with: format.comment) { return }
        if let checksum = format.checksum {
            if let reason = checksum.refusal(of: content) { return skipped.skip(line.count, reason, into: &events) }
            content = checksum.inside(content)
        }
        guard let startedAt, let fields = format.layout.fields(in: content), !fields.isEmpty else {
            return skipped.skip(line.count, .malformed, into: &events)
        }
        if let told = skipped.take() { events.append(.skipped(told)) }
        let record = FieldRecord(
            fields: format.hasDecimalComma ? fields.map(\.withPoint) : fields, startedAt: startedAt)
        events.append(.record(record))
    }
}

extension TextLineFormat.Checksum {
    /// Nil where the sum is right, else why not.
    func refusal(of line: ArraySlice<UInt8>) -> SkippedBytes.Reason? {
        guard line.first == UInt8(ascii: "$") || line.first == UInt8(ascii: "!") else { return .noise }
        guard let star = line.lastIndex(of: UInt8(ascii: "*")), line.endIndex - star == 3,
            let high = Hex.value(ofDigit: line[star + 1]), let low = Hex.value(ofDigit: line[star + 2])
        else { return .checksumMissing }
        let computed = line[..<star].dropFirst().reduce(0) { $0 ^ $1 }
        let sent = high << 4 | low
        return sent == computed ? nil : .checksumWrong(sent: UInt16(sent), computed: UInt16(computed))
    }

    /// What it proves: a line without its start and without the sum.
    func inside(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        line.dropFirst().dropLast(3)
    }
}

extension TextLineFormat.Layout {
    /// The fields of a line; nil if it is not such a line.
    func fields(in line: ArraySlice<UInt8>) -> [FieldRecord.Field]? {
        switch self {
        case .patterns(let patterns): patterns.lazy.compactMap { $0.fields(in: line) }.first
        case .columns(let separator, let names): Self.columns(line, separator, names)
        case .pairs(let between, let equals): Self.pairs(line, between, equals)
        case .json: JSONFields.read(line)
        }
    }

    private static func columns(
        _ line: ArraySlice<UInt8>, _ separator: [UInt8], _ names: [String]
    ) -> [FieldRecord.Field]? {
        let cells = LineCells.split(line, separator)
        // A line that lost a separator would put every value after it into the wrong column.
        guard names.isEmpty || cells.count == names.count else { return nil }
        return cells.enumerated().flatMap { index, cell -> [FieldRecord.Field] in
            let number = FieldRecord.Field(String(index + 1), cell)
            return names.isEmpty || names[index].isEmpty ? [number] : [FieldRecord.Field(names[index], cell), number]
        }
    }

    private static func pairs(
        _ line: ArraySlice<UInt8>, _ between: [UInt8], _ equals: [UInt8]
    ) -> [FieldRecord.Field]? {
        var fields: [FieldRecord.Field] = []
        for part in LineCells.parts(line, between) where !part.allSatisfy({ $0 == 0x20 }) {
            guard let place = LineCells.firstRange(of: equals, in: part) else { continue }
            let name = LineCells.trimmed(part[..<place.lowerBound])
            guard !name.isEmpty else { continue }
            fields.append(FieldRecord.Field(name, LineCells.trimmed(part[place.upperBound...])))
        }
        return fields
    }
}

extension FieldRecord.Field {
    /// With a point for the comma of a number.
    fileprivate var withPoint: FieldRecord.Field {
        let replaced = text.replacing(",", with: ".")
        return FieldNumber.parse(replaced) == nil ? self : FieldRecord.Field(name, replaced)
    }
}
