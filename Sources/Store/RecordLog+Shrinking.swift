import Bytes
import LinuxIO

extension RecordLog {
    /// Lets go of frames in the middle of the log: the file is written aside with holes in their places and renamed, and
    /// the disk has their room again; returns how many bytes the file still uses.
    ///
    /// Frames that are kept stay where they are. The file that is being written is left alone.
    package mutating func shrink(
        segment number: UInt32, keeping isKept: (Span<UInt8>) -> Bool
    ) throws(StoreError) -> Int {
        guard let index = committed.firstIndex(where: { $0.number == number }), !isWriting(number) else { return 0 }
        do throws(SystemError) {
            let used = try rewrite(committed[index], isKept)
            counted.wrote(used, at: 0)
            committed[index].freed = committed[index].bytes - used
            return used
        } catch {
            try? folder.disk.remove(folder.path(LogFolder.name(.segment, number) + LogFolder.unfinished))
            throw StoreError(error, path: folder.path(.segment, number))
        }
    }

    private func rewrite(_ segment: LogSegment, _ isKept: (Span<UInt8>) -> Bool) throws(SystemError) -> Int {
        let old = try folder.open(.segment, segment.number)
        let seed = try seed(of: old, segment.number)
        let name = LogFolder.name(.segment, segment.number)
        let new = try folder.disk.open(folder.path(name + LogFolder.unfinished), for: .creating)
        var copy = SparseCopy(old, new, seed: seed)
        try copy.take(0..<FileHeader.length)
        var kept: [Range<Int>] = []
        _ = try FileScan.run(old, seed: seed, to: segment.bytes) { offset, record in
            let range = offset..<offset + RecordFrame.headerLength + record.count
            guard isKept(record) else { return }
            if let last = kept.last, last.upperBound == range.lowerBound {
                kept[kept.count - 1] = last.lowerBound..<range.upperBound
            } else {
                kept.append(range)
            }
        }
        for range in kept { try copy.take(range) }
        try copy.leaveOut(to: segment.bytes)
        try new.setLength(segment.bytes)
        if settings.isSynchronized { try new.synchronize() }
        try folder.disk.rename(folder.path(name + LogFolder.unfinished), to: folder.path(name))
        if settings.isSynchronized { try folder.disk.synchronize(folder: folder.path) }
        return copy.used
    }
}

/// Copies parts of a file to their places in another, with holes in between.
private struct SparseCopy {
    private let old: any DiskFile
    private let new: any DiskFile
    private let seed: CRC32C
    /// Where what was copied ends.
    private var end = 0
    private(set) var used = 0

    init(_ old: any DiskFile, _ new: any DiskFile, seed: CRC32C) {
        self.old = old
        self.new = new
        self.seed = seed
    }

    mutating func take(_ range: Range<Int>) throws(SystemError) {
        try leaveOut(to: range.lowerBound)
        var bytes: [UInt8] = []
        try old.read(range.count, at: range.lowerBound, into: &bytes)
        try new.write(bytes.span, at: range.lowerBound)
        end = range.upperBound
        used += range.count
    }

    /// A frame never has fewer bytes than a hole needs.
    mutating func leaveOut(to start: Int) throws(SystemError) {
        let length = start - end - RecordFrame.headerLength
        guard length >= 0 else { return }
        let hole = RecordFrame(.hole, length: length, batch: 0, at: end, seed: seed)
        try new.write(hole.encoded.span, at: end)
        used += RecordFrame.headerLength
        end = start
    }
}
