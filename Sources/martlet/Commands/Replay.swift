import ArgumentParser
import Bytes
import LinuxIO
import Profiles

/// `martlet replay`: what a profile makes of recorded bytes, or the bytes themselves once more.
struct Replay: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a profile makes of recorded bytes, or play them into a pseudo-terminal.",
        discussion: """
            The file is what `martlet record` wrote, or holds the bytes as they were on the line, or as hex digits with \
            spaces between. For a device that speaks unasked these are its telegrams; for a Modbus device, requests and \
            answers in turn. With --pty a recording is played with the times it has, to whoever opens that path.

            Exit status: 0 when something could be read from it, 1 when not.

              martlet replay capture.bin --profile dsmr-p1
              martlet replay capture.txt --pty /tmp/meter
            """)

    @Argument(help: ArgumentHelp("The recorded bytes.", valueName: "FILE"))
    var file: String

    @Option(help: ArgumentHelp("The profile to read them with.", valueName: "PROFILE"))
    var profile: String?

    @Option(
        help: ArgumentHelp("Play a recording at this path instead, as if the device were there.", valueName: "PATH"))
    var pty: String?

    @OptionGroup var devices: DevicesOption

    func validate() throws {
        guard (profile == nil) != (pty == nil) else {
            throw ValidationError("say one: --profile PROFILE or --pty PATH")
        }
    }

    func run() throws {
        if let profile { try show(profile) }
        if let pty { try play(at: pty) }
    }

    private func play(at path: String) throws {
        guard let recording = LineRecording(String(decoding: try File.read(file), as: UTF8.self)) else {
            throw CommandFailure("\(file) has no times: only what `martlet record` wrote can be played", status: .usage)
        }
        let terminal = try PseudoTerminal(link: path)
        let signals = try SignalFD([.interrupt, .terminate])
        StandardError.write("plays at \(path)\n")
        let began = ContinuousClock.now
        for piece in recording.pieces {
            if try signals.wait(until: began + piece.at) != nil { return }
            _ = terminal.send(piece.bytes.span)
        }
        // Whoever listens has a moment to read the last of it.
        _ = try signals.wait(until: .now + .seconds(1))
    }

    private func show(_ profile: String) throws {
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
            if let recording = LineRecording(String(decoding: bytes, as: UTF8.self)) {
                return recording.pieces.flatMap(\.bytes)
            }
            let text = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
            return Hex.bytes(text.joined(separator: " ")) ?? bytes
        } catch {
            throw CommandFailure("\(error)", status: .usage)
        }
    }
}
