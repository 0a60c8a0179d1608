import Bridge
import LinuxIO
import Logging
import Network
import Settings
import Store
import Synchronization

/// The buffer of one upstream on a disk: a log of its own, on a thread of its own.
final class BufferStore: BufferStorage {
    private static let patience: Duration = .seconds(2)
    /// Between two attempts to open what could not be opened.
    private static let pause: Duration = .seconds(5)

    private struct State {
        var thread: CommitThread?
        /// Frames for a log that is not open yet.
        var early: [(frame: [UInt8], number: UInt64)] = []
        var isClosed = false
    }

    let folder: String
    private let name: String
    private let settings: Store.LogSettings
    private let logger: Logger
    private let state = Mutex(State())
    private let opensLater: Bool
    private let problem: @Sendable (String) -> Void
    private let report = Mutex<(@Sendable (BufferNews) -> Void)?>(nil)

    /// For the upstream `name`, in a folder that is made if need be.
    ///
    /// `problem` is told what is wrong with the disk, in words, and nothing when it is well again. One that `opensLater`
    /// opens in any case: it keeps nothing while there is something wrong, and says so.
    init(
        _ name: String, folder: String, _ limits: QueueLimits, _ store: StoreSettings, opensLater: Bool = false,
        logger: Logger, problem: @escaping @Sendable (String) -> Void
    ) {
        self.problem = problem
        self.opensLater = opensLater
        self.folder = folder
        self.name = name
        self.logger = logger
        var settings = Store.LogSettings()
        // A sixteenth of a small buffer: files go whole.
        settings.segmentSize = min(store.segmentSize, max(64_000, limits.bytes / 16))
        settings.reserve = store.reserve
        settings.isSynchronized = limits.sync != .off
        self.settings = settings
    }

    /// What has been written; nil before it is open.
    var statistics: LogStatistics? { current?.statistics }

    private var current: CommitThread? { state.withLock { $0.thread } }

    func open(
        reading body: (UInt32, Span<UInt8>) -> Void, report: @escaping @Sendable (BufferNews) -> Void
    ) throws(BufferUnavailable) {
        self.report.withLock { $0 = report }
        do throws(StoreError) {
            try openLog(reading: body, report)
        } catch {
            // What is there already must be known from the start; where nothing is, it may begin later.
            guard opensLater || error.isPassing && isEmpty else {
                throw BufferUnavailable("what waits for '\(name)' can't be kept: \(error)")
            }
            openLater(error, report)
        }
    }

    private func openLog(
        reading body: (UInt32, Span<UInt8>) -> Void, _ report: @escaping @Sendable (BufferNews) -> Void
    ) throws(StoreError) {
        let log = try RecordLog(opening: folder, settings, now: WallClock.now) { origin, frame in
            // Nobody writes snapshots here.
            if case .log(let position) = origin { body(position.segment, frame) }
        }
        tell(log.recovery)
        try start(log, report)
        if let size = try? LinuxDisk().size(at: folder) { report(.diskSize(size)) }
    }

    // MARK: later

    /// Whether nothing was kept here before.
    private var isEmpty: Bool { !RecordLog.exists(in: folder) }

    /// Keeps nothing until the folder can be opened, which is tried again and again.
    private func openLater(_ error: StoreError, _ report: @escaping @Sendable (BufferNews) -> Void) {
        problem("\(error)")
        report(.failing("\(error)"))
        do throws(SystemError) {
            let wakeUp = try WakeUp()
            try NamedThread.startDetached("buffer \(name)") { [weak self] in
                repeat { wakeUp.wait(atMost: Self.pause) } while self?.isStillClosed(report) == true
            }
        } catch {
            logger.error("\(name): the buffer stays closed until the gateway is restarted: \(error)")
        }
    }

