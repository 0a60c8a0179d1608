/// Finds binary frames of some kinds in a stream of bytes.
///
/// What does not prove to be a frame costs one byte: the search goes on with the next one, so that a damaged frame
/// takes none of its neighbours along. Kinds are tried in the order of the profile.
package struct FrameDecoder: Sendable {
    private enum Step {
        case needMore
        case complete(Int)
        case refused(SkippedBytes.Reason)
    }

    private let formats: [FrameFormat]
    private let longestPause: Duration
    private var bytes = ReceivedBytes()
    private var skipped = SkipCount()
    private var lastByteAt: ContinuousClock.Instant?

    package init(_ formats: [FrameFormat], longestPause: Duration) {
        self.formats = formats
        self.longestPause = longestPause
    }

    /// Takes what the port delivered; see `StreamDecoder.received`.
    package mutating func received(_ new: Span<UInt8>, at now: ContinuousClock.Instant) -> [StreamEvent] {
        guard !new.isEmpty else { return [] }
        var events: [StreamEvent] = []
        if let lastByteAt, now - lastByteAt > longestPause { events = fellSilent() }
        lastByteAt = now
        bytes.append(new, at: now)
        search(&events)
        return events
    }

    /// Gives up what was begun: nothing came for too long.
    package mutating func fellSilent() -> [StreamEvent] {
        var events: [StreamEvent] = []
        // A frame may stand behind a false start that waited for more.
        while !bytes.isEmpty {
            bytes.drop(1)
            skipped.skip(1, .fellSilent, into: &events)
            search(&events)
        }
        return events
    }

    /// What was skipped and not told yet.
    package mutating func takeSkipped() -> SkippedBytes? {
        skipped.take()
    }

    private mutating func search(_ events: inout [StreamEvent]) {
        while !bytes.isEmpty {
            switch step() {
            case .needMore: return
            case .refused(let reason):
                bytes.drop(1)
                skipped.skip(1, reason, into: &events)
            case .complete(let count): found(count, &events)
            }
        }
    }

    private mutating func found(_ count: Int, _ events: inout [StreamEvent]) {
        guard let startedAt = bytes.firstCameAt, let format = formats.first(where: { isWhole($0, count) }) else {
            return
        }
        if let told = skipped.take() { events.append(.skipped(told)) }
        events.append(.frame(BinaryFrame(name: format.name, bytes: bytes.copy(0..<count), startedAt: startedAt)))
        bytes.drop(count)
    }

    private func isWhole(_ format: FrameFormat, _ count: Int) -> Bool {
        if case .complete(count) = step(format) { true } else { false }
    }

    /// In order, and never past a kind that needs more: how the bytes were cut must not matter.
    private func step() -> Step {
        var refusal = SkippedBytes.Reason.noise
        for format in formats {
            switch step(format) {
            case .needMore: return .needMore
            case .complete(let count): return .complete(count)
            case .refused(let reason): if reason != .noise { refusal = reason }
            }
        }
        return .refused(refusal)
    }

    private func step(_ format: FrameFormat) -> Step {
        guard bytes.agrees(with: format.start) else { return .refused(.noise) }
        guard bytes.count >= format.start.count else { return .needMore }
        switch length(format) {
        case .needMore: return .needMore
        case .refused(let reason): return .refused(reason)
        case .complete(let count):
            guard count <= format.maximum, count >= format.start.count + format.end.count, count > 0 else {
                return .refused(.tooLong)
            }
            guard bytes.count >= count else { return .needMore }
            return refusal(bytes.copy(0..<count), format).map { .refused($0) } ?? .complete(count)
        }
    }

    private func length(_ format: FrameFormat) -> Step {
        switch format.length {
        case .fixed(let count): return .complete(count)
        case .field(let field, let add):
            guard bytes.count >= field.at + field.byteCount else { return .needMore }
            guard case .integer(let value) = field.content(in: bytes.copy(0..<field.at + field.byteCount)),
                let count = Int(exactly: value), count >= 0, count <= format.maximum
            else { return .refused(.tooLong) }
            return .complete(count + add)
        case .untilEnd:
            guard let end = bytes.firstIndex(of: format.end, from: format.start.count) else {
                return bytes.count < format.maximum ? .needMore : .refused(.tooLong)
            }
            return .complete(end + format.end.count)
        }
    }

    private func refusal(_ frame: [UInt8], _ format: FrameFormat) -> SkippedBytes.Reason? {
        guard frame.suffix(format.end.count).elementsEqual(format.end) else { return .malformed }
        for checksum in format.checksums {
            if let reason = checksum.refusal(of: frame) { return reason }
        }
        return nil
    }
}

/// One frame that proved itself.
package struct BinaryFrame: Equatable, Sendable {
    /// Which kind it is.
    package var name: String
    package var bytes: [UInt8]
    /// When its first byte arrived.
    package var startedAt: ContinuousClock.Instant
}
