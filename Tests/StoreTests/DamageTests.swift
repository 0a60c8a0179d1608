import Bytes
import Foundation
import LinuxIO
import Testing

@testable import Store

/// Files that are not as they were written: nothing but what was damaged may be missing, and nothing may be added.
@Suite struct DamageTests {
    private struct Written {
        var text: String
        var position: LogPosition
        var batch: Int

        var bytes: Range<Int> {
            Int(position.offset)..<Int(position.offset) + RecordFrame.headerLength + text.utf8.count
        }
    }

    private let files: [String: [UInt8]]
    private let written: [Written]

    /// Three segments of some batches.
    init() throws {
        let disk = MemoryDisk()
        let (_, box) = try TestLog.open(disk, segmentSize: 260)
        var written: [Written] = []
        for batch in 0..<9 {
            let texts = (0...batch % 3).map { "batch \(batch), frame \($0)" }
            for (text, position) in zip(texts, try box.commit(texts)) {
                written.append(Written(text: text, position: position, batch: batch))
            }
        }
        files = disk.files
        self.written = written
        #expect(files.count > 2)
    }

    private static func name(_ segment: UInt32) -> String { "/log/" + LogFolder.name(.segment, segment) }

    private var lastSegment: UInt32 { written.map(\.position.segment).max() ?? 0 }

    /// Opens a damaged log twice, and goes on with it.
    private func open(_ disk: MemoryDisk, loses lost: Set<String>, isTold: Bool? = nil) throws {
        let expected = written.map(\.text).filter { !lost.contains($0) }
        let opened = try TestLog.look(disk)
        #expect(opened.frames == expected)
        if let isTold { #expect(opened.recovery.isDamaged == isTold) }
        let (again, box) = try TestLog.open(disk)
        #expect(again.frames == expected)
        #expect(again.recovery.events == [])
        try box.commit(["later"])
        #expect(try TestLog.look(disk).frames == expected + ["later"])
    }

    // MARK: the end

    @Test func `the last frame may be torn at every byte`() throws {
        let last = try #require(written.last)
        for end in last.bytes {
            let disk = MemoryDisk(files)
            disk.change(Self.name(lastSegment)) { $0.setLength(end) }
            try open(disk, loses: [last.text], isTold: false)
        }
    }

    @Test func `the last file may be torn at every byte`() throws {
        let length = try #require(files[Self.name(lastSegment)]).count
        for end in 0..<length {
            let disk = MemoryDisk(files)
            disk.change(Self.name(lastSegment)) { $0.setLength(end) }
            let lost = written.filter { $0.position.segment == lastSegment && $0.bytes.upperBound > end }
            try open(disk, loses: Set(lost.map(\.text)), isTold: false)
        }
    }

    @Test(arguments: [1, 15, 16, 100, 5_000], [0, 0xFF, 0x4D] as [UInt8])
    func `behind the last frame there may be anything`(count: Int, byte: UInt8) throws {
        let disk = MemoryDisk(files)
        disk.change(Self.name(lastSegment)) { $0 += [UInt8](repeating: byte, count: count) }
        try open(disk, loses: [], isTold: false)
    }

    // MARK: a flipped byte

    @Test(arguments: [0x01, 0x80, 0xFF] as [UInt8])
    func `every byte may be flipped`(mask: UInt8) throws {
        for segment in 1...lastSegment {
            for place in try #require(files[Self.name(segment)]).indices {
                let disk = MemoryDisk(files)
                disk.change(Self.name(segment)) { $0[place] ^= mask }
                let hit = written.first { $0.position.segment == segment && $0.bytes.contains(place) }
                // The last batch may have been on its way to the disk: it is cut where it is damaged.
                let isUncommitted = hit?.batch == written.last?.batch
                let lost = written.filter {
                    isUncommitted
                        ? $0.batch == hit?.batch && $0.position >= (hit?.position ?? $0.position) : $0.text == hit?.text
                }
                try open(disk, loses: Set(lost.map(\.text)), isTold: hit != nil && !isUncommitted)
            }
        }
    }

