import ArgumentParser
import GPIO
import LinuxIO

/// `martlet gpio set`: levels of outputs, for as long as it runs.
struct GPIOSet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Set outputs, for as long as the command runs.",
        discussion: """
            A line keeps its level only while somebody holds it, so the command stays until Ctrl-C, or for --seconds. \
            Then it sets all lines inactive, or as they were set with --keep, and lets go of them.

              martlet gpio set GPIO22=on GPIO23=off --seconds 5
            """)

    @Argument(help: ArgumentHelp("A line and its level: on or off.", valueName: "LINE=LEVEL"))
    var levels: [String]

    @OptionGroup var wiring: GPIOWiring

    @Option(help: ArgumentHelp("Open-drain or open-source instead of push-pull.", valueName: "WORD"))
    var drive = OutputLine.Drive.pushPull.rawValue

    @Option(help: ArgumentHelp("End by itself after so long.", valueName: "SECONDS"))
    var seconds: Int?

    @Flag(help: "Let go of the lines without setting them inactive.")
    var keep = false

    func validate() throws {
        guard OutputLine.Drive(rawValue: drive) != nil else {
            throw ValidationError(
                "--drive is one of \(OutputLine.Drive.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard seconds.map((1...1_000_000).contains) ?? true else {
            throw ValidationError("--seconds is a number from 1 to 1000000")
        }
        for text in levels where Self.level(text) == nil {
            throw ValidationError("'\(text)': write a line and its level, like GPIO22=on")
        }
    }

    func run() throws {
        let end = seconds.map { ContinuousClock.now + .seconds($0) }
        let signals = try SignalFD([.interrupt, .terminate, .hangUp])
        do {
            let held = try HeldLines(wanted, as: "martlet gpio set", by: .now())
            StandardError.write("\(levels.joined(separator: ", "))\(end == nil ? "; Ctrl-C ends it" : "")\n")
            _ = try signals.wait(until: end)
            try held.release()
        } catch let error as GPIOError {
            throw CommandFailure("\(error)")
        }
    }

    private var wanted: [WantedLine] {
        levels.compactMap(Self.level).map { name, isActive in
            var output = OutputLine(initial: isActive, safe: keep && isActive)
            output.drive = OutputLine.Drive(rawValue: drive) ?? .pushPull
            return wiring.line(name, .output(output))
        }
    }

    static func level(_ text: String) -> (line: String, isActive: Bool)? {
        guard let equals = text.lastIndex(of: "="), equals != text.startIndex else { return nil }
        let line = String(text[..<equals])
        switch text[text.index(after: equals)...].lowercased() {
        case "on", "1", "active": return (line, true)
        case "off", "0", "inactive": return (line, false)
        default: return nil
        }
    }
}
