package import LinuxIO

/// Finds lines on the chips that are there.
package struct LineFinder: Sendable {
    /// Where a line is now.
    package struct Place: Equatable, Sendable {
        package var chip: ChipInfo
        package var line: LineInfo
    }

    private let chips: [ChipInfo]
    private let failures: [SystemError]

    package init(_ chips: [ChipInfo], failures: [SystemError] = []) {
        self.chips = chips
        self.failures = failures
    }

    /// Looks at all chips of this machine.
    package static func now() -> LineFinder {
        let found = ChipInfo.all()
        return LineFinder(found.chips, failures: found.failures)
    }

    package func find(_ address: LineAddress) throws(GPIOError) -> Place {
        switch address {
        case .named(let name): return try named(name, address)
        case .labelled(let label, let offset): return try labelled(label, offset, address)
        }
    }

    private func named(_ name: String, _ address: LineAddress) throws(GPIOError) -> Place {
        let places = chips.flatMap { chip in
            chip.lines.filter { $0.name == name }.map { Place(chip: chip, line: $0) }
        }
        if let place = places.first, places.count == 1 { return place }
        guard places.isEmpty else { throw GPIOError(address, .ambiguous(places.map(Self.labelled))) }
        throw missing(address, near: near(name))
    }

    private func labelled(_ label: String, _ offset: Int, _ address: LineAddress) throws(GPIOError) -> Place {
        let matching = chips.filter { $0.label == label }
        guard let chip = matching.first else { throw missing(address, near: chips.map { "chip \($0.label)" }) }
        guard matching.count == 1 else { throw GPIOError(address, .sameLabel(matching.map(\.path))) }
        guard chip.lines.indices.contains(offset) else {
            throw GPIOError(address, .noOffset(highest: chip.lines.count - 1))
        }
        return Place(chip: chip, line: chip.lines[offset])
    }

    /// A chip that can't be opened may have the line.
    private func missing(_ address: LineAddress, near: [String]) -> GPIOError {
        guard let failure = failures.first else { return GPIOError(address, .noMatch(near: near)) }
        guard failure.kind == .noPermission, let path = failure.subject else {
            return GPIOError(address, .failed(failure))
        }
        return GPIOError(address, .noPermission(path: path, group: File.group(of: path)))
    }

    /// Names that differ in their letters' case come first; at most ten.
    private func near(_ name: String) -> [String] {
        let names = chips.flatMap { $0.lines.compactMap(\.name) }
        let wanted = name.lowercased()
        let alike = names.filter { $0.lowercased() == wanted || $0.lowercased().contains(wanted) }
        return Array((alike.isEmpty ? names : alike).prefix(10))
    }

    private static func labelled(_ place: Place) -> String {
        "\(LineAddress.labelled(chip: place.chip.label, offset: place.line.offset))"
    }
}
