import Bytes
import Foundation
import LinuxIO
import Readings
import Testing

@testable import Store

/// The same on a real file system, with real errors of the kernel.
///
/// One after the other: a child process that is being started holds all our locks for a moment.
@Suite(.serialized) struct RealDiskTests {
    private let folder = "/tmp/martlet-test-\(Entropy.seed())"

    private func open(_ path: String, reserve: Int = 0) throws -> (frames: [String], box: LogBox) {
        var settings = LogSettings()
        settings.reserve = reserve
        var frames: [String] = []
        let log = try RecordLog(opening: path, settings, now: TestLog.now) { _, record in
            frames.append(String(decoding: [UInt8](copying: record), as: UTF8.self))
        }
        return (frames, LogBox(log))
    }

    private func removeFolder() {
        try? FileManager.default.removeItem(atPath: folder)
    }

    @Test func `a log is kept in a folder that is made for it`() throws {
        defer { removeFolder() }
        let path = folder + "/deep/down/journal"
        do {
            let (frames, box) = try open(path)
            #expect(frames == [])
            try box.commit(["one", "two"])
            try box.snapshot(["one and two"])
            try box.commit(["three"])
        }
        let (frames, box) = try open(path)
        #expect(frames == ["one and two", "three"])
        #expect(box.log.recovery.events.isEmpty)
        #expect(try File.names(in: path) == ["lock", "segment-0000000002", "snapshot-0000000002"])
        let mode = try FileManager.default.attributesOfItem(atPath: path + "/segment-0000000002")[.posixPermissions]
        #expect(mode as? Int == 0o600)
    }

    @Test func `a large log is read in pieces`() throws {
        defer { removeFolder() }
        let texts = (0..<3_000).map { "\($0) " + String(repeating: "x", count: 200 + $0 % 7) }
        do {
            let (_, box) = try open(folder)
            for start in stride(from: 0, to: texts.count, by: 500) { try box.commit(Array(texts[start..<start + 500])) }
        }
        #expect(try open(folder).frames == texts)
    }

    @Test func `the end of a file is cut, and a damaged one copied`() throws {
        defer { removeFolder() }
        do {
            let (_, box) = try open(folder)
            try box.commit(["one"])
            try box.commit(["two"])
        }
        let path = folder + "/segment-0000000001"
        var bytes = try File.read(path)
        bytes[82] ^= 1
        bytes += [1, 2, 3]
        try Data(bytes).write(to: URL(filePath: path))
        do {
            let (frames, box) = try open(folder)
            #expect(frames == ["two"])
            #expect(box.log.recovery.events.count == 2)
            #expect(box.log.recovery.events.first?.description.contains("3 bytes from 102 on") == true)
        }
        #expect(try File.names(in: folder).filter { $0.contains(".damaged-2026-11-23T18-02-11") }.count == 1)
        #expect(try open(folder).frames == ["two"])
    }

    // MARK: what is no log

    @Test func `folders, pipes and links in the place of files are told and left alone`() throws {
        defer { removeFolder() }
        do { try open(folder).box.commit(["one"]) }
        try FileManager.default.createDirectory(
            atPath: folder + "/segment-0000000002", withIntermediateDirectories: false)
        #expect(mkfifo(folder + "/segment-0000000003", 0o600) == 0)
        #expect(symlink("/etc/passwd", folder + "/segment-0000000004") == 0)
        let (frames, box) = try open(folder)
        #expect(frames == ["one"])
        #expect(box.log.recovery.events.count == 3)
        #expect(box.log.recovery.isDamaged)
        #expect(try box.commit(["two"]).map(\.segment) == [5])
    }

    @Test func `a file in the place of the folder is an error that says so`() throws {
        defer { removeFolder() }
        try Data().write(to: URL(filePath: folder))
        let error = #expect(throws: StoreError.self) { try open(folder) }
        #expect(error?.reason == .notAFolder)
        #expect(throws: StoreError.self) { try open(folder + "/journal") }
    }

    @Test func `a folder of somebody else is an error that says what to do`() throws {
        defer { removeFolder() }
        let error = #expect(throws: StoreError.self) { try open("/proc/martlet/journal") }
        #expect(error?.description.hasPrefix("/proc/martlet/journal ") == true)
    }

    // MARK: two of us

    @Test func `a second log in the same folder is told who has it`() throws {
        defer { removeFolder() }
        do {
            let (_, box) = try open(folder)
            let error = #expect(throws: StoreError.self) { try open(folder) }
            #expect(error?.reason == .locked(process: Int(getpid())))
            #expect(error?.description.hasPrefix("process \(getpid()) keeps its data in \(folder)") == true)
            try box.commit(["one"])
        }
        #expect(try open(folder).frames == ["one"])
    }

