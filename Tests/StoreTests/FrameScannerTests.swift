import Bytes
import Testing

@testable import Store

@Suite struct FrameScannerTests {
    private let seed = FileHeader.seed(salt: 1, number: 1, .segment)

    private func bytes(_ records: [[UInt8]], from offset: Int = FileHeader.length) -> [UInt8] {
        var bytes: [UInt8] = []
        for record in records {
            let start = bytes.count
            bytes += [UInt8](repeating: 0, count: RecordFrame.headerLength) + record
            RecordFrame(.record, length: record.count, batch: 64, at: offset + start, seed: seed)
                .write(into: &bytes, at: start)
        }
        return bytes
    }

    /// What is found when the bytes come in pieces of this size.
    private func findings(_ bytes: [UInt8], piece: Int, to end: Int? = nil) -> [String] {
        let start = FileHeader.length
        var scanner = FrameScanner(seed: seed, from: start, to: end ?? start + bytes.count)
        var found: [String] = []
        while true {
            switch scanner.next() {
            case .frame(let frame): found.append("\(frame.offset): \(Array(scanner.window[frame.record]))")
            case .damage(let range): found.append("damage \(range)")
            case .endMark(let frames): found.append("end of \(frames)")
            case .finished: return found
            case .needsMore:
                scanner.fill(piece) { count, offset, window in
                    window += bytes[min(offset - start, bytes.count)..<min(offset - start + count, bytes.count)]
                }
            }
        }
    }

    @Test func `where the pieces are parted changes nothing`() {
        var bytes = bytes([[1, 2, 3], [4], Array(repeating: 9, count: 100), [5, 6]])
        let whole = findings(bytes, piece: 1_000_000)
        #expect(whole.count == 4)
        bytes[40] ^= 1
        let damaged = findings(bytes, piece: 1_000_000)
        #expect(damaged.count == 4)
        #expect(damaged.contains { $0.hasPrefix("damage") })
        for piece in 1...60 { #expect(findings(bytes, piece: piece) == damaged) }
    }

    @Test func `each frame is known only at its place, in its file and with its log's salt`() {
        let moved = bytes([[1, 2, 3]], from: 65)
        #expect(findings(moved, piece: 100) == ["damage 64..<83"])
        let own = bytes([[1, 2, 3]])
        for other in [
            FileHeader.seed(salt: 2, number: 1, .segment), FileHeader.seed(salt: 1, number: 2, .segment),
            FileHeader.seed(salt: 1, number: 1, .snapshot),
        ] {
            #expect(RecordFrame(own.span, at: 0, offset: 64, seed: other) == nil)
        }
    }

    @Test func `what is missing at the end is told as damage`() {
        let bytes = bytes([[1, 2, 3]])
        #expect(findings(bytes, piece: 100, to: 64 + 19 + 50) == ["64: [1, 2, 3]", "damage 83..<133"])
        #expect(findings([], piece: 100, to: 64) == [])
        #expect(findings([], piece: 100, to: 80) == ["damage 64..<80"])
    }

    @Test func `nothing behind the end is looked at`() {
        let bytes = bytes([[1], [2]])
        #expect(findings(bytes, piece: 100, to: 64 + 17) == ["64: [1]"])
    }

    @Test func `a hole is stepped over, however long it is`() {
        let hole = RecordFrame(.hole, length: 100, batch: 0, at: 64, seed: seed).encoded
        let behind = bytes([[7]], from: 64 + 116)
        let all = hole + [UInt8](repeating: 0xEE, count: 100) + behind
        for piece in [1, 16, 50, 500] { #expect(findings(all, piece: piece) == ["180: [7]"]) }
        #expect(findings(hole, piece: 16) == [])
    }

    @Test func `zeros are no frames`() {
        #expect(findings([UInt8](repeating: 0, count: 200), piece: 30) == ["damage 64..<264"])
    }

    @Test func `one copy of a header is enough`() {
        let header = FileHeader(kind: .segment, number: 7, salt: 99, previous: 6, previousEnd: 1_234)
        for place in 0..<FileHeader.length {
            var bytes = header.encoded
            bytes[place] ^= 0x55
            #expect(FileHeader.read(bytes) == .header(header))
        }
        #expect(FileHeader.read(Array(header.encoded.prefix(32))) == .header(header))
        #expect(FileHeader.read(Array(header.encoded.prefix(31))) == .none)
        #expect(FileHeader.read([]) == .none)
    }
}
