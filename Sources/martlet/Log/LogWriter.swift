import LinuxIO
import Logging
import Synchronization

/// Writes log lines to the journal or to the standard error output, one at a time, from whichever thread.
final class LogWriter: Sendable {
    private let style: LogStyle
    /// Where there is one, it gets fields instead of text.
    private let journal: SystemJournal?
    private let filter = Mutex(RepeatFilter())

    init(_ style: LogStyle, journal: SystemJournal? = nil) {
        self.style = style
        self.journal = journal
    }

    func write(_ line: LogLine) {
        let now = ContinuousClock.now
        filter.withLock { filter in
            switch filter.received(line, at: now) {
            case .write: put(line)
            case .writeCounting(let count): put(counted(line, count))
            case .holdBack: break
            }
        }
    }

    /// Tells what has been held back for a while; to be called now and then.
    func writeSummaries() {
        let now = ContinuousClock.now
        filter.withLock { filter in
            for summary in filter.expired(at: now) { put(counted(summary.line, summary.count)) }
        }
    }

    /// Tells what is still held back, at the end.
    func finish() {
        filter.withLock { filter in
            for summary in filter.finish() { put(counted(summary.line, summary.count)) }
        }
    }

    private func counted(_ line: LogLine, _ count: Int) -> LogLine {
        LogLine(
            level: line.level, subsystem: line.subsystem,
            text: "\(line.text) (repeated \(count) time\(count == 1 ? "" : "s"))")
    }

    private func put(_ line: LogLine) {
        if let journal, journal.write(line.fields) { return }
        StandardError.write(line.text(style, at: WallClock.now) + "\n")
    }
}