    @Test func `the copy of a damaged file is as it was, and a hole in the file keeps all places`() throws {
        let hit = try #require(written.first { $0.position.segment == 2 })
        let disk = MemoryDisk(files)
        disk.change(Self.name(2)) { $0[hit.bytes.lowerBound + 20] ^= 1 }
        let damaged = disk.files[Self.name(2)]
        let opened = try TestLog.look(disk)
        let copy = LogFolder.name(.segment, 2) + ".damaged-2026-11-23T18-02-11"
        #expect(
            opened.recovery.events == [
                .damaged(file: LogFolder.name(.segment, 2), bytes: hit.bytes.count, setAside: copy)
            ])
        #expect(opened.statistics.setAside == 1)
        #expect(disk.files["/log/" + copy] == damaged)
        #expect(opened.positions == written.filter { $0.text != hit.text }.map(\.position))
    }

    @Test func `only so many damaged files are kept`() throws {
        let disk = MemoryDisk(files)
        for _ in 0..<30 {
            // First the header of a frame, then that of the hole in its place.
            disk.change(Self.name(1)) { $0[64] ^= 1 }
            _ = try TestLog.look(disk)
        }
        #expect(disk.files.keys.filter { $0.contains("damaged") }.count == 10)
    }

    // MARK: whole files

    @Test func `a file may be missing`() throws {
        for segment in 1...lastSegment {
            var files = files
            files[Self.name(segment)] = nil
            let lost = written.filter { $0.position.segment == segment }
            try open(MemoryDisk(files), loses: Set(lost.map(\.text)), isTold: false)
        }
    }

    @Test func `a file may be empty or nothing but zeros`() throws {
        for segment in 1...lastSegment {
            for length in [0, 10, 63, 64, 65, 300, 10_000] {
                let disk = MemoryDisk(files)
                disk.change(Self.name(segment)) { $0 = [UInt8](repeating: 0, count: length) }
                let lost = written.filter { $0.position.segment == segment }
                try open(disk, loses: Set(lost.map(\.text)), isTold: segment < lastSegment)
            }
        }
    }

    @Test func `the whole front of a file may be gone`() throws {
        for segment in 1...lastSegment {
            let disk = MemoryDisk(files)
            disk.change(Self.name(segment)) { $0.overwrite([UInt8](repeating: 0xAA, count: 64), at: 0) }
            try open(disk, loses: [], isTold: true)
        }
    }

    @Test func `a lone file without its front is set aside`() throws {
        let disk = MemoryDisk([Self.name(1): try #require(files[Self.name(1)])])
        disk.change(Self.name(1)) { $0.overwrite([UInt8](repeating: 0xAA, count: 64), at: 0) }
        // The salt is nowhere else.
        let opened = try TestLog.open(disk, salt: 1).0
        #expect(opened.frames == [])
        #expect(opened.recovery.isDamaged)
        #expect(opened.statistics.setAside == 1)
    }

    @Test func `a file from another place in the log is no part of it`() throws {
        let disk = MemoryDisk(files.merging([Self.name(9): files[Self.name(1)] ?? []]) { $1 })
        let opened = try TestLog.look(disk)
        #expect(opened.frames == written.map(\.text))
        #expect(opened.recovery.isDamaged)
    }

    @Test func `other files are left alone`() throws {
        let names = ["notes.txt", "segment-x", "segment-0000000001.bak", "segment-0000000000", "segment-4294967295"]
        let others = Dictionary(uniqueKeysWithValues: names.map { ("/log/" + $0, [UInt8]("hello".utf8)) })
        let disk = MemoryDisk(files.merging(others) { $1 })
        #expect(try TestLog.look(disk).frames == written.map(\.text))
        for (name, bytes) in others { #expect(disk.files[name] == bytes) }
    }

    @Test func `a file that a newer Martlet wrote is left alone`() throws {
        let disk = MemoryDisk(files)
        disk.change(Self.name(2)) { bytes in
            var front = Array(bytes[..<28])
            front[4] = 2
            front.append(bigEndian: CRC32C.of(front.span))
            bytes.overwrite(front + front, at: 0)
        }
        let before = disk.files[Self.name(2)]
        let opened = try TestLog.look(disk)
        #expect(opened.recovery.events == [.newerFormat(file: LogFolder.name(.segment, 2), version: 2)])
        #expect(opened.frames == written.filter { $0.position.segment != 2 }.map(\.text))
        #expect(disk.files[Self.name(2)] == before)
    }

    @Test func `a message that contains a frame is not taken for one when its own frame is damaged`() throws {
        let disk = MemoryDisk()
        let (_, box) = try TestLog.open(disk)
        try box.commit(["first"])
        let offset = FileHeader.length + 2 * RecordFrame.headerLength + 5
        // Right in all but the salt, which nobody outside knows.
        let seed = FileHeader.seed(salt: 0, number: 1, .segment)
        var forged = [UInt8](repeating: 0, count: RecordFrame.headerLength) + Array("forged".utf8)
        RecordFrame(.record, length: 6, batch: 64, at: offset, seed: seed).write(into: &forged, at: 0)
        box.log.append(forged.span)
        _ = try box.log.commit()
        try box.commit(["last"])
        disk.change(Self.name(1)) { $0[90] ^= 1 }
        #expect(try TestLog.look(disk).frames == ["first", "last"])
    }

    // MARK: anything

    @Test(arguments: 0..<8)
    func `whatever happens to the files, the log opens and tells only what was written`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed) + 1)
        let known = Dictionary(uniqueKeysWithValues: written.map { ($0.position, $0.text) })
        for _ in 0..<1_250 {
            let disk = MemoryDisk(files)
            for _ in 0...Int.random(in: 0..<4, using: &random) { Mutation.apply(to: disk, using: &random) }
            let opened = try TestLog.look(disk)
            #expect(Set(opened.positions).count == opened.positions.count)
            for (position, text) in zip(opened.positions, opened.frames) { #expect(known[position] == text) }
            let again = try TestLog.look(disk)
            #expect(again.frames == opened.frames)
            #expect(!again.recovery.isDamaged)
        }
    }

    @Test(arguments: 0..<2)
    func `whatever happens to a log with a snapshot, it opens and tells only what was written`(seed: Int) throws {
        let original = MemoryDisk()
        let (_, box) = try TestLog.open(original, segmentSize: 260)
        for batch in 0..<3 { try box.commit(["old \(batch)"]) }
        let parts = (0..<5).map { "part \($0) \(String(repeating: "x", count: 30))" }
        _ = try box.log.beginSnapshot()
        var known: Set<String> = Set(parts)
        for (number, part) in parts.enumerated() {
            let bytes = Array(part.utf8)
            try box.log.addToSnapshot(bytes.span)
            try box.commit(["new \(number)"])
            known.insert("new \(number)")
        }
        try box.log.finishSnapshot()
        var random = SeededGenerator(seed: UInt64(seed) + 77)
        for _ in 0..<1_000 {
            let disk = MemoryDisk(original.files)
            for _ in 0...Int.random(in: 0..<4, using: &random) { Mutation.apply(to: disk, using: &random) }
            let opened = try TestLog.look(disk)
            #expect(known.isSuperset(of: opened.snapshot) && known.isSuperset(of: opened.frames))
            #expect(opened.snapshot == opened.snapshot.sorted() && Set(opened.positions).count == opened.frames.count)
            let again = try TestLog.look(disk)
            #expect(again.snapshot == opened.snapshot && again.frames == opened.frames)
            #expect(!again.recovery.isDamaged)
        }
    }
}

