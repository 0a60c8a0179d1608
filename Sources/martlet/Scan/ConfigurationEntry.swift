import Profiles
import Serial

/// What a configuration says of a port and of what hangs on it, as YAML.
struct ConfigurationEntry {
    struct Device {
        var key: String
        var profile: String
        var unit: UInt8?
        /// What is not certain, for a comment.
        var note: String
    }

    var portKey: String
    /// Where the port is, and its settings: key and value.
    var port: [(key: String, value: String)]
    var devices: [Device]

    /// `place` is `match: { … }` or the like, as two words; nil settings for a connection.
    init(_ found: [FoundDevice], place: (key: String, value: String), hasLine: Bool) {
        portKey = found.contains { $0.unit != nil } ? "bus" : "line"
        port = [place]
        if hasLine, let line = found.first?.line {
            port += [("baudrate", "\(line.baud)"), ("format", line.format)]
        }
        devices = found.compactMap { device in
            guard let best = device.candidates.first else { return nil }
            let others = device.candidates.dropFirst().prefix(3).map(\.description)
            let note = others.isEmpty ? "" : "; or is it \(others.joined(separator: ", "))?"
            let unit = device.unit.map { "-\($0)" } ?? ""
            return Device(
                key: "\(best.profile.name)\(unit)", profile: best.profile.name, unit: device.unit,
                note: "\(best.fitting) of \(best.read) values fit\(note)")
        }
    }

    /// The lines below `ports:` and below `devices:`, so much indented.
    func portLines(_ indent: String) -> [String] {
        ["\(indent)\(portKey):"] + port.map { "\(indent)  \($0.key): \($0.value)" }
    }

    func deviceLines(_ indent: String) -> [String] {
        devices.flatMap { device in
            [
                "\(indent)\(device.key):  # \(device.note)", "\(indent)  profile: \(device.profile)",
                "\(indent)  port: \(portKey)",
            ] + (device.unit.map { ["\(indent)  unit: \($0)"] } ?? [])
        }
    }

    var text: String {
        (["ports:"] + portLines("  ") + ["devices:"] + deviceLines("  ")).joined(separator: "\n") + "\n"
    }
}

/// Puts an entry into the text of a configuration, whose other lines stay as they are.
struct ConfigurationInsert {
    private var lines: [String]

    init(_ text: String) {
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        while lines.last?.isEmpty == true { lines.removeLast() }
    }

    /// The text with the entry in it; throws where a section is written in one line with braces.
    mutating func adding(_ entry: ConfigurationEntry, withPort: Bool) throws(CommandFailure) -> String {
        if withPort { try add("ports", entry.portLines) }
        try add("devices", entry.deviceLines)
        return lines.joined(separator: "\n") + "\n"
    }

    private mutating func add(_ section: String, _ new: (String) -> [String]) throws(CommandFailure) {
        guard let head = lines.firstIndex(where: { Self.isHead($0, section) }) else {
            lines += ["", "\(section):"] + new("  ")
            return
        }
        let rest = lines[head].dropFirst(section.count + 1).prefix { $0 != "#" }
        guard rest.allSatisfy(\.isWhitespace) else {
            throw CommandFailure(
                "'\(section)' is written in one line; write it in lines of its own, or put the entry there by hand")
        }
        // The section ends where something stands at the left edge; its last lines may be blank or comments.
        var end = lines.index(after: head)
        var last = head
        while end < lines.count, !Self.isAtLeftEdge(lines[end]) {
            if !Self.isBlank(lines[end]) { last = end }
            end += 1
        }
        let first = lines[(head + 1)..<end].first { !Self.isBlank($0) }
        let indent = first.map { String($0.prefix { $0 == " " }) } ?? "  "
        lines.insert(contentsOf: new(indent), at: last + 1)
    }

    private static func isHead(_ line: String, _ section: String) -> Bool {
        line.hasPrefix("\(section):")
    }

    private static func isAtLeftEdge(_ line: String) -> Bool {
        guard let first = line.first else { return false }
        return first != " " && first != "#" && !first.isWhitespace
    }

    /// Whether nothing but a comment is in it.
    private static func isBlank(_ line: String) -> Bool {
        line.first { !$0.isWhitespace }.map { $0 == "#" } ?? true
    }
}
