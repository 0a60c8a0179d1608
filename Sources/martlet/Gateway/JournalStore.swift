import Broker
import LinuxIO
import Logging
import Readings
import Settings
import Store
import Synchronization

/// The broker's journal on a disk: its batches as the frames of a log.
final class JournalStore: Journal {
    private struct State {
        var thread: CommitThread?
        /// Bytes on the disk after the last snapshot, or at the start.
        var baseline = 0
        var isWritingSnapshot = false
        /// Numbers of the frames; a batch has one or more, and its own number is that of its last.
        var nextFrame: UInt64 = 1
        var batches: [UInt64: UInt64] = [:]
    }

    /// Batches beyond this are cut into pieces: the log takes no frames of any size.
    private static let longestPiece = 16 << 20
    private static let patience: Duration = .seconds(2)

    private let folder: String
    private let settings: StoreSettings
    private let logger: Logger
    private let problem: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// `problem` gets what can't be done, in words, and nothing when it can again; on the journal's thread.
    init(
        folder: String, _ settings: StoreSettings, logger: Logger,
        problem: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.folder = folder
        self.settings = settings
        self.logger = logger
        self.problem = problem
    }

    /// What has been written; nil before it is open.
    var statistics: LogStatistics? { state.withLock { $0.thread?.statistics } }

    func open(
        reading body: (Span<UInt8>) -> Void, report: @escaping @Sendable (JournalNews) -> Void
    ) throws(JournalUnavailable) {
        var log = Store.LogSettings()
        log.segmentSize = settings.segmentSize
        log.reserve = settings.reserve
        log.isSynchronized = settings.sync != .off
        var pieces = JournalPieces()
        do throws(StoreError) {
            let opened = try RecordLog(opening: folder, log, now: WallClock.now) { _, frame in pieces.add(frame, body) }
            tell(opened.recovery)
            try start(opened, report)
        } catch {
            throw JournalUnavailable("the broker's journal can't be opened: \(error)")
        }
    }

    private func tell(_ recovery: Recovery) {
        for event in recovery.events {
            let level: Logger.Level = recovery.isDamaged ? .error : .notice
            logger.log(level: level, "journal: \(event)")
        }
    }

    private func start(
        _ log: consuming RecordLog, _ report: @escaping @Sendable (JournalNews) -> Void
    ) throws(StoreError) {
        let size = log.statistics.bytesOnDisk
        let thread: CommitThread
        do throws(SystemError) {
            thread = try CommitThread("journal", log) { [weak self] news in self?.reported(news, report) }
        } catch {
            throw StoreError(.failed, path: folder, cause: error)
        }
        state.withLock { state in
            state.thread = thread
            state.baseline = size
        }
    }

    // MARK: from the broker's thread

    func commit(_ number: UInt64, _ batch: [UInt8]) {
        state.withLock { state in
            for piece in JournalPieces.cut(batch, Self.longestPiece) {
                state.thread?.submit(piece, state.nextFrame)
                state.nextFrame += 1
            }
            state.batches[state.nextFrame - 1] = number
        }
    }

    func beginSnapshot() { thread?.beginSnapshot() }

    func addToSnapshot(_ batch: [UInt8]) {
        for piece in JournalPieces.cut(batch, Self.longestPiece) { thread?.addToSnapshot(piece) }
    }

    func finishSnapshot() { thread?.finishSnapshot() }

    func close() {
        guard let thread, !thread.end(within: Self.patience) else { return }
        logger.error("the gateway stopped before the last changes were on the disk")
    }

    private var thread: CommitThread? { state.withLock { $0.thread } }

    // MARK: from the journal's thread

    private func reported(_ news: CommitThread.Report, _ report: @Sendable (JournalNews) -> Void) {
        switch news {
        case .committed(let frame, _):
            for number in committed(frame) { report(.committed(number)) }
            if isSnapshotDue() { report(.snapshotWanted) }
        case .failed(let error):
            problem("\(error)")
            report(.failing("\(error)"))
        case .recovered:
            problem("")
            report(.recovered)
        case .snapshotFinished: snapshotEnded(true)
        case .snapshotFailed(let error):
            logger.warning("journal: a snapshot failed, and is tried again later: \(error)")
            snapshotEnded(false)
        }
    }

    /// The numbers of the batches that are whole now, in order.
    private func committed(_ frame: UInt64) -> [UInt64] {
        state.withLock { state in
            let whole = state.batches.keys.filter { $0 <= frame }.sorted()
            return whole.compactMap { state.batches.removeValue(forKey: $0) }
        }
    }

    /// Whether the journal has become twice as long as what it says, and worth the writing.
    private func isSnapshotDue() -> Bool {
        let least = 4 * settings.segmentSize
        return state.withLock { state in
            guard !state.isWritingSnapshot, let size = state.thread?.statistics.bytesOnDisk,
                size - state.baseline > max(least, state.baseline)
            else { return false }
            state.isWritingSnapshot = true
            return true
        }
    }

    private func snapshotEnded(_ isThere: Bool) {
        state.withLock { state in
            state.isWritingSnapshot = false
            // After a failure not at once again.
            state.baseline = state.thread?.statistics.bytesOnDisk ?? state.baseline
        }
    }
}

/// A batch as frames: each says whether it is the first and the last of its batch.
struct JournalPieces {
    private static let first: UInt8 = 1
    private static let last: UInt8 = 2

    private var collected: [UInt8] = []
    private var isOpen = false

    static func cut(_ batch: [UInt8], _ longest: Int) -> [[UInt8]] {
        stride(from: 0, to: max(batch.count, 1), by: longest).map { start in
            let end = min(start + longest, batch.count)
            let flags = (start == 0 ? first : 0) | (end == batch.count ? last : 0)
            return [flags] + batch[start..<end]
        }
    }

    /// Calls `body` when a batch is whole; the pieces of one that is not are passed over.
    mutating func add(_ frame: Span<UInt8>, _ body: (Span<UInt8>) -> Void) {
        let flags = frame[0]
        let piece = frame.extracting(1..<frame.count)
        if flags & Self.first != 0 {
            guard flags & Self.last == 0 else {
                isOpen = false
                return body(piece)
            }
            collected = []
            isOpen = true
        }
        guard isOpen else { return }
        for index in piece.indices { collected.append(piece[index]) }
        guard flags & Self.last != 0 else { return }
        isOpen = false
        body(collected.span)
        collected = []
    }
}
