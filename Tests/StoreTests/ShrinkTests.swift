import Bytes
import Foundation
import LinuxIO
import Testing

@testable import Store

/// Frames let go in the middle of a log.
@Suite struct ShrinkTests {
    private let disk = MemoryDisk()

    private func keeps(_ texts: Set<String>) -> (Span<UInt8>) -> Bool {
        { record in texts.contains(String(decoding: [UInt8](copying: record), as: UTF8.self)) }
    }

    @Test(arguments: [["one"], ["two"], ["three"], ["one", "three"], ["two", "three"], ["one", "two", "three"], []])
    func `frames that are kept stay in their places, and the others are gone`(kept: Set<String>) throws {
        let (_, box) = try TestLog.open(disk, segmentSize: 100)
        let places = try box.commit(["one", "two", "three"])
        try box.commit(["four"])
        let used = try box.log.shrink(segment: 1, keeping: keeps(kept))
        let expected = ["one", "two", "three"].filter(kept.contains) + ["four"]
        let opened = try TestLog.look(disk)
        #expect(opened.frames == expected && opened.recovery.events.isEmpty)
        #expect(
            opened.positions.dropLast()
                == zip(["one", "two", "three"], places).filter { kept.contains($0.0) }.map(\.1)[...])
        #expect(try box.read(1) == expected.dropLast())
        #expect(used <= box.log.segments[0].bytes)
    }

    @Test func `a file can shrink again and again, and the log goes on`() throws {
        let (_, box) = try TestLog.open(disk, segmentSize: 400)
        let texts = (0..<30).map { "frame number \($0)" }
        for text in texts { try box.commit([text]) }
        for step in [2, 3, 5] {
            for segment in box.log.segments.dropLast() {
                _ = try box.log.shrink(segment: segment.number) { record in
                    let number = String(decoding: [UInt8](copying: record), as: UTF8.self).split(separator: " ").last
                    return number.flatMap { Int($0) }.map { $0 % step == 0 } ?? false
                }
            }
            try box.commit(["frame number 0"])
        }
        let numbers = try TestLog.look(disk).frames.compactMap { Int($0.split(separator: " ").last ?? "") }
        #expect(numbers.prefix(1) == [0] && !numbers.contains(2) && !numbers.contains(9) && numbers.count > 3)
    }

    @Test(arguments: ["create", "write", "fdatasync", "rename"])
    func `a shrink that fails changes nothing`(call: String) throws {
        let (_, box) = try TestLog.open(disk, segmentSize: 100)
        try box.commit(["one", "two", "three"])
        try box.commit(["four"])
        disk.fail(call, 28)
        #expect(throws: StoreError.self) { try box.log.shrink(segment: 1) { _ in false } }
        disk.fail(call, nil)
        #expect(try TestLog.look(disk).frames == ["one", "two", "three", "four"])
        #expect(disk.files.keys.filter { $0.hasSuffix(".new") }.isEmpty)
        #expect(try box.log.shrink(segment: 1) { _ in false } < 100)
    }

    @Test func `the file that is written to is left alone`() throws {
        let (_, box) = try TestLog.open(disk)
        try box.commit(["one"])
        #expect(try box.log.shrink(segment: 1) { _ in false } == 0)
        #expect(try TestLog.look(disk).frames == ["one"])
    }

    @Test func `a real disk has the room again`() throws {
        let folder = "/tmp/martlet-test-\(Entropy.seed())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var settings = LogSettings()
        settings.segmentSize = 1_000_000
        var log = try RecordLog(opening: folder, settings, now: TestLog.now)
        for number in 0..<20 {
            let frame = [UInt8](repeating: UInt8(number), count: 60_000)
            log.append(frame.span)
            _ = try log.commit()
        }
        let path = "\(folder)/segment-0000000001"
        func blocks() throws -> Int {
            var status = stat()
            try #require(stat(path, &status) == 0)
            return Int(status.st_blocks) * 512
        }
        let before = try blocks()
        let used = try log.shrink(segment: 1) { $0[0] == 5 }
        #expect(before > 900_000 && used < 70_000)
        #expect(try blocks() < 100_000)
        #expect(log.statistics.bytesOnDisk < 500_000)
    }
}
