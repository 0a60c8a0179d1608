import Bytes
import Foundation
import LinuxIO
import Testing

@testable import Store

/// The power goes between any two calls, with what was not synchronised lost, torn or mixed up: what a commit promised
/// must be there, and nothing that was never appended, twice, or out of order.
@Suite struct PowerCutTests {
    /// What was promised when so many steps were done.
    private struct Promise {
        var steps: Int
        /// Numbers of the frames whose commit has returned, and that nobody has removed.
        var frames: Set<Int>
    }

    /// Does things to a log and notes what it promised.
    private struct Script {
        let disk = MemoryDisk()
        let box: LogBox
        var promises: [Promise] = []
        var committed: Set<Int> = []
        var waiting: [Int] = []
        var places: [Int: LogPosition] = [:]
        var appended = 0

        init(segmentSize: Int) throws {
            box = try TestLog.open(disk, segmentSize: segmentSize).1
        }

        mutating func note() {
            promises.append(Promise(steps: disk.steps.count, frames: committed))
        }

        mutating func commit(_ count: Int) {
            for _ in 0..<count {
                let text = Array("frame \(appended) \(String(repeating: "x", count: appended % 40))".utf8)
                box.log.append(text.span)
                waiting.append(appended)
                appended += 1
            }
            guard let positions = try? box.log.commit() else { return }
            for (frame, position) in zip(waiting, positions) { places[frame] = position }
            committed.formUnion(waiting)
            waiting = []
            note()
        }

        mutating func fail(_ call: String, _ count: Int) {
            disk.fail(call, 5)
            commit(count)
            disk.fail(call, nil)
            note()
        }

        /// In as many parts as there are texts; commits go on between them.
        mutating func snapshot(commitsBetween: Int) throws {
            let known = committed.max().map { $0 + 1 } ?? 0
            _ = try box.log.beginSnapshot()
            for part in 0..<3 {
                let text = Array("snapshot of \(known), part \(part)".utf8)
                try box.log.addToSnapshot(text.span)
                if commitsBetween > 0 { commit(commitsBetween) }
            }
            try box.log.finishSnapshot()
            note()
        }

        mutating func removeFirstSegment() throws {
            guard let first = box.log.segments.first?.number else { return }
            // From here on it is not promised any more, and not gone either.
            committed = committed.filter { places[$0]?.segment != first }
            note()
            try box.log.remove(segment: first)
            note()
        }

        mutating func shrinkFirstSegment(keepingOneIn one: Int) throws {
            guard let first = box.log.segments.first?.number else { return }
            committed = committed.filter { places[$0]?.segment != first || $0 % one == 0 }
            note()
            _ = try box.log.shrink(segment: first) { record in
                let text = String(decoding: [UInt8](copying: record), as: UTF8.self)
                return PowerCutTests.number(text) % one == 0
            }
            note()
        }

        func promised(after steps: Int) -> Set<Int> {
            // A promise that was taken back holds only until then.
            promises.last { $0.steps <= steps }?.frames ?? []
        }
    }

    fileprivate static func number(_ text: String) -> Int {
        Int(text.split(separator: " ").dropFirst().first ?? "") ?? -1
    }

    /// Looks at a disk after a power cut.
    private func check(_ disk: MemoryDisk, _ promised: Set<Int>, appended: Int, canRemove: Bool) throws -> Bool {
        let opened = try TestLog.look(disk)
        let frames = opened.frames.map(Self.number)
        var known = 0
        if let first = opened.snapshot.first {
            known = Int(first.split { " ,".contains($0) }.dropFirst(2).first ?? "") ?? -1
        }
        let isWholeSnapshot = opened.snapshot.isEmpty || opened.snapshot.count == 3
        let isKept = promised.allSatisfy { $0 < known || frames.contains($0) }
        let isInOrder = frames == frames.sorted() && Set(frames).count == frames.count
        let isKnown = frames.allSatisfy { (0..<appended).contains($0) }
        let hasNoGap = canRemove || frames.isEmpty || frames == Array(frames[0]...(frames[0] + frames.count - 1))
        let again = try TestLog.look(disk)
        let isSame = again.frames == opened.frames && again.snapshot == opened.snapshot
        return isWholeSnapshot && isKept && isInOrder && isKnown && hasNoGap && isSame && !opened.recovery.isDamaged
    }

