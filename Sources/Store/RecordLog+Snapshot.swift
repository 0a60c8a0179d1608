import Bytes
import LinuxIO

/// A snapshot says in few frames what all segments before it say, so that these can go.
///
/// It may be written bit by bit, between commits: what is committed after its beginning is read after it, and may
/// repeat what it says. The one before, and its segments, stay until it is on the disk and was read back.
extension RecordLog {
    /// Whether a snapshot is being written.
    package var isWritingSnapshot: Bool { writer != nil }

    /// Begins a snapshot, in the place of one that was not finished; returns the first segment that goes on from it.
    package mutating func beginSnapshot() throws(StoreError) -> UInt32 {
        dropSnapshot()
        let number = startAnew()
        do throws(SystemError) {
            writer = try SnapshotWriter(
                folder, number: number, salt: salt, isSynchronized: settings.isSynchronized)
        } catch {
            throw StoreError(error, path: folder.path)
        }
        return number
    }

    /// Adds a frame to the snapshot; when it fails the snapshot is dropped.
    package mutating func addToSnapshot(_ frame: Span<UInt8>) throws(StoreError) {
        precondition((1...RecordFrame.longest).contains(frame.count), "a frame of \(frame.count) bytes")
        do throws(SystemError) {
            let start = writer?.written ?? 0
            if let count = try writer?.add(frame), count > 0 { counted.wrote(count, at: start) }
        } catch {
            throw failed(error)
        }
    }

    /// Puts the snapshot in the place of all that was before it.
    package mutating func finishSnapshot() throws(StoreError) {
        guard var finished = writer else { return }
        do throws(SystemError) {
            let start = finished.written
            let (bytes, isWhole) = try finished.finish()
            counted.wrote(bytes, at: start)
            guard isWhole else { throw SystemError.differs }
            try folder.disk.rename(folder.path(finished.name), to: folder.path(.snapshot, finished.number))
            if settings.isSynchronized { try folder.disk.synchronize(folder: folder.path) }
        } catch {
            throw failed(error)
        }
        let old = snapshot
        snapshot = LogSegment(number: finished.number, bytes: finished.written)
        writer = nil
        // Where this fails they are removed when the log is opened; the snapshot goes before what it depends on.
        if let old, old.number != finished.number { try? folder.disk.remove(folder.path(.snapshot, old.number)) }
        try? removeSegments(before: finished.number)
    }

    private mutating func failed(_ error: SystemError) -> StoreError {
        let path = folder.path(writer?.name ?? "")
        dropSnapshot()
        return error == .differs ? StoreError(.unreadable, path: path) : StoreError(error, path: path)
    }

    /// Forgets the snapshot that is being written.
    package mutating func dropSnapshot() {
        guard let writer else { return }
        try? folder.disk.remove(folder.path(writer.name))
        self.writer = nil
    }
}

extension SystemError {
    /// Stands for a file that does not read back as it was written.
    fileprivate static let differs = SystemError(code: 0, call: "read back")
}