/// Random numbers that a test has again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

/// Something that happens to files.
private enum Mutation: CaseIterable {
    case flip, overwrite, zero, cut, insert, delete, append, lose, swap, copy

    static func apply(to disk: MemoryDisk, using random: inout SeededGenerator) {
        let files = disk.files
        guard let name = files.keys.sorted().randomElement(using: &random), let old = files[name],
            let mutation = allCases.randomElement(using: &random)
        else { return }
        let place = Int.random(in: 0...old.count, using: &random)
        let count = Int.random(in: 0...min(80, old.count - place), using: &random)
        let noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        switch mutation {
        case .flip: if place < old.count { disk.change(name) { $0[place] ^= 1 << UInt8(count % 8) } }
        case .overwrite: disk.change(name) { $0.overwrite(noise, at: place) }
        case .zero: disk.change(name) { $0.overwrite([UInt8](repeating: 0, count: count), at: place) }
        case .cut: disk.change(name) { $0.setLength(place) }
        case .insert: disk.change(name) { $0.insert(contentsOf: noise, at: place) }
        case .delete: disk.change(name) { $0.removeSubrange(place..<place + count) }
        case .append: disk.change(name) { $0 += noise }
        case .lose: try? disk.remove(name)
        case .swap, .copy:
            let other = files.keys.sorted().randomElement(using: &random) ?? name
            let bytes = files[other] ?? []
            disk.change(name) { $0 = bytes }
            if mutation == .swap { disk.change(other) { $0 = old } }
        }
    }
}
