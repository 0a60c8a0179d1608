import Bridge
import LinuxIO
import Logging
import Settings
import Store
import Synchronization

/// The buffer of one upstream on a disk: a log of its own, on a thread of its own.
final class BufferStore: BufferStorage {
    private static let patience: Duration = .seconds(2)

    let folder: String
    private let name: String
    private let settings: Store.LogSettings
    private let logger: Logger
    private let thread = Mutex<CommitThread?>(nil)
    private let problem: @Sendable (String) -> Void
    private let report = Mutex<(@Sendable (BufferNews) -> Void)?>(nil)

    /// For the upstream `name`, in a folder that is made if need be.
    ///
    /// `problem` is told what is wrong with the disk, in words, and nothing when it is well again.
    init(
        _ name: String, folder: String, _ limits: QueueLimits, _ store: StoreSettings, logger: Logger,
        problem: @escaping @Sendable (String) -> Void
    ) {
        self.problem = problem
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

    private var current: CommitThread? { thread.withLock { $0 } }

    func open(
        reading body: (UInt32, Span<UInt8>) -> Void, report: @escaping @Sendable (BufferNews) -> Void
    ) throws(BufferUnavailable) {
        self.report.withLock { $0 = report }
        do throws(StoreError) {
            let log = try RecordLog(opening: folder, settings, now: WallClock.now) { origin, frame in
                // Nobody writes snapshots here.
                if case .log(let position) = origin { body(position.segment, frame) }
            }
            tell(log.recovery)
            try start(log, report)
        } catch {
            throw BufferUnavailable("what waits for '\(name)' can't be kept: \(error)")
        }
        if let size = try? LinuxDisk().size(at: folder) { report(.diskSize(size)) }
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
            started = try CommitThread("buffer \(name)", log) { news in Self.reported(news, report, problem) }
        } catch {
            throw StoreError(.failed, path: folder, cause: error)
        }
        thread.withLock { $0 = started }
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
        guard let thread = current else { return }
        switch action {
        case .keep(let frame, let number): thread.submit(frame, number)
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
        guard let thread = current, !thread.end(within: Self.patience) else { return }
        logger.error("\(name): the gateway stopped before the last of what waits for the server was on the disk")
    }
}
