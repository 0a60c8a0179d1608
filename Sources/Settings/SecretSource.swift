package import Documents

/// Where `!secret name` finds its text.
package struct SecretSource: Sendable {
    private let find: @Sendable (String) -> String?

    /// `find` gives the text of a name, nil for one that it doesn't know.
    package init(_ find: @escaping @Sendable (String) -> String?) {
        self.find = find
    }

    /// Knows no names.
    package static let none = SecretSource { _ in nil }

    package func text(of name: String) -> String? {
        find(name)
    }

    /// The environment variable that may hold a secret: `MARTLET_SECRET_CENTRAL_PASSWORD`.
    package static func variable(for name: String) -> String {
        "MARTLET_SECRET_" + name.uppercased().map { $0.isLetter || $0.isNumber ? String($0) : "_" }.joined()
    }

    /// Reads a `secrets.yaml`: lines of `name: text`.
    package static func read(_ text: String, file: String) -> (secrets: [String: String], problems: [Problem]) {
        let problems = ProblemList(file: file, text: text)
        var secrets: [String: String] = [:]
        if let section = Section(Document.parse(text, problems).first, path: "", problems) {
            for (name, _, _) in section.names { secrets[name] = section.text(name)?.value }
        }
        // The line itself holds a secret and must not reach a log.
        return (secrets, problems.sorted.map(\.withoutLine))
    }
}

extension Problem {
    fileprivate var withoutLine: Problem {
        var problem = self
        problem.lineText = ""
        return problem
    }
}
