import Bytes
import Synchronization
import Testing

@testable import LinuxIO

@Suite struct DiskTests {
    private let disk = LinuxDisk()

    private func contents(_ file: any DiskFile) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try file.read(1_000, at: 0, into: &bytes)
        return bytes
    }

    @Test func `a file is made, written, cut and read`() throws {
        let folder = try TestFolder()
        let path = folder.path + "/file"
        let file = try disk.open(path, for: .creating)
        let bytes: [UInt8] = [1, 2, 3, 4]
        try file.write(bytes.span, at: 2)
        try file.synchronize()
        #expect(try contents(file) == [0, 0, 1, 2, 3, 4])
        try file.setLength(3)
        #expect(try file.length() == 3)
        var part: [UInt8] = [9]
        try file.read(1, at: 2, into: &part)
        try file.read(10, at: 3, into: &part)
        #expect(part == [9, 1])
        try disk.rename(path, to: folder.path + "/other")
        try disk.synchronize(folder: folder.path)
        #expect(try disk.names(in: folder.path) == ["other"])
        #expect(try contents(disk.open(folder.path + "/other", for: .changing)) == [0, 0, 1])
        try disk.remove(folder.path + "/other")
        #expect(try disk.names(in: folder.path) == [])
        #expect(try disk.freeBytes(at: folder.path) > 0)
        #expect(try TestFolder.mode(folder.path) != nil)
    }

    @Test func `what is there is not made again, and what is missing not opened`() throws {
        let folder = try TestFolder()
        try folder.write("text", to: "file")
        #expect(throws: SystemError.self) { try disk.open(folder.path + "/file", for: .creating) }
        let missing = #expect(throws: SystemError.self) { try disk.open(folder.path + "/none", for: .changing) }
        #expect(missing?.kind == .notFound)
        #expect(throws: SystemError.self) { try disk.open(folder.path, for: .reading) }
        let reading = try disk.open(folder.path + "/file", for: .reading)
        let bytes: [UInt8] = [1]
        #expect(throws: SystemError.self) { try reading.write(bytes.span, at: 0) }
        #expect(throws: SystemError.self) { try disk.open("/dev/full", for: .changing) }
    }

    @Test func `folders are made with those above, and only once`() throws {
        let folder = try TestFolder()
        let path = folder.path + "/a//b/c/"
        try disk.makeFolder(path)
        try disk.makeFolder(path)
        #expect(File.isDirectory(folder.path + "/a/b/c"))
        try folder.write("text", to: "file")
        let error = #expect(throws: SystemError.self) { try disk.makeFolder(folder.path + "/file") }
        #expect(error?.kind == .notFound)
        try disk.removeFolder(path)
        #expect(throws: SystemError.self) { try disk.removeFolder(folder.path) }
    }

    @Test func `a lock is held by one, and let go of with it`() throws {
        let folder = try TestFolder()
        let path = folder.path + "/lock"
        do {
            let lock = try FileLock(path)
            let error = #expect(throws: SystemError.self) { try FileLock(path) }
            #expect(error?.kind == .tryAgain)
            #expect(FileLock.owner(path) != nil)
            withExtendedLifetime(lock) {}
        }
        _ = try FileLock(path)
        #expect(FileLock.owner(folder.path + "/none") == nil)
    }

    @Test func `a thread waits for a signal, or for a time`() throws {
        let wakeUp = try WakeUp()
        wakeUp.wait(atMost: .milliseconds(1))
        wakeUp.signal()
        wakeUp.wait()
        let isWoken = Mutex(false)
        let thread = try NamedThread.start("waits") {
            wakeUp.wait(atMost: .seconds(3_600))
            isWoken.withLock { $0 = true }
        }
        wakeUp.signal()
        thread.join()
        #expect(isWoken.withLock { $0 })
    }
}
