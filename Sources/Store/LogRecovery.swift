import Bytes
import LinuxIO
import Readings

/// Opens what is in a log's folder: reads what is whole, cuts what was not committed, and keeps a copy of what is damaged.
///
/// Nothing that it finds makes it give up.
struct LogRecovery {
    let folder: LogFolder
    let now: Timestamp
    private(set) var report = Recovery()
    /// What is there and committed.
    private(set) var segments: [LogSegment] = []
    /// The snapshot that was used.
    private(set) var snapshot: LogSegment?
    private(set) var salt: UInt64
    private(set) var setAside = 0
    /// No file has this number or a higher one.
    private(set) var nextNumber: UInt32 = 1
    /// The last segment and where it ends.
    private(set) var previous: (number: UInt32, end: UInt32) = (0, 0)

    init(_ folder: LogFolder, now: Timestamp, freshSalt: UInt64) {
        self.folder = folder
        self.now = now
        salt = freshSalt
    }

    mutating func run(_ body: (FrameOrigin, Span<UInt8>) -> Void) throws(SystemError) {
        let contents = try folder.contents()
        nextNumber = contents.highest + 1
        previous = (contents.highest, 0)
        for name in contents.unfinished { remove(name) }
        var files = contents.segments.map { FoundFile(.segment, $0, in: folder) }
        let snapshots = contents.snapshots.map { FoundFile(.snapshot, $0, in: folder) }
        if let known = (snapshots + files).reversed().lazy.compactMap(\.header).first { salt = known.salt }
        for file in snapshots + files { tellUnreadable(file) }
        files = withoutGivenUp(files.filter(\.isReadable))
        let start = readSnapshot(snapshots.filter(\.isReadable), body)
        for file in files where file.number < start {
            // The snapshot says all that they said.
            try? folder.disk.remove(folder.path(file.name))
        }
        files.removeAll { $0.number < start }
        readSegments(files, body)
        setAside = (try? folder.contents().setAside.count) ?? 0
    }

    private mutating func tellUnreadable(_ file: FoundFile) {
        switch file.condition {
        case .unreadable(let cause): report.events.append(.unreadable(file: file.name, cause: cause))
        case .newer(let version): report.events.append(.newerFormat(file: file.name, version: version))
        case .header, .noHeader: break
        }
    }

    private mutating func remove(_ name: String) {
        guard (try? folder.disk.remove(folder.path(name))) != nil else { return }
        report.events.append(.removed(file: name))
    }

    /// Files that a later one steps over were given up after a commit failed; what is in them was written again.
    private mutating func withoutGivenUp(_ files: [FoundFile]) -> [FoundFile] {
        let links = files.compactMap(\.header)
        return files.filter { file in
            let isGivenUp = links.contains { $0.previous < file.number && file.number < $0.number }
            if isGivenUp { remove(file.name) }
            return !isGivenUp
        }
    }

    // MARK: the snapshot

    /// Reads the newest snapshot that is whole, else what is whole of the newest; returns the segment that goes on.
    private mutating func readSnapshot(
        _ files: [FoundFile], _ body: (FrameOrigin, Span<UInt8>) -> Void
    ) -> UInt32 {
        let whole = files.last { check($0) }
        guard let chosen = whole ?? files.last else { return 0 }
        let scan = self.scan(chosen, to: chosen.length) { _, record in body(.snapshot, record) }
        report.frames += scan?.frames ?? 0
        if whole == nil, let scan { mend(chosen, scan, to: chosen.length) }
        snapshot = LogSegment(number: chosen.number, bytes: chosen.length)
        guard whole != nil else {
            // Segments from before it may be there still; they repeat what the snapshot has lost.
            return 0
        }
        for file in files where file.number < chosen.number { try? folder.disk.remove(folder.path(file.name)) }
        for file in files where file.number > chosen.number { replace(file) }
        return chosen.number
    }

    /// A damaged snapshot is not needed where the one before and all segments since are still there.
    private mutating func replace(_ file: FoundFile) {
        let copy = try? folder.setAside(file.name, now: now)
        report.events.append(.damaged(file: file.name, bytes: file.length, setAside: copy))
        if copy != nil { try? folder.disk.remove(folder.path(file.name)) }
    }

    private func check(_ file: FoundFile) -> Bool {
        guard file.header != nil else { return false }
        return scan(file, to: file.length) { _, _ in }?.isWholeSnapshot ?? false
    }

    // MARK: the segments

