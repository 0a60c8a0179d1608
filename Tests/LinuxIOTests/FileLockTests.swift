import Foundation
import Testing

@testable import LinuxIO

@Suite struct FileLockTests {
    private let path = FileManager.default.temporaryDirectory.path + "/lock-\(UUID().uuidString)"

    @Test func `a lock that was let go of is free although a child still has its descriptor`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        var lock: FileLock? = try FileLock(path)
        let own = try #require(descriptor(of: path))
        let inherited = dup(own)
        defer { close(inherited) }
        #expect(throws: SystemError.self) { try FileLock(path) }
        lock = nil
        #expect(lock == nil)
        #expect(throws: Never.self) { try FileLock(path) }
    }

    /// The descriptor of this process with which a file is open.
    private func descriptor(of path: String) -> Int32? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return names.compactMap { Int32($0) }.first { File.linkTarget("/proc/self/fd/\($0)") == path }
    }
}
