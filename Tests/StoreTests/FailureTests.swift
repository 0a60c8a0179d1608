import Bytes
import Foundation
import LinuxIO
import Testing

@testable import Store

/// What happens when the disk is full, can't be written, or fails, and when that is over.
@Suite struct FailureTests {
    private let disk = MemoryDisk()

    /// Commits until it works again, and looks whether all is there once.
    private func expectRecovery(_ box: LogBox, _ failing: [String], before: [String]) throws {
        #expect(try TestLog.look(MemoryDisk(disk.files)).frames.starts(with: before))
        let positions = try box.commit([])
        #expect(positions.count == failing.count)
        try box.commit(["later"])
        let opened = try TestLog.look(disk)
        #expect(opened.frames == before + failing + ["later"])
        #expect(opened.positions.dropFirst(before.count).prefix(failing.count).elementsEqual(positions))
        #expect(!opened.recovery.isDamaged)
    }

    @Test(arguments: ["write", "fdatasync"], [ENOSPC, EIO, EROFS])
    func `a failed commit leaves nothing and is made up for`(call: String, code: CInt) throws {
        let (_, box) = try TestLog.open(disk)
        try box.commit(["one"])
        disk.fail(call, code)
        for _ in 0..<3 {
            #expect(throws: StoreError.self) { try box.commit(box.log.pendingBytes == 0 ? ["two", "three"] : []) }
        }
        disk.fail(call, nil)
        #expect(box.log.statistics.failedCommits == 3)
        try expectRecovery(box, ["two", "three"], before: ["one"])
    }

    @Test(arguments: ["create", "write", "fdatasync", "fsync"])
    func `the first commit of a file may fail at each step`(call: String) throws {
        let (_, box) = try TestLog.open(disk)
        disk.fail(call, ENOSPC)
        let error = #expect(throws: StoreError.self) { try box.commit(["one"]) }
        #expect(error?.reason == .diskFull)
        disk.fail(call, nil)
        #expect(box.log.segments.isEmpty)
        try expectRecovery(box, ["one"], before: [])
        #expect(disk.files.count == 1)
    }

    @Test(arguments: 0..<130)
    func `a disk that is full in the middle of a batch`(room: Int) throws {
        let (_, box) = try TestLog.open(disk)
        try box.commit(["one"])
        disk.setRoom(room)
        let texts = ["two is a bit longer than one", "three is so, too", "four"]
        let needed = texts.reduce(0) { $0 + $1.utf8.count + RecordFrame.headerLength }
        guard room < needed else { return }
        let error = #expect(throws: StoreError.self) { try box.commit(texts) }
        #expect(error?.reason == .diskFull)
        disk.setRoom(.max)
        try expectRecovery(box, texts, before: ["one"])
    }

    @Test func `what could be neither committed nor cut is not taken for committed`() throws {
        let (_, box) = try TestLog.open(disk)
        try box.commit(["one"])
        disk.fail("fdatasync", EIO)
        disk.fail("ftruncate", EIO)
        #expect(throws: StoreError.self) { try box.commit(["two"]) }
        disk.fail("fdatasync", nil)
        // "two" is whole in the first file as well as in the second, and counts once.
        try expectRecovery(box, ["two"], before: ["one"])
        #expect(disk.files.values.filter { $0.firstRange(of: Array("two".utf8)) != nil }.count == 2)
        disk.fail("ftruncate", nil)
        #expect(try TestLog.look(disk).frames == ["one", "two", "later"])
        #expect(try TestLog.look(disk).frames == ["one", "two", "later"])
    }

    @Test func `a file that was given up and could not be removed is stepped over`() throws {
        let (_, box) = try TestLog.open(disk)
        try box.commit(["one"])
        disk.fail("ftruncate", EIO)
        disk.fail("fdatasync", EIO)
        disk.fail("unlink", EIO)
        for _ in 0..<3 { #expect(throws: StoreError.self) { try box.commit(box.log.pendingBytes == 0 ? ["two"] : []) } }
        for call in ["ftruncate", "fdatasync", "unlink"] { disk.fail(call, nil) }
        #expect(disk.files.count == 3)
        try expectRecovery(box, ["two"], before: ["one"])
        #expect(disk.files.count == 2)
    }

    @Test func `a removal that fails is told and can be tried again`() throws {
        let (_, box) = try TestLog.open(disk)
        try box.commit(["one"])
        disk.fail("unlink", EROFS)
        let error = #expect(throws: StoreError.self) { try box.log.remove(segment: 1) }
        #expect(error?.reason == .readOnly)
        disk.fail("unlink", nil)
        try box.log.remove(segment: 1)
        #expect(disk.files.isEmpty)
    }

    @Test(arguments: [
        ("mkdir", EACCES, "Martlet may not write to /log"),
        ("mkdir", ENOTDIR, "/log is not a folder"),
        ("flock", EROFS, "the disk of /log can only be read"),
        ("flock", EWOULDBLOCK, "another process keeps its data in /log"),
        ("opendir", EIO, "/log could not be written"),
    ])
    func `a folder that can't be used is an error that says what to do`(
        call: String, code: CInt, text: String
    ) throws {
        disk.fail(call, code)
        let error = #expect(throws: StoreError.self) { try TestLog.look(disk) }
        #expect(error?.description.hasPrefix(text) == true, "\(error?.description ?? "")")
    }

    @Test(arguments: [
        "open", "read", "change", "create", "fdatasync", "ftruncate", "unlink", "write", "fsync", "fstat",
    ])
    func `a log whose files fail opens all the same`(call: String) throws {
        let (_, box) = try TestLog.open(disk, segmentSize: 100)
        for text in ["one", "two", "three"] { try box.commit([String(repeating: text, count: 20)]) }
        disk.change("/log/segment-0000000002") { $0[90] ^= 1 }
        disk.change("/log/segment-0000000003") { $0.removeLast() }
        disk.fail(call, EIO)
        _ = try TestLog.look(disk)
        disk.fail(call, nil)
        #expect(try TestLog.look(disk).frames.first == String(repeating: "one", count: 20))
    }

    @Test func `what a bad block does not touch is read`() throws {
        let (_, box) = try TestLog.open(disk)
        let texts = (0..<40).map { "\($0) " + String(repeating: "x", count: 1_000) }
        try box.commit(texts)
        try box.commit(["last"])
        disk.spoil(8_200..<8_210, of: "/log/segment-0000000001")
        let opened = try TestLog.look(disk)
        #expect(opened.frames.count >= 35)
        #expect(opened.frames.last == "last")
        #expect(opened.recovery.isDamaged)
    }

    @Test func `errors pass, or need somebody`() {
        let passing: [StoreError.Reason] = [.diskFull, .readOnly, .failed, .reserveReached(free: 0, reserve: 1)]
        #expect(passing.allSatisfy { StoreError($0, path: "/x").isPassing })
        let lasting: [StoreError.Reason] = [.locked(process: 1), .noPermission, .notAFolder]
        #expect(!lasting.contains { StoreError($0, path: "/x").isPassing })
    }
}
