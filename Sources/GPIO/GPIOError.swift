package import LinuxIO

/// A GPIO line that could not be found, taken or used any more: which, why, and what to do about it.
package struct GPIOError: Error, Equatable, Sendable {
    package enum Reason: Equatable, Sendable {
        /// No line matches; `near` has names of lines, or labels of chips, that are there.
        case noMatch(near: [String])
        /// Several lines have the name; their labels and offsets.
        case ambiguous([String])
        /// Several chips have the label; their paths.
        case sameLabel([String])
        case noOffset(highest: Int)
        /// `group` owns the chip, where it has one.
        case noPermission(path: String, group: String?)
        case inUse(by: String?)
        /// The lines of one request must be on one chip.
        case otherChip(String)
        /// It was held, and its chip has gone.
        case lost
        case failed(SystemError)
    }

    package var line: String
    package var reason: Reason

    package init(_ line: LineAddress, _ reason: Reason) {
        self.line = "\(line)"
        self.reason = reason
    }

    /// Whether the line is not there, in contrast to one that is there and can't be used.
    package var isMissing: Bool {
        switch reason {
        case .noMatch, .noOffset, .lost: true
        default: false
        }
    }
}

extension GPIOError: CustomStringConvertible {
    /// One sentence with the line, the reason and what to do.
    package var description: String {
        switch reason {
        case .noMatch(let near):
            "there is no GPIO line \(line)" + (near.isEmpty ? "; no chip has one" : "; there are \(list(near))")
        case .ambiguous(let places): "several GPIO lines are called \(line); choose one by its chip: \(list(places))"
        case .sameLabel(let paths): "several GPIO chips have the label of \(line): \(list(paths)); use the line's name"
        case .noOffset(let highest): "there is no GPIO line \(line): the chip's lines are 0 to \(highest)"
        case .noPermission(let path, let group):
            "no permission to open \(path), which may have the GPIO line \(line)"
                + (group.map { $0 == "root" ? "" : ": add the user to the group \($0)" } ?? "")
        case .inUse(let holder):
            "the GPIO line \(line) is in use by \(holder.map { "'\($0)'" } ?? "someone who gave no name")"
        case .otherChip(let chip): "the GPIO line \(line) is on \(chip), the others are not; request it by itself"
        case .lost: "the GPIO line \(line) has gone with its chip"
        case .failed(let error): "the GPIO line \(line) can't be used: \(error)"
        }
    }

    private func list(_ words: [String]) -> String { words.joined(separator: ", ") }
}
