/// Keeps a log from saying the same thing again and again: what was said a short while ago is counted instead.
///
/// A cable that hangs loose must not fill a disk, and must not hide the one line that matters.
struct RepeatFilter {
    /// What becomes of a line.
    enum Verdict: Equatable {
        case write
        /// Write it, and say that it was held back so often since the last time.
        case writeCounting(Int)
        case holdBack
    }

    /// A line that was held back and has not been heard of since.
    struct Summary: Equatable {
        var line: LogLine
        var count: Int
    }

    private struct Memory {
        var line: LogLine
        var writtenAt: ContinuousClock.Instant
        var heldBack = 0
    }

    private let window: Duration
    private let limit: Int
    private var memories: [LogLine.Key: Memory] = [:]

    init(window: Duration = .seconds(60), limit: Int = 500) {
        self.window = window
        self.limit = limit
    }

    mutating func received(_ line: LogLine, at now: ContinuousClock.Instant) -> Verdict {
        guard var memory = memories[line.key] else {
            // Full of lines that all differ: then nothing repeats itself, and there is nothing to hold back.
            if memories.count < limit { memories[line.key] = Memory(line: line, writtenAt: now) }
            return .write
        }
        guard now - memory.writtenAt >= window else {
            memory.heldBack += 1
            memories[line.key] = memory
            return .holdBack
        }
        let count = memory.heldBack
        memories[line.key] = Memory(line: line, writtenAt: now)
        return count > 0 ? .writeCounting(count) : .write
    }

    /// What was held back in windows that are over by now, in no order; forgets them.
    mutating func expired(at now: ContinuousClock.Instant) -> [Summary] {
        let over = memories.filter { now - $0.value.writtenAt >= window }
        for key in over.keys { memories[key] = nil }
        return over.values.compactMap { $0.heldBack > 0 ? Summary(line: $0.line, count: $0.heldBack) : nil }
    }

    /// The same for all, at the end.
    mutating func finish() -> [Summary] {
        let all = memories.values.filter { $0.heldBack > 0 }
        memories = [:]
        return all.map { Summary(line: $0.line, count: $0.heldBack) }
    }
}
