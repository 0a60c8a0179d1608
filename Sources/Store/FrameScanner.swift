import Bytes

/// Finds the whole frames in the bytes of a file that come in pieces, and goes on behind what is damaged.
struct FrameScanner: Sendable {
    struct Frame: Equatable, Sendable {
        /// Where it begins in the file.
        var offset: Int
        var batch: Int
        /// Where its record is in `window`, until more bytes are asked for.
        var record: Range<Int>
    }

    enum Finding: Equatable, Sendable {
        case frame(Frame)
        /// The mark behind the last frame of a snapshot, with their number.
        case endMark(frames: Int)
        /// Bytes of the file that are no frames.
        case damage(Range<Int>)
        case needsMore
        case finished
    }

    /// Bytes of the file that were not looked at yet, and a few that were.
    private(set) var window: [UInt8] = []
    private let seed: CRC32C
    /// Where the bytes that belong to the file end.
    private let end: Int
    private var position = 0
    private var windowOffset: Int
    private var damageStart: Int?
    private var hasAll = false
    private var isFinished = false

    init(seed: CRC32C, from offset: Int, to end: Int) {
        self.seed = seed
        self.end = end
        windowOffset = offset
    }

    /// Takes in up to `count` more bytes, which `read` appends; fewer are there only at the end.
    mutating func fill<E: Error>(
        _ count: Int, _ read: (_ count: Int, _ offset: Int, inout [UInt8]) throws(E) -> Void
    ) throws(E) {
        let seen = min(position, window.count)
        window.removeFirst(seen)
        windowOffset += seen
        position -= seen
        let before = window.count
        let wanted = min(count, end - windowOffset - before)
        if wanted > 0 { try read(wanted, windowOffset + before, &window) }
        hasAll = window.count - before < wanted || windowOffset + window.count >= end
    }

    mutating func next() -> Finding {
        while !isFinished {
            let offset = windowOffset + position
            guard window.count - position >= RecordFrame.headerLength else {
                return hasAll ? finish() : .needsMore
            }
            guard let frame = RecordFrame(window.span, at: position, offset: offset, seed: seed) else {
                damageStart = damageStart ?? offset
                position += 1
                continue
            }
            if let damage = takeDamage(until: offset) { return .damage(damage) }
            if let finding = step(over: frame, at: offset) { return finding }
        }
        return .finished
    }

    /// Less than a header can't have been a frame.
    private mutating func takeDamage(until offset: Int) -> Range<Int>? {
        guard let start = damageStart else { return nil }
        damageStart = nil
        return offset - start >= RecordFrame.headerLength ? start..<offset : nil
    }

    private mutating func step(over frame: RecordFrame, at offset: Int) -> Finding? {
        let start = position + RecordFrame.headerLength
        switch frame.kind {
        case .hole:
            position = start + frame.length
            return nil
        case .end:
            position = start
            return .endMark(frames: frame.batch)
        case .record:
            let record = start..<start + frame.length
            guard record.upperBound <= window.count else {
                guard hasAll else { return .needsMore }
                damageStart = offset
                return finish()
            }
            position = record.upperBound
            guard frame.matches(window.span.extracting(record)) else {
                damageStart = offset
                return nil
            }
            return .frame(Frame(offset: offset, batch: frame.batch, record: record))
        }
    }

    private mutating func finish() -> Finding {
        isFinished = true
        let start = damageStart ?? windowOffset + position
        return start < end ? .damage(start..<end) : .finished
    }
}
