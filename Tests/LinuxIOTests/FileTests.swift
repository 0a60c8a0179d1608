import Readings
import Testing

@testable import LinuxIO

@Suite struct FileTests {
    @Test func `a file is read whole, and one without a size too`() throws {
        let folder = try TestFolder()
        let text = String(repeating: "0123456789", count: 20_000)
        try folder.write(text, to: "long")
        #expect(try File.read("\(folder.path)/long") == Array(text.utf8))
        #expect(try !File.read("/proc/self/status").isEmpty)
    }

    @Test func `what is missing, too long or a folder is an error that says which`() throws {
        let folder = try TestFolder()
        try folder.write("12345", to: "short")
        let missing = #expect(throws: SystemError.self) { try File.read("/nowhere/at/all") }
        #expect(missing?.description == "open /nowhere/at/all: No such file or directory")
        #expect(missing?.kind == .notFound)
        #expect(throws: SystemError.self) { try File.read("\(folder.path)/short", limit: 4) }
        #expect(throws: SystemError.self) { try File.read(folder.path) }
        #expect(throws: SystemError.self) { try File.names(in: "\(folder.path)/short") }
    }

    @Test func `names are sorted and hidden ones left out`() throws {
        let folder = try TestFolder()
        for name in ["b.yaml", "a.yaml", ".hidden"] { try folder.write("", to: name) }
        #expect(try File.names(in: folder.path) == ["a.yaml", "b.yaml"])
        #expect(File.isDirectory(folder.path))
        #expect(!File.isDirectory("\(folder.path)/a.yaml"))
        #expect(File.exists("\(folder.path)/a.yaml"))
        #expect(!File.exists("\(folder.path)/c.yaml"))
    }

    @Test func `links and groups are told`() {
        #expect(File.linkTarget("/proc/self/exe") != nil)
        #expect(File.linkTarget("/dev/null") == nil)
        #expect(File.resolved("/proc/self/../self/fd/../../self/status")?.hasSuffix("/status") == true)
        #expect(File.resolved("/nowhere") == nil)
        #expect(File.group(of: "/dev/null") == "root")
        #expect(File.group(of: "/nowhere") == nil)
    }

    @Test func `a file is marked with a time, and made where it is missing`() throws {
        let folder = try TestFolder()
        let path = "\(folder.path)/clock"
        #expect(File.modifiedAt(path) == nil)
        for milliseconds in [1_780_000_000_123, 1_700_000_000_000] as [Int64] {
            #expect(File.mark(path, modifiedAt: Timestamp(milliseconds: milliseconds)))
            #expect(File.modifiedAt(path) == Timestamp(milliseconds: milliseconds))
        }
        #expect(!File.mark("\(folder.path)/missing/clock", modifiedAt: Timestamp(milliseconds: 0)))
    }
}