    /// Tries once more to open it; whether that is to be tried again.
    private func isStillClosed(_ report: @escaping @Sendable (BufferNews) -> Void) -> Bool {
        guard !state.withLock({ $0.isClosed }) else { return false }
        // What is there now, but was not read at the start, waits for the next one.
        guard isEmpty, (try? openLog(reading: { _, _ in }, report)) != nil else { return true }
        problem("")
        report(.recovered)
        return false
    }

    private func tell(_ recovery: Recovery) {
        for event in recovery.events {
            let level: Logger.Level = recovery.isDamaged ? .error : .notice
            logger.log(level: level, "\(name): buffer: \(event)")
        }
    }

    private func start(
        _ log: consuming RecordLog, _ report: @escaping @Sendable (BufferNews) -> Void
    ) throws(StoreError) {
        let started: CommitThread
        do throws(SystemError) {
            let problem = problem
            // As the link does: what is for local clients goes first.
            started = try CommitThread("buffer \(name)", log, niceness: UpstreamLink.niceness) { news in
                Self.reported(news, report, problem)
            }
        } catch {
            throw StoreError(.failed, path: folder, cause: error)
        }
        state.withLock { state in
            state.thread = started
            for (frame, number) in state.early { started.submit(frame, number) }
            state.early = []
        }
    }

    private static func reported(
        _ news: CommitThread.Report, _ report: @Sendable (BufferNews) -> Void, _ problem: @Sendable (String) -> Void
    ) {
        switch news {
        case .committed(let number, let places): report(.kept(upTo: number, segments: places.map(\.segment)))
        case .failed(let error):
            problem("\(error)")
            report(.failing("\(error)"))
        case .recovered:
            problem("")
            report(.recovered)
        case .snapshotFinished, .snapshotFailed: break
        }
    }

    func carryOut(_ action: BufferAction) {
        if case .keep(let frame, let number) = action { return keep(frame, number) }
        guard let thread = current else { return }
        switch action {
        case .keep: break
        case .read(let segment, let lane, let place, let number):
            read(BufferChunk(number: number, segment: segment, lane: lane, from: place), on: thread)
        case .remove(let segment):
            thread.perform { [logger, name] log in
                do throws(StoreError) {
                    try log.remove(segment: segment)
                } catch {
                    // After a restart it is read again, and sent again.
                    logger.warning("\(name): a file of the buffer that is not needed any more stays: \(error)")
                }
            }
        case .shrink(let segment, let places): shrink(segment, places, on: thread)
        }
    }

    private func keep(_ frame: [UInt8], _ number: UInt64) {
        state.withLock { state in
            if let thread = state.thread { thread.submit(frame, number) } else { state.early.append((frame, number)) }
        }
    }

    private func read(_ chunk: BufferChunk, on thread: CommitThread) {
        let report = report.withLock { $0 }
        thread.perform { log in
            var chunk = chunk
            do throws(StoreError) {
                var isFull = false
                _ = try log.read(segment: chunk.segment) { _, frame in
                    if !isFull { isFull = !chunk.add(frame) }
                }
            } catch {
                chunk.failure = "\(error)"
            }
            report?(.chunk(chunk))
        }
    }

    private func shrink(_ segment: UInt32, _ places: [Range<UInt64>], on thread: CommitThread) {
        let report = report.withLock { $0 }
        thread.perform { [logger, name] log in
            do throws(StoreError) {
                let bytes = try log.shrink(segment: segment) { frame in
                    // Other frames say what is done, and are few.
                    guard case .message(let header)? = try? BufferFrame(frame) else { return true }
                    return places.contains { $0.contains(header.place) }
                }
                report?(.shrunk(segment: segment, bytes: bytes))
            } catch {
                logger.warning("\(name): a file of the buffer can't be made smaller: \(error)")
            }
        }
    }

    func close() {
        let thread = state.withLock { state in
            state.isClosed = true
            return state.thread
        }
        guard let thread, !thread.end(within: Self.patience) else { return }
        logger.error("\(name): the gateway stopped before the last of what waits for the server was on the disk")
    }
}