    private func checkEveryCut(_ script: Script, canRemove: Bool = false) throws {
        let steps = script.disk.steps
        var count = 0
        for cut in 0...steps.count {
            let promised = script.promised(after: cut)
            for disk in PowerCut(steps, after: cut).outcomes(seed: UInt64(cut)) {
                count += 1
                guard try check(disk, promised, appended: script.appended, canRemove: canRemove) else {
                    let opened = try TestLog.look(disk)
                    Issue.record(
                        "cut after \(cut): \(steps.prefix(cut).suffix(6)): \(opened), promised \(promised.sorted())")
                    return
                }
            }
        }
        #expect(count > steps.count)
    }

    @Test func `commits in several files`() throws {
        var script = try Script(segmentSize: 300)
        for count in [1, 2, 3, 1, 5, 1, 1, 4, 2] { script.commit(count) }
        #expect(script.box.log.segments.count > 2)
        try checkEveryCut(script)
    }

    @Test func `one long file`() throws {
        var script = try Script(segmentSize: 1_000_000)
        for count in [1, 2, 3, 1, 5, 1, 1, 4, 2] { script.commit(count) }
        try checkEveryCut(script)
    }

    @Test(arguments: ["write", "fdatasync", "fsync", "create"], [300, 1_000_000])
    func `commits that fail and are made up for`(call: String, segmentSize: Int) throws {
        var script = try Script(segmentSize: segmentSize)
        script.fail(call, 2)
        script.commit(1)
        script.commit(3)
        script.fail(call, 1)
        script.fail(call, 2)
        script.commit(2)
        script.commit(1)
        try checkEveryCut(script)
    }

    @Test func `files that could not be cut after a failed commit`() throws {
        var script = try Script(segmentSize: 1_000_000)
        script.commit(2)
        script.disk.fail("ftruncate", 5)
        script.fail("fdatasync", 2)
        script.commit(1)
        script.disk.fail("unlink", 5)
        script.fail("fdatasync", 1)
        script.fail("fdatasync", 1)
        script.commit(1)
        try checkEveryCut(script)
    }

    @Test(arguments: [0, 1, 2])
    func `snapshots`(commitsBetween: Int) throws {
        var script = try Script(segmentSize: 200)
        for _ in 0..<2 {
            for count in [1, 2, 3] { script.commit(count) }
            try script.snapshot(commitsBetween: commitsBetween)
        }
        script.commit(1)
        try checkEveryCut(script)
    }

    @Test func `files that are removed when nobody needs them`() throws {
        var script = try Script(segmentSize: 200)
        for count in [3, 2, 3, 1] { script.commit(count) }
        try script.removeFirstSegment()
        script.commit(4)
        try script.removeFirstSegment()
        try script.removeFirstSegment()
        script.commit(1)
        try checkEveryCut(script, canRemove: true)
    }

    @Test func `frames that are let go in the middle`() throws {
        var script = try Script(segmentSize: 400)
        for count in [3, 2, 3, 4] { script.commit(count) }
        try script.shrinkFirstSegment(keepingOneIn: 2)
        script.commit(4)
        try script.shrinkFirstSegment(keepingOneIn: 3)
        try script.removeFirstSegment()
        try script.shrinkFirstSegment(keepingOneIn: 100)
        script.commit(1)
        try checkEveryCut(script, canRemove: true)
    }

    @Test(arguments: 0..<6)
    func `anything, from a seed`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed) + 99)
        var script = try Script(segmentSize: Int.random(in: 150...800, using: &random))
        for _ in 0..<14 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0: try? script.snapshot(commitsBetween: Int.random(in: 0...2, using: &random))
            case 1: script.fail(["write", "fdatasync", "fsync"].randomElement(using: &random) ?? "", 1)
            default: script.commit(Int.random(in: 1...4, using: &random))
            }
        }
        try checkEveryCut(script)
    }

    @Test func `the power goes again while the log recovers`() throws {
        var script = try Script(segmentSize: 250)
        for count in [2, 3, 1] { script.commit(count) }
        try script.snapshot(commitsBetween: 1)
        for count in [2, 3] { script.commit(count) }
        let steps = script.disk.steps
        for cut in 0...steps.count {
            for (index, disk) in PowerCut(steps, after: cut).outcomes(seed: 1, atMost: 12).enumerated() {
                let before = disk.files
                let (_, box) = try TestLog.open(disk)
                try box.commit(["frame 99"])
                let recovering = disk.steps
                for second in 0...recovering.count {
                    // The disk that was found, and what recovering did to it so far.
                    let replayed = MemoryDisk.replay(before, recovering.prefix(second))
                    let isKept = try check(replayed, script.promised(after: cut), appended: 100, canRemove: true)
                    #expect(isKept, "cut after \(cut), outcome \(index), again after \(second)")
                }
            }
        }
    }
}
