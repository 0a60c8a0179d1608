import ArgumentParser
import GPIO
import LinuxIO

/// `martlet gpio`: the lines of this machine's GPIO chips, by hand.
struct GPIOCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gpio", abstract: "Look at GPIO lines by hand: list them, watch them, set them.",
        discussion: """
            A line is named as the board names it, GPIO17, or by the label of its chip and its place there, \
            pcf8574:3. Numbers of chips are not taken: they change with the kernel.
            """,
        subcommands: [GPIOList.self, GPIOWatch.self, GPIOSet.self])
}

/// `martlet gpio list`: what is there, and who has it.
struct GPIOList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the lines of all GPIO chips, and how to write each into a configuration.")

    @Flag(help: "Only lines that have a name.")
    var named = false

    func run() throws {
        let found = ChipInfo.all()
        for failure in found.failures { StandardError.write("\(failure)\n") }
        guard !found.chips.isEmpty else {
            guard found.failures.isEmpty else { throw CommandFailure.silent(.failed) }
            StandardOutput.write("No GPIO chip is there.\n")
            return
        }
        for chip in found.chips { StandardOutput.write(GPIOListing(chip, onlyNamed: named).text) }
    }
}

/// A chip and its lines as `martlet gpio list` shows them.
struct GPIOListing {
    let text: String

    init(_ chip: ChipInfo, onlyNamed: Bool) {
        let lines = chip.lines.filter { !onlyNamed || $0.name != nil }
        text = "\(chip.path)  \(chip.label), \(chip.lines.count) lines\n" + lines.map { Self.line($0, chip) }.joined()
    }

    private static func line(_ line: LineInfo, _ chip: ChipInfo) -> String {
        let address = line.name.map(quoted) ?? "{ chip_label: \(quoted(chip.label)), offset: \(line.offset) }"
        var words = [line.flags.contains(.output) ? "output" : "input"]
        if line.flags.contains(.activeLow) { words.append("active low") }
        if line.isUsed { words.append("in use by \(line.holder.map { "'\($0)'" } ?? "someone who gave no name")") }
        let number = String(line.offset)
        let padding = String(repeating: " ", count: max(0, 4 - number.count))
        return "\(padding)\(number)  line: \(address)  \(words.joined(separator: ", "))\n"
    }

    /// As YAML takes it.
    private static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || "-_./".utf8.contains(byte)
        }
        let beginsPlain = text.utf8.first.map { (0x61...0x7A).contains($0 | 0x20) } ?? false
        return isPlain && beginsPlain
            ? text : "'\(text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''"))'"
    }
}

/// How a line is wired, for commands.
struct GPIOWiring: ParsableArguments {
    @Option(help: ArgumentHelp("The resistor: as-is, off, pull-up or pull-down.", valueName: "WORD"))
    var bias = "as-is"

    @Flag(help: "A low level means active.")
    var activeLow = false

    func validate() throws {
        guard LineBias(rawValue: bias) == nil else { return }
        throw ValidationError("--bias is one of \(LineBias.allCases.map(\.rawValue).joined(separator: ", "))")
    }

    func line(_ address: String, _ use: WantedLine.Use) -> WantedLine {
        var line = WantedLine(LineAddress(address), use)
        line.isActiveLow = activeLow
        line.bias = LineBias(rawValue: bias) ?? .asIs
        return line
    }
}
