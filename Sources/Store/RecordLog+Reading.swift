import Bytes
import LinuxIO

extension RecordLog {
    /// Reads the committed frames of a segment, in order; says how many bytes were damaged.
    ///
    /// A segment that is not there has no frames.
    package func read(
        segment number: UInt32, _ body: (LogPosition, Span<UInt8>) -> Void
    ) throws(StoreError) -> Int {
        guard let segment = committed.first(where: { $0.number == number }) else { return 0 }
        do throws(SystemError) {
            let file = try folder.open(.segment, number)
            let seed = try seed(of: file, number)
            return try FileScan.run(file, seed: seed, to: segment.bytes) { offset, record in
                body(LogPosition(segment: number, offset: UInt32(clamping: offset)), record)
            }.damagedBytes
        } catch {
            throw StoreError(error, path: folder.path(.segment, number))
        }
    }

    /// Reads the committed frames of all segments from a position on.
    package func forEach(
        from start: LogPosition = LogPosition(segment: 0, offset: 0), _ body: (LogPosition, Span<UInt8>) -> Void
    ) throws(StoreError) {
        for segment in committed where segment.number >= start.segment {
            _ = try read(segment: segment.number) { position, record in
                if position >= start { body(position, record) }
            }
        }
    }

    /// Reads one frame; nil if there is none at the position, or it is damaged.
    package func frame(at position: LogPosition) throws(StoreError) -> [UInt8]? {
        guard let segment = committed.first(where: { $0.number == position.segment }) else { return nil }
        do throws(SystemError) {
            let file = try folder.open(.segment, position.segment)
            return try Self.frame(file, Int(position.offset), to: segment.bytes, seed(of: file, position.segment))
        } catch {
            throw StoreError(error, path: folder.path(.segment, position.segment))
        }
    }

    private static func frame(
        _ file: any DiskFile, _ offset: Int, to end: Int, _ seed: CRC32C
    ) throws(SystemError) -> [UInt8]? {
        let start = offset + RecordFrame.headerLength
        guard start <= end else { return nil }
        var bytes: [UInt8] = []
        try file.read(RecordFrame.headerLength, at: offset, into: &bytes)
        guard bytes.count == RecordFrame.headerLength,
            let frame = RecordFrame(bytes.span, at: 0, offset: offset, seed: seed), frame.kind == .record,
            start + frame.length <= end
        else { return nil }
        bytes.removeAll(keepingCapacity: true)
        try file.read(frame.length, at: start, into: &bytes)
        return bytes.count == frame.length && frame.matches(bytes.span) ? bytes : nil
    }

    /// Files from another folder, put here by hand, have a salt of their own.
    func seed(of file: any DiskFile, _ number: UInt32) throws(SystemError) -> CRC32C {
        var front: [UInt8] = []
        _ = try FileScan.read(file, FileHeader.length, at: 0, into: &front)
        guard case .header(let header) = FileHeader.read(front) else {
            return FileHeader.seed(salt: salt, number: number, .segment)
        }
        return header.seed
    }
}
