import Bytes
import Dispatch
import Foundation
import LinuxIO
import Synchronization
import Testing

@testable import Store

@Suite struct CommitThreadTests {
    private let disk = MemoryDisk()
    private let reports = Reports()

    private func start(pause: Duration = .seconds(3_600)) throws -> CommitThread {
        let log = try RecordLog(opening: "/log", LogSettings(), now: TestLog.now, disk: disk)
        return try CommitThread("commits", log, pause: pause) { [reports] in reports.add($0) }
    }

    @Test func `what is submitted is committed, and told with its places`() throws {
        let thread = try start()
        thread.submit(Array("one".utf8), 7)
        guard case .committed(7, let positions) = reports.next() else { throw Unexpected() }
        #expect(positions == [LogPosition(segment: 1, offset: 64)])
        #expect(thread.waitingBytes == 0)
        #expect(thread.statistics.commits == 1)
        #expect(thread.end(within: .seconds(60)))
        #expect(try TestLog.look(disk).frames == ["one"])
    }

    @Test func `what arrives while a commit runs is joined into the next`() throws {
        let gate = DispatchSemaphore(value: 0)
        disk.hold(until: gate)
        let thread = try start()
        thread.submit(Array("one".utf8), 1)
        disk.waitUntilHeld()
        for number in 2...100 { thread.submit(Array("\(number)".utf8), UInt64(number)) }
        #expect(thread.waitingBytes > 99)
        disk.hold(until: nil)
        gate.signal()
        guard case .committed(1, _) = reports.next() else { throw Unexpected() }
        guard case .committed(100, let positions) = reports.next() else { throw Unexpected() }
        #expect(positions.count == 99)
        #expect(thread.end(within: .seconds(60)))
        #expect(thread.statistics.commits == 2)
    }

    @Test func `a failed commit is told once, tried again when asked, and told when it is over`() throws {
        disk.fail("write", ENOSPC)
        let thread = try start()
        thread.submit(Array("one".utf8), 1)
        guard case .failed(let error) = reports.next() else { throw Unexpected() }
        #expect(error.reason == .diskFull)
        thread.submit(Array("two".utf8), 2)
        thread.retry()
        disk.fail("write", EIO)
        thread.retry()
        guard case .failed(let second) = reports.next() else { throw Unexpected() }
        #expect(second.reason == .failed)
        #expect(thread.waitingBytes == 6)
        disk.fail("write", nil)
        thread.retry()
        #expect(reports.next() == .recovered)
        guard case .committed(2, let positions) = reports.next() else { throw Unexpected() }
        #expect(positions.count == 2)
        #expect(thread.end(within: .seconds(60)))
        #expect(try TestLog.look(disk).frames == ["one", "two"])
    }

    @Test func `a failed commit is tried again by itself`() throws {
        disk.fail("fdatasync", EIO)
        let thread = try start(pause: .milliseconds(1))
        thread.submit(Array("one".utf8), 1)
        guard case .failed = reports.next() else { throw Unexpected() }
        disk.fail("fdatasync", nil)
        #expect(reports.next() == .recovered)
        guard case .committed(1, _) = reports.next() else { throw Unexpected() }
        #expect(thread.end(within: .seconds(60)))
    }

    @Test func `the end commits what waits, and gives up on a disk that stays full`() throws {
        let thread = try start(pause: .milliseconds(1))
        for number in 1...1_000 { thread.submit([UInt8](repeating: 1, count: 100), UInt64(number)) }
        #expect(thread.end(within: .seconds(60)))
        #expect(try TestLog.look(disk).frames.count == 1_000)

        disk.fail("write", ENOSPC)
        let other = try start(pause: .milliseconds(1))
        other.submit([1], 1)
        #expect(!other.end(within: .milliseconds(5)))
        #expect(try TestLog.look(disk).frames.count == 1_000)
    }

    @Test func `a disk that does not answer does not hold up the end`() throws {
        let gate = DispatchSemaphore(value: 0)
        disk.hold(until: gate)
        let thread = try start(pause: .milliseconds(1))
        thread.submit(Array("one".utf8), 1)
        disk.waitUntilHeld()
        #expect(!thread.end(within: .milliseconds(1)))
        #expect(!thread.end(within: .milliseconds(1)))
        gate.signal()
        guard case .committed(1, _) = reports.next() else { throw Unexpected() }
    }

    @Test func `a snapshot is written between commits and takes the place of older segments`() throws {
        let thread = try start()
        thread.submit(Array("one".utf8), 1)
        thread.beginSnapshot()
        thread.addToSnapshot(Array("all so far".utf8))
        thread.submit(Array("two".utf8), 2)
        thread.finishSnapshot()
        #expect(reports.next(3).last == .snapshotFinished)
        #expect(thread.end(within: .seconds(60)))
        let opened = try TestLog.look(disk)
        #expect(opened.snapshot == ["all so far"])
        #expect(opened.frames == ["two"])
    }

    @Test func `a snapshot makes room for commits that found none`() throws {
        var settings = LogSettings()
        settings.reserve = 1_000
        let log = try RecordLog(opening: "/log", settings, now: TestLog.now, disk: disk)
        disk.setRoom(500)
        let thread = try CommitThread("commits", log, pause: .seconds(3_600)) { [reports] in reports.add($0) }
        thread.submit(Array("one".utf8), 1)
        guard case .failed(let error) = reports.next() else { throw Unexpected() }
        #expect(error.reason == .reserveReached(free: 500, reserve: 1_000))
        thread.beginSnapshot()
        thread.addToSnapshot(Array("small".utf8))
        thread.perform { [disk] _ in disk.setRoom(5_000) }
        thread.finishSnapshot()
        #expect(reports.next(2) == [.snapshotFinished, .recovered])
        #expect(thread.end(within: .seconds(60)))
    }

    @Test func `a snapshot that fails is told once, and what belongs to it is ignored`() throws {
        let thread = try start()
        disk.fail("create", EROFS)
        thread.beginSnapshot()
        guard case .snapshotFailed(let error) = reports.next() else { throw Unexpected() }
        #expect(error.reason == .readOnly)
        disk.fail("create", nil)
        thread.addToSnapshot([1])
        thread.finishSnapshot()
        thread.submit([1], 1)
        guard case .committed(1, _) = reports.next() else { throw Unexpected() }
        #expect(thread.end(within: .seconds(60)))
        #expect(disk.files.keys.allSatisfy { $0.contains("segment") })
    }

    @Test func `work is done on the thread, behind what was submitted before`() throws {
        let thread = try start()
        let seen = Mutex<[Int]>([])
        thread.submit([1], 1)
        thread.perform { log in
            let count = log.statistics.frames
            seen.withLock { $0.append(count) }
        }
        #expect(thread.end(within: .seconds(60)))
        #expect(seen.withLock { $0 } == [1])
    }
}

private struct Unexpected: Error {}

/// What a thread reported, to be waited for.
private final class Reports: Sendable {
    private let reports = Mutex<[CommitThread.Report]>([])
    private let arrived = DispatchSemaphore(value: 0)

    func add(_ report: CommitThread.Report) {
        reports.withLock { $0.append(report) }
        arrived.signal()
    }

    func next() -> CommitThread.Report {
        arrived.wait()
        return reports.withLock { $0.removeFirst() }
    }

    func next(_ count: Int) -> [CommitThread.Report] {
        (0..<count).map { _ in next() }
    }
}