    private mutating func readSegments(_ files: [FoundFile], _ body: (FrameOrigin, Span<UInt8>) -> Void) {
        var files = files
        let lastEnd = cutLast(&files)
        for (index, file) in files.enumerated() {
            let end = index + 1 < files.count ? committedEnd(of: file, before: files[index + 1]) : lastEnd
            let scan = self.scan(file, to: end) { offset, record in
                body(.log(LogPosition(segment: file.number, offset: UInt32(offset))), record)
            }
            guard let scan else { continue }
            report.frames += scan.frames
            if !scan.damage.isEmpty || file.header == nil {
                mend(file, scan, to: end)
            } else if end < file.length {
                cutFile(file, at: end)
            }
            segments.append(LogSegment(number: file.number, bytes: end))
            previous = (file.number, UInt32(clamping: end))
        }
        // Files that can't be read, or were removed, may have higher numbers.
        if previous.number + 1 < nextNumber { previous = (nextNumber - 1, 0) }
    }

    /// What is behind it was not committed: a commit failed, and what it was to write is in the next file.
    private func committedEnd(of file: FoundFile, before next: FoundFile) -> Int {
        guard let header = next.header, header.previous == file.number, header.previousEnd > 0 else {
            return file.length
        }
        return Int(header.previousEnd)
    }

    /// Finds where the committed bytes of the last file end, and cuts what is behind; files in which nothing was ever
    /// committed go.
    private mutating func cutLast(_ files: inout [FoundFile]) -> Int {
        while let file = files.last {
            guard let scan = scan(file, to: file.length, { _, _ in }), !scan.hasBadBlocks, !file.hasBadBlocks else {
                return file.length
            }
            guard isUnwritten(file, scan) else { return cut(file, scan) }
            remove(file.name)
            files.removeLast()
        }
        return 0
    }

    private mutating func cut(_ file: FoundFile, _ scan: FileScan) -> Int {
        // A damage before the latest batch was committed once. Behind its beginning it never was: the machine stopped
        // while the batch was being written, and its later blocks may have arrived without the earlier ones.
        guard let end = scan.damage.first(where: { $0.lowerBound >= scan.lastBatch })?.lowerBound, scan.frames > 0
        else { return file.length }
        report.events.append(.cut(file: file.name, at: end, bytes: file.length - end))
        cutFile(file, at: end)
        return end
    }

    /// Whether the machine stopped before the first batch of a file was committed.
    private func isUnwritten(_ file: FoundFile, _ scan: FileScan) -> Bool {
        guard scan.frames > 0 else { return scan.damage.isEmpty || file.header != nil || file.isBlank }
        return file.header == nil && scan.lastBatch == 0
    }

    private func cutFile(_ file: FoundFile, at end: Int) {
        // Where it can't be cut it is read so far only: the next file says where this one ended.
        let opened = try? folder.disk.open(folder.path(file.name), for: .changing)
        try? opened?.setLength(end)
        try? opened?.synchronize()
    }

    // MARK: reading and mending

    private func scan(
        _ file: FoundFile, to end: Int, _ body: (_ offset: Int, _ record: Span<UInt8>) -> Void
    ) -> FileScan? {
        try? FileScan.run(folder.open(file.kind, file.number), seed: file.seed(salt: salt), to: end, body)
    }

    /// Keeps a copy of a damaged file, then writes holes over the damage, so that it is told once.
    ///
    /// A file that the disk can't read is left as it is: perhaps it can tomorrow.
    private mutating func mend(_ file: FoundFile, _ scan: FileScan, to end: Int) {
        let bytes = scan.damagedBytes + (file.header == nil ? FileHeader.length : 0)
        let isReadable = !scan.hasBadBlocks && !file.hasBadBlocks
        let copy = isReadable ? try? folder.setAside(file.name, now: now) : nil
        report.events.append(.damaged(file: file.name, bytes: bytes, setAside: copy))
        if copy != nil { try? writeHoles(file, scan, to: end) }
    }

    private func writeHoles(_ file: FoundFile, _ scan: FileScan, to end: Int) throws(SystemError) {
        let opened = try folder.disk.open(folder.path(file.name), for: .changing)
        if file.header == nil {
            let header = FileHeader(kind: file.kind, number: file.number, salt: salt, previous: file.number - 1)
            try opened.write(header.encoded.span, at: 0)
        }
        let seed = file.seed(salt: salt)
        var end = max(end, FileHeader.length)
        for range in scan.damage {
            guard range.count >= RecordFrame.headerLength else {
                // Too short for a hole; only at the end of a file is there such a damage.
                end = range.lowerBound
                continue
            }
            let length = range.count - RecordFrame.headerLength
            let hole = RecordFrame(.hole, length: length, batch: 0, at: range.lowerBound, seed: seed)
            try opened.write(hole.encoded.span, at: range.lowerBound)
        }
        if file.kind == .segment {
            try opened.setLength(end)
        } else {
            let mark = RecordFrame(.end, length: 0, batch: scan.frames, at: end, seed: seed)
            try opened.write(mark.encoded.span, at: end)
        }
        try opened.synchronize()
    }
}

extension FileScan {
    /// Whether nothing of a snapshot is missing.
    var isWholeSnapshot: Bool { damage.isEmpty && endMark == frames }
}
