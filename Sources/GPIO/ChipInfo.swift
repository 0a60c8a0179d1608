package import LinuxIO

/// A GPIO chip with its lines, as it was when it was looked at.
package struct ChipInfo: Equatable, Sendable {
    package var path: String
    package var label: String
    package var lines: [LineInfo]

    package init(path: String, label: String, lines: [LineInfo]) {
        self.path = path
        self.label = label
        self.lines = lines
    }

    /// All chips that can be opened, by their paths, and what kept others from it.
    package static func all(in folder: String = "/dev") -> (chips: [ChipInfo], failures: [SystemError]) {
        var chips: [ChipInfo] = []
        var failures: [SystemError] = []
        for path in GPIOChip.paths(in: folder) {
            // A second name for a chip that is there already, which older systems have.
            guard File.linkTarget(path) == nil else { continue }
            do throws(SystemError) {
                chips.append(try ChipInfo(reading: GPIOChip(opening: path)))
            } catch {
                failures.append(error)
            }
        }
        return (chips, failures)
    }

    init(reading chip: borrowing GPIOChip) throws(SystemError) {
        let info = try chip.info()
        path = chip.path
        label = info.label
        lines = []
        for offset in 0..<info.lineCount { lines.append(LineInfo(offset: offset, try chip.line(offset))) }
    }
}

/// A line of a chip: its place, its name, who holds it.
package struct LineInfo: Equatable, Sendable {
    package var offset: Int
    /// Nil where the board gives it none.
    package var name: String?
    package var isUsed: Bool
    /// Who holds it, where that is told.
    package var holder: String?
    package var flags: GPIOFlags

    package init(offset: Int, name: String?, isUsed: Bool = false, holder: String? = nil, flags: GPIOFlags = .input) {
        self.offset = offset
        self.name = name
        self.isUsed = isUsed
        self.holder = holder
        self.flags = flags
    }

    init(offset: Int, _ line: GPIOChip.Line) {
        self.init(
            offset: offset, name: line.name.isEmpty ? nil : line.name, isUsed: line.flags.contains(.used),
            holder: line.consumer.isEmpty ? nil : line.consumer, flags: line.flags)
    }
}
