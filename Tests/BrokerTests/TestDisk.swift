import Broker
import Synchronization

/// What would be on a disk: the batches whose commit was finished.
final class TestDisk: Journal {
    private struct Contents {
        var batches: [[UInt8]] = []
        var running: (number: UInt64, batch: [UInt8])?
        var snapshot: [[UInt8]] = []
        var snapshotFrom: Int?
        var writtenBytes = 0
        var commits = 0
        var snapshots = 0
        var finishesSnapshot = false

        mutating func putSnapshot() {
            guard finishesSnapshot, let from = snapshotFrom else { return }
            batches = snapshot + batches[from...]
            snapshotFrom = nil
            finishesSnapshot = false
            snapshots += 1
        }
    }

    private let contents = Mutex(Contents())

    var isBusy: Bool { contents.withLock { $0.running != nil } }
    var commits: Int { contents.withLock { $0.commits } }
    var snapshots: Int { contents.withLock { $0.snapshots } }
    var writtenBytes: Int { contents.withLock { $0.writtenBytes } }
    var batches: [[UInt8]] { contents.withLock { $0.batches } }

    func open(
        reading body: (Span<UInt8>) -> Void, report: @escaping @Sendable (JournalNews) -> Void
    ) {
        for batch in batches { body(batch.span) }
    }

    func close() {}

    func commit(_ number: UInt64, _ batch: [UInt8]) {
        contents.withLock { $0.running = (number, batch) }
    }

    /// The batch under way is on the disk.
    func finish() -> UInt64? {
        contents.withLock { contents in
            guard let running = contents.running else { return nil }
            contents.running = nil
            contents.batches.append(running.batch)
            contents.writtenBytes += running.batch.count
            contents.commits += 1
            contents.putSnapshot()
            return running.number
        }
    }

    /// The power goes: the batch under way is there or not.
    func cut(keepingWhatIsUnderWay isKept: Bool) {
        if isKept { _ = finish() }
        contents.withLock {
            $0.running = nil
            $0.snapshotFrom = nil
            $0.finishesSnapshot = false
        }
    }

    func beginSnapshot() {
        contents.withLock { contents in
            // One that only waits for its last batch is not worth keeping beside a new one.
            contents.finishesSnapshot = false
            // What is under way was handed over before.
            contents.snapshotFrom = contents.batches.count + (contents.running == nil ? 0 : 1)
            contents.snapshot = []
        }
    }

    func addToSnapshot(_ batch: [UInt8]) { contents.withLock { $0.snapshot.append(batch) } }

    /// Behind the batch that was handed over before it.
    func finishSnapshot() {
        contents.withLock { contents in
            contents.finishesSnapshot = true
            if contents.running == nil { contents.putSnapshot() }
        }
    }
}
