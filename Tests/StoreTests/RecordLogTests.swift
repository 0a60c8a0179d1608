import Bytes
import Foundation
import LinuxIO
import Testing

@testable import Store

@Suite struct RecordLogTests {
    private let disk = MemoryDisk()

    private func steps(after start: Int) -> [String] {
        disk.steps.dropFirst(start).map { String("\($0)".prefix { $0 != "(" }) }
    }

    @Test func `what was committed is there after reopening, in order and at its place`() throws {
        let (_, box) = try TestLog.open(disk)
        let first = try box.commit(["one", "two"])
        let second = try box.commit(["three"])
        let opened = try TestLog.look(disk)
        #expect(opened.frames == ["one", "two", "three"])
        #expect(opened.positions == first + second)
        #expect(opened.recovery == Recovery(events: [], frames: 3))
        #expect(first == first.sorted())
    }

    @Test func `what was not committed is not there`() throws {
        let (_, box) = try TestLog.open(disk)
        try box.commit(["one"])
        let bytes = Array("two".utf8)
        box.log.append(bytes.span)
        #expect(box.log.pendingBytes > 0)
        #expect(try TestLog.look(disk).frames == ["one"])
    }

    @Test func `opening writes nothing, and a commit of nothing neither`() throws {
        let (_, box) = try TestLog.open(disk)
        #expect(try box.commit([]) == [])
        #expect(disk.steps == [])
    }

    @Test func `the first commit of a file makes its name durable, the next only its contents`() throws {
        let (_, box) = try TestLog.open(disk)
        try box.commit(["one"])
        #expect(steps(after: 0) == ["create", "write", "write", "synchronize", "synchronizeFolder"])
        let before = disk.steps.count
        try box.commit(["two", "three"])
        #expect(steps(after: before) == ["write", "synchronize"])
    }

    @Test func `a log opened again goes on in a new file`() throws {
        let (_, first) = try TestLog.open(disk)
        try first.commit(["one"])
        let (_, second) = try TestLog.open(disk)
        let positions = try second.commit(["two"])
        #expect(positions.map(\.segment) == [2])
        #expect(try TestLog.look(disk).frames == ["one", "two"])
    }

    @Test func `a full file is left for the next, and no batch is parted`() throws {
        let (_, box) = try TestLog.open(disk, segmentSize: 200)
        var positions: [LogPosition] = []
        for number in 0..<10 { positions += try box.commit(["frame \(number)", "and its companion"]) }
        #expect(Set(positions.map(\.segment)).count > 3)
        for pair in 0..<10 { #expect(positions[pair * 2].segment == positions[pair * 2 + 1].segment) }
        #expect(try TestLog.look(disk).positions == positions)
        #expect(box.log.segments.map(\.number) == Array(1...UInt32(box.log.segments.count)))
    }

    @Test func `a batch longer than a file gets one of its own`() throws {
        let (_, box) = try TestLog.open(disk, segmentSize: 100)
        let long = String(repeating: "x", count: 5_000)
        let positions = try box.commit(["short"]) + box.commit([long]) + box.commit(["short"])
        #expect(positions.map(\.segment) == [1, 2, 3])
        #expect(try TestLog.look(disk).frames == ["short", long, "short"])
    }

    @Test func `segments and single frames are read again`() throws {
        let (_, box) = try TestLog.open(disk, segmentSize: 120)
        let positions = try box.commit(["one", "two"]) + box.commit(["three"]) + box.commit(["four"])
        #expect(try box.read(1) == ["one", "two"])
        #expect(try box.read(77) == [])
        #expect(try box.log.frame(at: positions[1]) == Array("two".utf8))
        #expect(try box.log.frame(at: positions[3]) == Array("four".utf8))
        var wrong = positions[1]
        wrong.offset += 1
        #expect(try box.log.frame(at: wrong) == nil)
        #expect(try box.log.frame(at: LogPosition(segment: 9, offset: 64)) == nil)
        var later: [LogPosition] = []
        try box.log.forEach(from: positions[1]) { position, _ in later.append(position) }
        #expect(later == Array(positions.dropFirst()))
    }

    @Test func `segments are removed, the one that is written to as well`() throws {
        let (_, box) = try TestLog.open(disk, segmentSize: 100)
        for text in ["one", "two", "three"] { try box.commit([String(repeating: text, count: 20)]) }
        try box.log.removeSegments(before: 3)
        #expect(box.log.segments.map(\.number) == [3])
        try box.log.remove(segment: 3)
        try box.log.remove(segment: 3)
        #expect(box.log.segments.isEmpty)
        #expect(box.log.statistics.bytesOnDisk == 0)
        #expect(try box.commit(["four"]).map(\.segment) == [4])
        #expect(try TestLog.look(disk).frames == ["four"])
    }

    @Test func `what is written is counted, in bytes and in blocks`() throws {
        let (_, box) = try TestLog.open(disk)
        try box.commit(["one"])
        try box.commit([String(repeating: "x", count: 10_000), "y"])
        let statistics = box.log.statistics
        let expected = FileHeader.length + 3 * RecordFrame.headerLength + 10_004
        #expect(statistics.commits == 2)
        #expect(statistics.frames == 3)
        #expect(statistics.bytesWritten == expected)
        #expect(statistics.bytesOnDisk == expected)
        #expect(statistics.blockBytesWritten == 4096 + 3 * 4096)
        #expect(statistics.segments == 1)
    }

    @Test func `a log that need not survive power cuts does not wait for the disk`() throws {
        var settings = LogSettings()
        settings.isSynchronized = false
        let box = LogBox(try RecordLog(opening: "/log", settings, now: TestLog.now, disk: disk))
        try box.commit(["one"])
        #expect(steps(after: 0) == ["create", "write", "write"])
        #expect(try TestLog.look(disk).frames == ["one"])
    }
}
