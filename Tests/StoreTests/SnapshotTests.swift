import Bytes
import Foundation
import LinuxIO
import Testing

@testable import Store

@Suite struct SnapshotTests {
    private let disk = MemoryDisk()

    private var names: [String] { disk.files.keys.sorted() }

    @Test func `a snapshot takes the place of all segments before it`() throws {
        let (_, box) = try TestLog.open(disk)
        try box.commit(["one", "two"])
        try box.snapshot(["one and two"])
        #expect(names == ["/log/snapshot-0000000002"])
        try box.commit(["three"])
        let opened = try TestLog.look(disk)
        #expect(opened.snapshot == ["one and two"])
        #expect(opened.frames == ["three"])
        #expect(opened.recovery.events.isEmpty)
        #expect(opened.statistics.bytesOnDisk == box.log.statistics.bytesOnDisk)
    }

    @Test func `commits go on while a snapshot is written`() throws {
        let (_, box) = try TestLog.open(disk)
        try box.commit(["one"])
        let start = try box.log.beginSnapshot()
        #expect(box.isWritingSnapshot)
        let positions = try box.commit(["two"])
        #expect(positions.allSatisfy { $0.segment >= start })
        let record = Array("one".utf8)
        try box.log.addToSnapshot(record.span)
        try box.commit(["three"])
        try box.log.finishSnapshot()
        #expect(!box.isWritingSnapshot)
        let opened = try TestLog.look(disk)
        #expect(opened.snapshot == ["one"])
        #expect(opened.frames == ["two", "three"])
    }

    @Test func `a later snapshot takes the place of an earlier one, with commits between them or none`() throws {
        let (_, box) = try TestLog.open(disk)
        try box.snapshot(["a"])
        try box.snapshot(["b"])
        #expect(try TestLog.look(disk).snapshot == ["b"])
        try box.commit(["one"])
        try box.snapshot(["c"])
        #expect(try TestLog.look(disk).snapshot == ["c"])
        #expect(names.count == 1)
    }

    @Test func `a snapshot that was not finished is as if it had never been begun`() throws {
        let (_, box) = try TestLog.open(disk)
        try box.commit(["one"])
        try box.snapshot(["old"])
        try box.commit(["two"])
        _ = try box.log.beginSnapshot()
        let record = Array("new".utf8)
        try box.log.addToSnapshot(record.span)
        let opened = try TestLog.look(disk)
        #expect(opened.snapshot == ["old"])
        #expect(opened.frames == ["two"])
        #expect(opened.recovery.events == [.removed(file: "snapshot-0000000003.new")])
        #expect(!opened.recovery.isDamaged)
    }

    @Test func `a snapshot is dropped, and a new one begun`() throws {
        let (_, box) = try TestLog.open(disk)
        _ = try box.log.beginSnapshot()
        box.log.dropSnapshot()
        #expect(names.isEmpty)
        _ = try box.log.beginSnapshot()
        _ = try box.log.beginSnapshot()
        try box.log.finishSnapshot()
        try box.log.finishSnapshot()
        #expect(names == ["/log/snapshot-0000000001"])
    }

    @Test func `an empty snapshot and a large one are read back`() throws {
        let (_, box) = try TestLog.open(disk)
        try box.commit(["one"])
        try box.snapshot([])
        #expect(try TestLog.look(disk).snapshot == [])
        let large = (0..<300).map { "\($0) " + String(repeating: "x", count: 10_000) }
        try box.snapshot(large)
        #expect(try TestLog.look(disk).snapshot == large)
    }

    @Test(arguments: ["create", "write", "fdatasync", "rename", "fsync", "read"])
    func `where a snapshot fails all that was before stays`(call: String) throws {
        let (_, box) = try TestLog.open(disk)
        try box.snapshot(["old"])
        try box.commit(["one"])
        disk.fail(call, EIO)
        let error = #expect(throws: StoreError.self) { try box.snapshot(["new"]) }
        #expect(error?.description.contains("/log") == true)
        #expect(!box.isWritingSnapshot)
        disk.fail(call, nil)
        let opened = try TestLog.look(disk)
        // The name may have changed before the folder could not be made durable; then both say the same.
        #expect([["old"], ["new"]].contains(opened.snapshot))
        #expect(opened.snapshot == ["new"] || opened.frames == ["one"])
        try box.snapshot(["newer"])
        #expect(try TestLog.look(disk).snapshot == ["newer"])
    }

