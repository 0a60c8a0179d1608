import ArgumentParser
import Bytes
import Decoders
import LinuxIO
import Modbus
import Profiles
import Serial

/// `martlet sniff`: what is said on a line, and at which settings.
struct Sniff: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what is said on a line, and guess its speed and format.",
        discussion: """
            Sends nothing. Without --baudrate it listens at one speed after the other, and goes on with the one at which \
            most makes sense: frames with the right checksum, messages that a profile reads, or text. Each line is what \
            came without a pause: the time in seconds, the bytes, and the same as characters. Frames of Modbus RTU are \
            named. Ctrl-C ends it.

              martlet sniff /dev/ttyUSB1
              martlet sniff /dev/ttyUSB1 --baudrate 19200 --format 8E1 --seconds 60
            """)

    @Argument(help: ArgumentHelp("The serial port.", valueName: "PORT"))
    var port: String

    @Option(help: "Bits a second, if you know them.")
    var baudrate: Int?

    @Option(help: "Data bits, parity and stop bits, if you know them.")
    var format: String?

    @Option(help: ArgumentHelp("End by itself after so long.", valueName: "SECONDS"))
    var seconds: Int?

    @Flag(help: "Only guess, and end.")
    var guessOnly = false

    @OptionGroup var devices: DevicesOption

    func validate() throws {
        guard format == nil || format.flatMap(LineFormat.init) != nil else {
            throw ValidationError("--format is data bits, parity and stop bits, like 8N1 or 8E1")
        }
        guard baudrate.map((50...4_000_000).contains) ?? true, seconds.map((1...1_000_000).contains) ?? true else {
            throw ValidationError("--baudrate is a number from 50 to 4000000, --seconds one from 1 to 1000000")
        }
    }

    func run() throws {
        let known = format.flatMap(LineFormat.init)
        let folders = ProfileFolders.folders(asked: devices.devices, configuration: nil)
        let profiles = ProfileLibrary(folders: folders).sorted
        let end = seconds.map { ContinuousClock.now + .seconds($0) }
        let first = LineSettings(baud: baudrate ?? 9_600, known ?? LineFormat())
        var ear = try LineEar(port, first)
        var line = first
        if baudrate == nil || guessOnly {
            let guess = LineGuess(profiles, baudrate: baudrate, format: known)
            guard let guessed = try guess.run(&ear, until: end, tell: { StandardError.write("\($0)\n") }) else {
                return
            }
            line = guessed
        }
        if guessOnly {
            StandardOutput.write("\(line)\n")
            return
        }
        try ear.set(line)
        StandardError.write("\(line); Ctrl-C ends it\n")
        try show(&ear, line, until: end)
    }

    private func show(_ ear: inout LineEar, _ line: LineSettings, until end: ContinuousClock.Instant?) throws {
        let start = ContinuousClock.now
        // A pause that ends what belongs together: adapters hold bytes back for 16 ms.
        let pause = max(line.byteTime * 4, .milliseconds(20))
        var piece: [UInt8] = []
        var beganAt = start
        while end.map({ ContinuousClock.now < $0 }) ?? true {
            let wakeAt = piece.isEmpty ? end : min(ContinuousClock.now + pause, end ?? .now + pause)
            guard let heard = try ear.hear(until: wakeAt) else { break }
            if piece.isEmpty { beganAt = ContinuousClock.now }
            piece += heard
            guard heard.isEmpty || piece.count > 512, !piece.isEmpty else { continue }
            guard StandardOutput.write(HeardPiece(bytes: piece, at: beganAt - start).text) else { return }
            piece = []
        }
        if !piece.isEmpty { StandardOutput.write(HeardPiece(bytes: piece, at: beganAt - start).text) }
    }
}

/// What came without a pause, for people: 16 bytes in a line.
struct HeardPiece {
    var bytes: [UInt8]
    /// From the beginning.
    var at: Duration

    var text: String {
        var lines: [String] = []
        for start in stride(from: 0, to: bytes.count, by: 16) {
            let row = bytes[start..<min(start + 16, bytes.count)]
            let hex = Hex.text(Array(row))
            let gap = String(repeating: " ", count: max(0, 47 - hex.count))
            let characters = row.map { (0x20...0x7E).contains($0) ? Character(UnicodeScalar($0)) : "." }
            lines.append("\(start == 0 ? seconds : Self.blank)  \(hex)\(gap)  \(String(characters))")
        }
        lines += RTUTraffic.frames(in: bytes).map { "\(Self.blank)  \($0)" }
        return lines.joined(separator: "\n") + "\n"
    }

    private static let blank = String(repeating: " ", count: 10)

    private var seconds: String {
        let milliseconds = at.components.seconds * 1_000 + at.components.attoseconds / 1_000_000_000_000_000
        let fraction = String(milliseconds % 1_000)
        let text = "\(milliseconds / 1_000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
        return String(repeating: " ", count: max(0, 10 - text.count)) + text
    }
}