    @Test func `a second process is told who has it, and gets it when that one ends`() throws {
        defer { removeFolder() }
        do { try open(folder).box.commit(["one"]) }
        let lock = folder + "/lock"
        let script = "echo 4242 > \(lock); echo ready; while [ ! -e \(folder)/stop ]; do sleep 0.02; done"
        let other = try #require(popen("flock \(lock) sh -c '\(script)'", "r"))
        var line = [CChar](repeating: 0, count: 16)
        #expect(fgets(&line, 16, other) != nil)
        let error = #expect(throws: StoreError.self) { try open(folder) }
        #expect(error?.reason == .locked(process: 4242))
        try Data().write(to: URL(filePath: folder + "/stop"))
        pclose(other)
        #expect(try open(folder).frames == ["one"])
    }

    // MARK: a full disk

    @Test(.enabled(if: SmallDisk.isPossible, "needs root, to mount a small disk"))
    func `a disk that is full refuses, loses nothing, and is used again when there is room`() throws {
        let disk = try SmallDisk(kilobytes: 256)
        let ballast = disk.path + "/ballast"
        var committed: [String] = []
        do {
            let (_, box) = try open(disk.path + "/journal")
            var refused: StoreError?
            while refused == nil {
                let text = "\(committed.count) " + String(repeating: "x", count: 3_000)
                do throws(StoreError) {
                    try box.commit([text])
                } catch {
                    refused = error
                }
                committed.append(text)
                if committed.count == 20 { try Data(count: 100_000).write(to: URL(filePath: ballast)) }
            }
            #expect(refused?.reason == .diskFull)
            #expect(refused?.description.contains("make room there") == true)
            #expect(committed.count > 20)
            #expect(throws: StoreError.self) { try box.commit([]) }
            try FileManager.default.removeItem(atPath: ballast)
            try box.commit(["later"])
        }
        #expect(try open(disk.path + "/journal").frames == committed + ["later"])
    }

    @Test(.enabled(if: SmallDisk.isPossible, "needs root, to mount a small disk"))
    func `a snapshot that the disk has no room for leaves what was there`() throws {
        let disk = try SmallDisk(kilobytes: 256)
        do {
            let (_, box) = try open(disk.path + "/journal")
            try box.commit(["one"])
            let large = (0..<100).map { "\($0) " + String(repeating: "x", count: 20_000) }
            let error = #expect(throws: StoreError.self) { try box.snapshot(large) }
            #expect(error?.reason == .diskFull)
            try box.commit(["two"])
        }
        #expect(try open(disk.path + "/journal").frames == ["one", "two"])
        #expect(try !File.names(in: disk.path + "/journal").contains { $0.contains("snapshot") })
    }

    @Test(.enabled(if: SmallDisk.isPossible, "needs root, to mount a small disk"))
    func `the reserve stays free`() throws {
        let disk = try SmallDisk(kilobytes: 512)
        let (_, box) = try open(disk.path + "/journal", reserve: 200_000)
        var count = 0
        while (try? box.commit([String(repeating: "x", count: 10_000)])) != nil { count += 1 }
        #expect((10..<40).contains(count))
        #expect(try LinuxDisk().freeBytes(at: disk.path) >= 200_000)
        try box.snapshot([String(repeating: "x", count: 50_000)])
        #expect(try box.commit([]).count == 1)
    }

    @Test(.enabled(if: SmallDisk.isPossible, "needs root, to mount a small disk"))
    func `a disk that can only be read is read, refuses, and is written to when it can be`() throws {
        let disk = try SmallDisk(kilobytes: 256)
        do { try open(disk.path + "/journal").box.commit(["one"]) }
        try disk.setReadOnly(true)
        let new = #expect(throws: StoreError.self) { try open(disk.path + "/another") }
        #expect(new?.reason == .readOnly)
        do {
            let (frames, box) = try open(disk.path + "/journal")
            #expect(frames == ["one"])
            for _ in 0..<2 {
                let error = #expect(throws: StoreError.self) {
                    try box.commit(box.log.pendingBytes == 0 ? ["two"] : [])
                }
                #expect(error?.reason == .readOnly)
            }
            #expect(throws: StoreError.self) { try box.snapshot(["one"]) }
            #expect(throws: StoreError.self) { try open(disk.path + "/journal") }
            try disk.setReadOnly(false)
            try box.commit([])
        }
        #expect(try open(disk.path + "/journal").frames == ["one", "two"])
    }
}

/// A file system of its own in memory.
final class SmallDisk {
    struct NotMounted: Error {
        let code: CInt
    }

    static let isPossible: Bool = (try? SmallDisk(kilobytes: 64)) != nil

    let path = "/tmp/martlet-disk-\(Entropy.seed())"
    private let options: String

    init(kilobytes: Int) throws {
        options = "size=\(kilobytes)k"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard mount("tmpfs", path, "tmpfs", 0, options) == 0 else {
            let code = errno
            rmdir(path)
            throw NotMounted(code: code)
        }
    }

    func setReadOnly(_ isReadOnly: Bool) throws {
        let flags = UInt(MS_REMOUNT) | (isReadOnly ? UInt(MS_RDONLY) : 0)
        guard mount("tmpfs", path, "tmpfs", flags, options) == 0 else { throw NotMounted(code: errno) }
    }

    deinit {
        umount2(path, CInt(MNT_DETACH))
        rmdir(path)
    }
}