    @Test func `a snapshot that does not read back is refused`() throws {
        let (_, box) = try TestLog.open(disk)
        try box.commit(["one"])
        _ = try box.log.beginSnapshot()
        let record = [UInt8](repeating: 7, count: 2_000_000)
        try box.log.addToSnapshot(record.span)
        disk.change("/log/snapshot-0000000002.new") { $0[1_000] ^= 1 }
        let error = #expect(throws: StoreError.self) { try box.log.finishSnapshot() }
        #expect(error?.reason == .unreadable, "\(String(describing: error))")
        #expect(names == ["/log/segment-0000000001"])
    }

    @Test func `the reserve stops commits and not the snapshot that makes room`() throws {
        var settings = LogSettings()
        settings.reserve = 1_000_000
        let box = LogBox(try RecordLog(opening: "/log", settings, now: TestLog.now, disk: disk))
        try box.commit(["one"])
        disk.setRoom(500_000)
        let error = #expect(throws: StoreError.self) { try box.commit(["two"]) }
        #expect(error?.reason == .reserveReached(free: 500_000, reserve: 1_000_000))
        try box.snapshot(["one"])
        disk.setRoom(2_000_000)
        try box.commit([])
        #expect(try TestLog.look(disk).frames == ["two"])
    }

    // MARK: damage

    @Test func `a damaged snapshot gives what is whole of it, and a copy is kept`() throws {
        let (_, box) = try TestLog.open(disk)
        try box.snapshot(["first", "second", "third"])
        try box.commit(["one"])
        let name = "/log/snapshot-0000000001"
        let before = try #require(disk.files[name])
        disk.change(name) { bytes in
            let place = bytes.firstRange(of: Array("second".utf8))?.lowerBound ?? 0
            bytes[place] ^= 0x40
        }
        let opened = try TestLog.look(disk)
        #expect(opened.snapshot == ["first", "third"])
        #expect(opened.frames == ["one"])
        #expect(opened.recovery.isDamaged)
        let copy = "snapshot-0000000001.damaged-2026-11-23T18-02-11"
        #expect(
            opened.recovery.events == [
                .damaged(file: "snapshot-0000000001", bytes: 22, setAside: copy)
            ])
        #expect(disk.files["/log/" + copy]?.count == before.count)
        #expect(opened.statistics.setAside == 1)
        // It is told once.
        let again = try TestLog.look(disk)
        #expect(again.snapshot == ["first", "third"])
        #expect(again.recovery.events == [])
    }

    @Test func `each byte of a snapshot may be damaged, or all behind it missing`() throws {
        let (_, box) = try TestLog.open(disk)
        try box.snapshot(["first", "second", "third"])
        try box.commit(["one"])
        let files = disk.files
        let whole = try #require(files["/log/snapshot-0000000001"])
        for place in whole.indices {
            for isCut in [false, true] {
                let damaged = MemoryDisk(files)
                damaged.change("/log/snapshot-0000000001") { bytes in
                    if isCut { bytes.setLength(place) } else { bytes[place] ^= 0xFF }
                }
                let opened = try TestLog.look(damaged)
                #expect(opened.frames == ["one"])
                #expect(opened.snapshot.allSatisfy { ["first", "second", "third"].contains($0) })
                if !isCut { #expect(opened.snapshot.count >= 2) }
                if isCut || place >= FileHeader.length { #expect(opened.recovery.isDamaged) }
                let again = try TestLog.look(damaged)
                #expect(again.snapshot == opened.snapshot)
                #expect(!again.recovery.isDamaged)
            }
        }
    }

    @Test func `the snapshot before is used where it is still there`() throws {
        let (_, box) = try TestLog.open(disk)
        try box.snapshot(["old"])
        try box.commit(["one"])
        let before = disk.files
        try box.snapshot(["new"])
        try box.commit(["two"])
        let both = MemoryDisk(before.merging(disk.files) { $1 })
        #expect(try TestLog.look(both).snapshot == ["new"])

        let damaged = MemoryDisk(before.merging(disk.files) { $1 })
        damaged.change("/log/snapshot-0000000002") { $0[70] ^= 1 }
        let opened = try TestLog.look(damaged)
        #expect(opened.snapshot == ["old"])
        #expect(opened.frames == ["one", "two"])
        #expect(opened.recovery.isDamaged)
        #expect(try TestLog.look(damaged).recovery.events == [])
    }
}
