import Testing

@testable import LinuxIO

/// On files that lie in a folder; on a chip of the kernel's it is tried in the virtual machine.
@Suite struct PWMChannelTests {
    private func chip() throws -> TestFolder {
        let folder = try TestFolder()
        try folder.write("2\n", to: "npwm")
        try folder.write("", to: "export")
        try folder.write("", to: "unexport")
        return folder
    }

    private func text(_ path: String) throws -> String {
        String(decoding: try File.read(path), as: UTF8.self)
    }

    @Test func `a channel that is not there is told with how many there are`() throws {
        let folder = try chip()
        let path = folder.path
        #expect(throws: PWMChannel.Fault.noSuchChannel(2, of: path)) {
            try PWMChannel(chip: path, channel: 2, frequency: 1_000, isInverted: false)
        }
        #expect(throws: PWMChannel.Fault.missing("\(folder.path)/*/none")) {
            try PWMChannel(chip: "\(path)/*/none", channel: 0, frequency: 1_000, isInverted: false)
        }
    }

    @Test func `a channel is asked for by its number`() throws {
        let folder = try chip()
        // Nobody makes its folder here.
        #expect(throws: PWMChannel.Fault.missing("\(folder.path)/pwm1/period")) {
            try PWMChannel(chip: "\(folder.path)", channel: 1, frequency: 1_000, isInverted: false)
        }
        #expect(try text("\(folder.path)/export") == "1")
    }
}
