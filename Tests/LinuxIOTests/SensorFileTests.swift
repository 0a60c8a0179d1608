import Glibc
import Testing

@testable import LinuxIO

@Suite struct SensorFileTests {
    @Test func `a star stands for a number that the kernel gives anew at each start`() throws {
        let folder = try TestFolder()
        mkdir("\(folder.path)/hwmon3", 0o755)
        try folder.write("21500\n", to: "hwmon3/temp1_input")
        #expect(try SensorFile.read("\(folder.path)/hwmon*/temp1_input") == Array("21500\n".utf8))
    }

    @Test func `of several files none is guessed at`() throws {
        let folder = try TestFolder()
        for name in ["a", "b"] { try folder.write("1\n", to: name) }
        #expect(throws: SensorFile.Fault.ambiguous(["\(folder.path)/a", "\(folder.path)/b"])) {
            try SensorFile.read("\(folder.path)/*")
        }
    }

    @Test func `a file that is not there is missing, with or without a star`() throws {
        let folder = try TestFolder()
        for path in ["\(folder.path)/none", "\(folder.path)/*/none"] {
            #expect(throws: SensorFile.Fault.missing(path)) { try SensorFile.read(path) }
        }
    }

    @Test func `what could hold its reader for ever is not read`() throws {
        let folder = try TestFolder()
        mkfifo("\(folder.path)/pipe", 0o644)
        for path in ["\(folder.path)/pipe", "/dev/zero"] {
            #expect(throws: SensorFile.Fault.notAFile(path)) { try SensorFile.read(path) }
        }
    }
}
