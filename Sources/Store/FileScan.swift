import Bytes
import LinuxIO

/// What one pass over a file found.
struct FileScan: Equatable, Sendable {
    var frames = 0
    var damage: [Range<Int>] = []
    /// Where the latest batch begins: all that is before was committed.
    var lastBatch = 0
    /// Frames that the mark at the end counts; nil without a mark.
    var endMark: Int?

    /// Whether the disk could not read some of it, today at least.
    var hasBadBlocks = false

    var damagedBytes: Int { damage.reduce(0) { $0 + $1.count } }

    private static let chunk = 1 << 18
    private static let page = 4096

    /// Reads the frames of a file, in order.
    static func run(
        _ file: any DiskFile, seed: CRC32C, to end: Int,
        _ body: (_ offset: Int, _ record: Span<UInt8>) -> Void
    ) throws(SystemError) -> FileScan {
        var scan = FileScan()
        var scanner = FrameScanner(seed: seed, from: FileHeader.length, to: end)
        while true {
            switch scanner.next() {
            case .frame(let frame):
                scan.frames += 1
                scan.lastBatch = max(scan.lastBatch, frame.batch)
                body(frame.offset, scanner.window.span.extracting(frame.record))
            case .endMark(let frames): scan.endMark = frames
            case .damage(let range): scan.damage.append(range)
            case .finished: return scan
            case .needsMore:
                try scanner.fill(chunk) { count, offset, window throws(SystemError) in
                    if try !read(file, count, at: offset, into: &window) { scan.hasBadBlocks = true }
                }
            }
        }
    }

    /// Reads on behind what the disk can't read: zeros stand for it, and the answer is false.
    static func read(
        _ file: any DiskFile, _ count: Int, at offset: Int, into bytes: inout [UInt8]
    ) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try file.read(count, at: offset, into: &bytes)
            return true
        } catch {
            guard error.kind == .deviceGone else { throw error }
            var start = 0
            while start < count {
                let length = min(page - (offset + start) % page, count - start)
                let before = bytes.count
                do throws(SystemError) {
                    try file.read(length, at: offset + start, into: &bytes)
                    if bytes.count - before < length { return false }
                } catch {
                    bytes.append(contentsOf: repeatElement(0, count: length))
                }
                start += length
            }
            return false
        }
    }
}
