import ArgumentParser
import Bytes
import LinuxIO
import Profiles

/// `martlet replay`: what a profile makes of recorded bytes.
struct Replay: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a profile makes of recorded bytes.",
        discussion: """
            The file holds the bytes as they were on the line, or as hex digits with spaces between. For a device that \
            speaks unasked these are its telegrams; for a Modbus device, requests and answers in turn.

            Exit status: 0 when something could be read from it, 1 when not.

              martlet replay capture.bin --profile dsmr-p1
            """)

    @Argument(help: ArgumentHelp("The recorded bytes.", valueName: "FILE"))
    var file: String

    @Option(help: ArgumentHelp("The profile to read them with.", valueName: "PROFILE"))
    var profile: String

    @OptionGroup var devices: DevicesOption

    func run() throws {
        let library = try devices.library()
        guard let found = library.profiles[profile] else {
            try library.reportProblems()
            throw CommandFailure(
                "there is no profile '\(profile)'; `martlet profile list` shows those that there are", status: .usage)
        }
        let recording = Recording(try bytes())
        let result =
            switch found.bus {
            case .serial(let bus): recording.telegrams(of: found, bus)
            case .modbus: recording.exchanges(of: found)
            }
        for line in result.lines { StandardOutput.write(line + "\n") }
        StandardError.write("\(result.summary)\n")
        if result.count == 0 { throw CommandFailure.silent(.failed) }
    }

    private func bytes() throws(CommandFailure) -> [UInt8] {
        do {
            let bytes = try File.read(file)
            let text = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
            return Hex.bytes(text.joined(separator: " ")) ?? bytes
        } catch {
            throw CommandFailure("\(error)", status: .usage)
        }
    }
}
