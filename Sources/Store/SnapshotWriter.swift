import Bytes
import LinuxIO

/// Writes a snapshot aside: nobody sees it before it is finished.
struct SnapshotWriter: Sendable {
    private static let chunk = 1 << 20

    /// The first segment that goes on from it.
    let number: UInt32
    let name: String
    private let file: any DiskFile
    private let seed: CRC32C
    private let isSynchronized: Bool
    private var buffer: [UInt8]
    /// Bytes in the file.
    private(set) var written = 0
    private(set) var frames = 0

    init(_ folder: LogFolder, number: UInt32, salt: UInt64, isSynchronized: Bool) throws(SystemError) {
        name = LogFolder.name(.snapshot, number) + LogFolder.unfinished
        file = try folder.disk.open(folder.path(name), for: .creating)
        self.number = number
        self.isSynchronized = isSynchronized
        let header = FileHeader(kind: .snapshot, number: number, salt: salt)
        seed = header.seed
        buffer = header.encoded
    }

    /// Adds a frame; says how many bytes it wrote.
    mutating func add(_ frame: Span<UInt8>) throws(SystemError) -> Int {
        let start = buffer.count
        let header = RecordFrame(.record, length: frame.count, batch: 0, at: written + start, seed: seed)
        buffer.append(contentsOf: repeatElement(0, count: RecordFrame.headerLength))
        buffer.append(copying: frame)
        header.write(into: &buffer, at: start)
        frames += 1
        return buffer.count >= Self.chunk ? try flush() : 0
    }

    /// Chunk by chunk, so that no commit waits for all of it.
    private mutating func flush() throws(SystemError) -> Int {
        let count = buffer.count
        try file.write(buffer.span, at: written)
        if isSynchronized { try file.synchronize() }
        written += count
        buffer.removeAll(keepingCapacity: true)
        return count
    }

    /// Writes the mark at the end and reads all back.
    mutating func finish() throws(SystemError) -> (bytes: Int, isWhole: Bool) {
        buffer += RecordFrame(.end, length: 0, batch: frames, at: written + buffer.count, seed: seed).encoded
        let bytes = try flush()
        let scan = try FileScan.run(file, seed: seed, to: written) { _, _ in }
        return (bytes, scan.isWholeSnapshot && scan.frames == frames)
    }
}
