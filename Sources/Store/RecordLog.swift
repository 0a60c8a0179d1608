import Bytes
package import LinuxIO
package import Readings

/// One folder of files of checksummed frames: what a commit has written survives a power cut.
///
/// Frames are only ever appended; room is made by removing whole files. It belongs to one thread, and its calls block.
/// It always opens: what was not committed is cut, and what is damaged costs no more than itself (`recovery`).
package struct RecordLog: ~Copyable, Sendable {
    /// The file that is written to.
    private struct Current {
        var file: any DiskFile
        var number: UInt32
        /// Where the next frame begins: all before is committed, unless it has no header yet.
        var end: Int
        var isNew: Bool
    }

    let folder: LogFolder
    package let settings: LogSettings
    /// What was found when it was opened.
    package let recovery: Recovery
    private let lock: FileLock?
    let salt: UInt64
    private var current: Current?
    private(set) var nextNumber: UInt32
    /// The last segment that something was committed to, and where it ends.
    private var previous: (number: UInt32, end: UInt32)
    /// What is to be written, with room for the frames' headers.
    private var pending: [UInt8] = []
    /// Where the frames begin in there.
    private var pendingFrames: [Int] = []
    var committed: [LogSegment]
    var counted: LogStatistics
    /// The number of the snapshot that is there, and its size.
    var snapshot: LogSegment?
    var writer: SnapshotWriter?

    /// Opens the log in a folder, which is made if need be, and reads all that is in it.
    ///
    /// `body` gets the frames in order: the snapshot's, then those of the segments that go on from there. Segments may
    /// repeat what the snapshot says already.
    package init(
        opening path: String, _ settings: LogSettings, now: Timestamp, disk: any Disk = LinuxDisk(),
        salt: UInt64 = Entropy.seed(), reading body: (FrameOrigin, Span<UInt8>) -> Void = { _, _ in }
    ) throws(StoreError) {
        let folder = LogFolder(path: path, disk: disk)
        let lock = try Self.takeLock(folder)
        var recovery = LogRecovery(folder, now: now, freshSalt: salt)
        do throws(SystemError) {
            try recovery.run(body)
        } catch {
            throw StoreError(error, path: path)
        }
        self.init(recovery, settings, lock)
    }

    /// Whether there is anything of a log in a folder, but for its lock; not if that can't be told.
    package static func exists(in folder: String, on disk: any Disk = LinuxDisk()) -> Bool {
        let names = try? disk.names(in: folder)
        return names?.contains { $0 != LogFolder.lock } ?? false
    }

    private init(_ recovery: LogRecovery, _ settings: LogSettings, _ lock: FileLock?) {
        folder = recovery.folder
        self.settings = settings
        self.lock = lock
        self.recovery = recovery.report
        salt = recovery.salt
        nextNumber = recovery.nextNumber
        previous = recovery.previous
        committed = recovery.segments
        snapshot = recovery.snapshot
        counted = LogStatistics()
        counted.setAside = recovery.setAside
    }

    private static func takeLock(_ folder: LogFolder) throws(StoreError) -> FileLock? {
        let path = folder.path(LogFolder.lock)
        do throws(SystemError) {
            try folder.disk.makeFolder(folder.path)
            return try folder.disk.lock(path)
        } catch {
            switch error.kind {
            case .tryAgain: throw StoreError(.locked(process: FileLock.owner(path)), path: folder.path)
            case .notFound: throw StoreError(.notAFolder, path: folder.path, cause: error)
            default: throw StoreError(error, path: folder.path)
            }
        }
    }

    /// The files with committed frames, in order.
    package var segments: [LogSegment] { committed }

    package var statistics: LogStatistics {
        var statistics = counted
        statistics.segments = committed.count
        statistics.bytesOnDisk = committed.reduce(snapshot?.bytes ?? 0) { $0 + $1.bytes - $1.freed }
        return statistics
    }

    // MARK: writing

    /// Bytes that wait for a commit.
    package var pendingBytes: Int { pending.count }

    /// Adds a frame to what the next commit writes; it must not be empty, nor longer than 64 MiB.
    package mutating func append(_ frame: Span<UInt8>) {
        precondition((1...RecordFrame.longest).contains(frame.count), "a frame of \(frame.count) bytes")
        pendingFrames.append(pending.count)
        pending.append(contentsOf: repeatElement(0, count: RecordFrame.headerLength))
        pending.append(copying: frame)
    }

    /// Writes what was appended and waits until it survives a power cut; says where each frame is.
    ///
    /// Where it fails nothing was written, as far as anybody can see later, and the frames still wait: the next call
    /// tries again, in a new file where the old one can't be trusted.
    package mutating func commit() throws(StoreError) -> [LogPosition] {
        guard !pendingFrames.isEmpty else { return [] }
        do throws(StoreError) {
            try keepReserve()
            try write()
        } catch {
            counted.failedCommits += 1
            throw error
        }
        return positions()
    }

    private func keepReserve() throws(StoreError) {
        guard settings.reserve > 0 else { return }
        let free: Int
        do throws(SystemError) {
            free = try folder.disk.freeBytes(at: folder.path)
        } catch {
            throw StoreError(error, path: folder.path)
        }
        guard free - pending.count >= settings.reserve else {
            throw StoreError(.reserveReached(free: free, reserve: settings.reserve), path: folder.path)
        }
    }

    private mutating func write() throws(StoreError) {
        leaveFullSegment()
        var segment: Current
        do throws(SystemError) {
            segment = if let current { current } else { try newSegment() }
        } catch {
            throw StoreError(error, path: folder.path)
        }
        current = nil
        seal(for: segment)
        do throws(SystemError) {
            try write(segment)
        } catch {
            current = giveUp(segment, because: error)
            throw StoreError(error, path: folder.path(.segment, segment.number))
        }
        count(segment)
        segment.end += pending.count
        segment.isNew = false
        previous = (segment.number, UInt32(clamping: segment.end))
        current = segment
    }

    private mutating func leaveFullSegment() {
        guard let segment = current, segment.end + pending.count > settings.segmentSize else { return }
        current = nil
    }

    /// No file with nothing in it is left behind by a process that has nothing to write.
    private mutating func newSegment() throws(SystemError) -> Current {
        let number = nextNumber
        nextNumber += 1
        let file = try folder.disk.open(folder.path(.segment, number), for: .creating)
        return Current(file: file, number: number, end: FileHeader.length, isNew: true)
    }

    /// Fills in the frames' headers for the place where they will be.
    private mutating func seal(for segment: Current) {
        let seed = FileHeader.seed(salt: salt, number: segment.number, .segment)
        // The header of a new file is written with the first batch.
        let batch = segment.isNew ? 0 : segment.end
        for (index, start) in pendingFrames.enumerated() {
            let end = index + 1 < pendingFrames.count ? pendingFrames[index + 1] : pending.count
            let length = end - start - RecordFrame.headerLength
            RecordFrame(.record, length: length, batch: batch, at: segment.end + start, seed: seed)
                .write(into: &pending, at: start)
        }
    }

    private func write(_ segment: Current) throws(SystemError) {
        if segment.isNew {
            let header = FileHeader(
                kind: .segment, number: segment.number, salt: salt, previous: previous.number,
                previousEnd: previous.end)
            try segment.file.write(header.encoded.span, at: 0)
        }
        try segment.file.write(pending.span, at: segment.end)
        guard settings.isSynchronized else { return }
        try segment.file.synchronize()
        if segment.isNew { try folder.disk.synchronize(folder: folder.path) }
    }

    /// What a failed write has left is taken away; returns the file if it can still be trusted.
    private func giveUp(_ segment: Current, because error: SystemError) -> Current? {
        guard !segment.isNew else {
            try? folder.disk.remove(folder.path(.segment, segment.number))
            return nil
        }
        do throws(SystemError) {
            try segment.file.setLength(segment.end)
        } catch {
            return nil
        }
        // After a failed synchronisation the kernel calls pages clean that never reached the disk.
        return error.call == "write" ? segment : nil
    }

    private mutating func count(_ segment: Current) {
        counted.commits += 1
        counted.frames += pendingFrames.count
        counted.wrote(pending.count + (segment.isNew ? FileHeader.length : 0), at: segment.isNew ? 0 : segment.end)
        let bytes = segment.end + pending.count
        if segment.isNew {
            committed.append(LogSegment(number: segment.number, bytes: bytes))
        } else if let last = committed.indices.last, committed[last].number == segment.number {
            committed[last].bytes = bytes
        }
    }

    private mutating func positions() -> [LogPosition] {
        let start = (current?.end ?? 0) - pending.count
        let positions = pendingFrames.map {
            LogPosition(segment: previous.number, offset: UInt32(clamping: start + $0))
        }
        pending.removeAll(keepingCapacity: pending.count < 1 << 20)
        pendingFrames.removeAll(keepingCapacity: pending.count < 1 << 20)
        return positions
    }

    // MARK: files

    func isWriting(_ number: UInt32) -> Bool { current?.number == number }

    /// What is committed from now on is in a file with this number or a higher one.
    mutating func startAnew() -> UInt32 {
        current = nil
        return nextNumber
    }

    /// Lets go of files, in the order of their numbers; what is committed meanwhile goes to others.
    package mutating func remove(where isNotNeeded: (LogSegment) -> Bool) throws(StoreError) {
        let gone = committed.filter(isNotNeeded)
        guard !gone.isEmpty else { return }
        if let number = current?.number, gone.contains(where: { $0.number == number }) { current = nil }
        do throws(SystemError) {
            for segment in gone {
                try folder.disk.remove(folder.path(.segment, segment.number))
                committed.removeAll { $0.number == segment.number }
            }
            if settings.isSynchronized { try folder.disk.synchronize(folder: folder.path) }
        } catch {
            throw StoreError(error, path: folder.path)
        }
    }

    package mutating func remove(segment number: UInt32) throws(StoreError) {
        try remove { $0.number == number }
    }

    /// Removes all segments with lower numbers.
    package mutating func removeSegments(before number: UInt32) throws(StoreError) {
        try remove { $0.number < number }
    }
}
