import ArgumentParser
import Decoders
import LinuxIO
import Profiles

/// `martlet profile show`.
struct ProfileShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what a device offers: its points, their units, and what takes commands.")

    @Argument(help: ArgumentHelp("A profile's name, as `martlet profile list` shows it.", valueName: "PROFILE"))
    var name: String

    @OptionGroup var devices: DevicesOption

    func run() throws {
        let library = try devices.library()
        guard let profile = library.profiles[name] else {
            try library.reportProblems()
            throw CommandFailure(
                "there is no profile '\(name)'; there are \(library.sorted.map(\.name).joined(separator: ", "))",
                status: .usage)
        }
        StandardOutput.write(Self.text(of: profile))
    }

    static func text(of profile: Profile) -> String {
        var lines = ["\(profile.name)  \(profile.productNames)", "    \(bus(profile.bus))"]
        if let source = profile.source { lines.append("    from: \(source)") }
        lines.append("")
        let width = profile.points.map(\.name.count).max() ?? 0
        for point in profile.points {
            let name = point.name + String(repeating: " ", count: width - point.name.count)
            lines.append(trimmed("    \(name)  \(details(point))"))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func bus(_ bus: ProfileBus) -> String {
        let line = "\(bus.baudrate) baud, \(bus.format)"
        switch bus {
        case .modbus(let modbus): return "Modbus, \(line), unit \(modbus.unit) from the factory"
        case .serial(let serial):
            let manner = serial.requests.isEmpty ? "speaks unasked" : "answers to requests"
            return "\(manner) (\(serial.decoder.name)), \(line)"
        }
    }

    private static func details(_ point: ProfilePoint) -> String {
        var parts = [point.unit, point.class].compactMap(\.self)
        if let command = point.command {
            parts.append("takes \(command.values.map(\.word).joined(separator: ", "))")
        }
        return parts.joined(separator: "  ")
    }

    private static func trimmed(_ text: String) -> String {
        var text = text
        while text.last == " " { text.removeLast() }
        return text
    }
}
