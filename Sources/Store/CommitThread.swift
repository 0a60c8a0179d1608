import Bytes
package import LinuxIO
import Synchronization

/// A thread of its own that owns a log, so that nobody else ever waits for a disk.
///
/// Frames go in with rising numbers; a report comes back when they are committed. What arrives while a commit runs is
/// joined into the next one. When the disk fails the frames are kept and tried again after a pause: whoever submits
/// must stop when too much waits (`waitingBytes`).
package final class CommitThread: Sendable {
    package enum Report: Equatable, Sendable {
        /// All frames up to the one with this number are committed: those of this commit are at these places.
        case committed(UInt64, [LogPosition])
        /// Nothing is committed until `recovered`; told once, and again when the reason changes.
        case failed(StoreError)
        case recovered
        case snapshotFinished
        /// The snapshot was dropped; what was before it is still there.
        case snapshotFailed(StoreError)
    }

    /// As many bytes as one commit writes at most, unless a single frame is longer.
    private static let joined = 16 << 20

    private let mailbox = Mutex(CommitMailbox())
    private let wakeUp: WakeUp
    private let ended: WakeUp
    private let log: Mutex<RecordLog>
    private let pause: Duration
    private let report: @Sendable (Report) -> Void
    private let thread = Mutex<NamedThread?>(nil)

    /// Starts the thread; `report` is called on it.
    ///
    /// It runs until `end`. One with a `niceness` lets other threads go first.
    package init(
        _ name: String, _ log: consuming RecordLog, pause: Duration = .seconds(1), niceness: CInt = 0,
        report: @escaping @Sendable (Report) -> Void
    ) throws(SystemError) {
        wakeUp = try WakeUp()
        ended = try WakeUp()
        mailbox.withLock { $0.statistics = log.statistics }
        self.log = Mutex(log)
        self.pause = pause
        self.report = report
        let started = try NamedThread.start(name) { [self] in
            if niceness > 0 { NamedThread.stepBack(niceness: niceness) }
            run()
        }
        thread.withLock { $0 = started }
    }

    // MARK: from any thread

    /// Hands over a frame to be committed as soon as possible.
    package func submit(_ frame: [UInt8], _ number: UInt64) {
        put(.frame(frame, number), bytes: frame.count)
    }

    /// Begins a snapshot, in the place of one that was not finished.
    package func beginSnapshot() {
        perform { [report] log in
            do throws(StoreError) {
                _ = try log.beginSnapshot()
            } catch {
                report(.snapshotFailed(error))
            }
        }
    }

    /// Adds to the snapshot that was begun; nothing if it failed meanwhile.
    package func addToSnapshot(_ frame: [UInt8]) {
        let work: @Sendable (inout RecordLog) -> Void = { [report] log in
            do throws(StoreError) {
                try log.addToSnapshot(frame.span)
            } catch {
                report(.snapshotFailed(error))
            }
        }
        put(.work(work, bytes: frame.count), bytes: frame.count)
    }

    package func finishSnapshot() {
        perform { [report, self] log in
            guard log.isWritingSnapshot else { return }
            do throws(StoreError) {
                try log.finishSnapshot()
                report(.snapshotFinished)
                // There may be room now.
                retry()
            } catch {
                report(.snapshotFailed(error))
            }
        }
    }

    package func dropSnapshot() {
        perform { $0.dropSnapshot() }
    }

    /// Runs something with the log, on its thread, behind all that was handed over before.
    package func perform(_ work: @escaping @Sendable (inout RecordLog) -> Void) {
        put(.work(work, bytes: 0), bytes: 0)
    }

    /// Tries a failed commit again now.
    package func retry() {
        mailbox.withLock { $0.isAskedToRetry = true }
        wakeUp.signal()
    }

    /// Bytes that were handed over and are not committed yet.
    package var waitingBytes: Int { mailbox.withLock { $0.waitingBytes } }

    /// As it was after the last commit.
    package var statistics: LogStatistics { mailbox.withLock { $0.statistics } }

    /// Commits what waits, tries for so long if it must, and ends; false if something could not be committed.
    ///
    /// A snapshot that is not finished is dropped. A disk that does not answer at all is not waited for: the thread is
    /// left to the end of the process.
    package func end(within limit: Duration) -> Bool {
        guard let thread = thread.withLock({ $0.take() }) else { return waitingBytes == 0 }
        mailbox.withLock { $0.deadline = .now + limit }
        wakeUp.signal()
        ended.wait(atMost: limit + pause)
        guard mailbox.withLock({ $0.hasEnded }) else { return false }
        thread.join()
        return waitingBytes == 0
    }

    private func put(_ entry: CommitMailbox.Entry, bytes: Int) {
        let isFirst = mailbox.withLock { $0.put(entry, bytes: bytes) }
        if isFirst { wakeUp.signal() }
    }

    // MARK: on the thread

    private func run() {
        var progress = CommitProgress()
        while true {
            let turn = mailbox.withLock { $0.take() }
            log.withLock { run(turn, &progress, &$0) }
            let now = MonotonicTime.now
            if let deadline = turn.deadline, progress.failure == nil ? isEmpty : now >= deadline { break }
            wait(until: progress.failure == nil ? nil : min(progress.nextTry, turn.deadline ?? .never), turn)
        }
        log.withLock { $0.dropSnapshot() }
        mailbox.withLock { $0.hasEnded = true }
        ended.signal()
    }

    private var isEmpty: Bool { mailbox.withLock { $0.isEmpty } }

    private func run(_ turn: CommitTurn, _ progress: inout CommitProgress, _ log: inout RecordLog) {
        for entry in turn.entries {
            switch entry {
            case .frame(let frame, let number):
                log.append(frame.span)
                progress.last = number
                progress.addedBytes += frame.count
                if progress.failure == nil, log.pendingBytes >= Self.joined { commit(&progress, &log) }
            case .work(let work, let bytes):
                if progress.failure == nil { commit(&progress, &log) }
                work(&log)
                settle(bytes, log.statistics)
            }
        }
        if progress.failure == nil || turn.isAskedToRetry || MonotonicTime.now >= progress.nextTry {
            commit(&progress, &log)
        }
    }

    private func commit(_ progress: inout CommitProgress, _ log: inout RecordLog) {
        guard log.pendingBytes > 0 else { return }
        do throws(StoreError) {
            let positions = try log.commit()
            if progress.failure != nil { report(.recovered) }
            progress.failure = nil
            settle(progress.addedBytes, log.statistics)
            progress.addedBytes = 0
            report(.committed(progress.last, positions))
        } catch {
            if error.isNews(after: progress.failure) { report(.failed(error)) }
            progress.failure = error
            progress.nextTry = .now + pause
            settle(0, log.statistics)
        }
    }

    private func settle(_ bytes: Int, _ statistics: LogStatistics) {
        mailbox.withLock { mailbox in
            mailbox.waitingBytes -= bytes
            mailbox.statistics = statistics
        }
    }

    /// Waits for something to do; while commits fail only until the next try, or for somebody who asks.
    private func wait(until time: MonotonicTime?, _ turn: CommitTurn) {
        while !mailbox.withLock({ $0.needsTurn(isFailing: time != nil, isEnding: turn.deadline != nil) }) {
            let left = time.map { $0 - .now }
            if let left, left <= .zero { return }
            wakeUp.wait(atMost: left)
        }
    }
}
