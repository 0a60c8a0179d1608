/// Something in a file that a person should mend, or know of.
package struct Problem: Equatable, Sendable {
    package enum Severity: String, Sendable {
        case error
        case warning
    }

    package var severity: Severity
    package var file: String
    package var mark: Mark
    /// The line of the file that the mark is in.
    package var lineText: String
    package var message: String
    /// What to do, or what is allowed.
    package var hint: String?
}

extension Problem: CustomStringConvertible {
    /// As `martlet check` and the log show it.
    ///
    ///     config.yaml:31:5: error: unknown key 'baud_rate'
    ///         baud_rate: 9600
    ///         ^
    ///       did you mean 'baudrate'?
    package var description: String {
        var text = "\(file):\(mark.line):\(mark.column): \(severity.rawValue): \(message)"
        let shown = lineText.trimmedEnd
        if !shown.isEmpty {
            text += "\n    \(shown)\n    \(String(repeating: " ", count: max(0, mark.column - 1)))^"
        }
        if let hint { text += "\n  \(hint)" }
        return text
    }
}

extension String {
    fileprivate var trimmedEnd: String {
        var text = Substring(self)
        while let last = text.last, last == " " || last == "\r" || last == "\t" { text.removeLast() }
        // A tab would move the caret away from its column.
        return text.map { $0 == "\t" ? " " : String($0) }.joined()
    }
}

/// Collects the problems of one file, so that all are told at once.
package final class ProblemList {
    package let file: String
    private let lines: [String]
    package private(set) var problems: [Problem] = []

    package init(file: String, text: String) {
        self.file = file
        lines = TextLines.of(text)
    }

    package var hasErrors: Bool { problems.contains { $0.severity == .error } }

    package func error(_ message: String, at mark: Mark, hint: String? = nil) {
        add(.error, message, mark, hint)
    }

    package func warning(_ message: String, at mark: Mark, hint: String? = nil) {
        add(.warning, message, mark, hint)
    }

    private func add(_ severity: Problem.Severity, _ message: String, _ mark: Mark, _ hint: String?) {
        let line = lines.indices.contains(mark.line - 1) ? lines[mark.line - 1] : ""
        let problem = Problem(
            severity: severity, file: file, mark: mark, lineText: Concealed.text(line), message: message, hint: hint)
        if !problems.contains(problem) { problems.append(problem) }
    }

    /// In the order of the file.
    package var sorted: [Problem] {
        problems.sorted { ($0.mark.line, $0.mark.column) < ($1.mark.line, $1.mark.column) }
    }
}
