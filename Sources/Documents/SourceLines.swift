/// The lines of a text that can't be read as YAML, looked at for the usual slips; lines count from 1.
struct SourceLines {
    private let lines: [String]

    init(_ text: String) {
        lines = TextLines.of(text)
    }

    private func line(_ number: Int) -> String {
        lines.indices.contains(number - 1) ? lines[number - 1] : ""
    }

    func character(at mark: Mark) -> Character? {
        line(mark.line).dropFirst(mark.column - 1).first
    }

    /// Where a tab indents the line.
    func tabColumn(_ number: Int) -> Int? {
        let indentation = line(number).prefix { $0 == " " || $0 == "\t" }
        return indentation.firstIndex(of: "\t").map { indentation.distance(from: indentation.startIndex, to: $0) + 1 }
    }

    /// A bracket or quote that ends right before the mark, in the same line.
    func closer(before mark: Mark) -> Character? {
        var before = line(mark.line).prefix(max(0, mark.column - 1))
        while before.last == " " { before.removeLast() }
        guard let last = before.last, "}]\"'".contains(last) else { return nil }
        return last
    }

    /// Whether a colon ends a key before the mark, in the same line.
    func hasColon(before mark: Mark) -> Bool {
        var before = line(mark.line).prefix(max(0, mark.column - 1))
        while let colon = before.firstIndex(of: ":") {
            before = before[before.index(after: colon)...]
            if before.first == " " { return true }
        }
        return false
    }

    /// Where the line begins, if that is further right than the line above.
    func furtherIndentation(_ number: Int) -> Int? {
        var above = number - 1
        while above > 0, line(above).allSatisfy({ $0 == " " }) { above -= 1 }
        let (own, other) = (indentation(number), indentation(above))
        return own > other ? own + 1 : nil
    }

    private func indentation(_ number: Int) -> Int {
        line(number).prefix { $0 == " " }.count
    }

    /// `key:value` in a line that has no `: `.
    func colonWithoutSpace(_ number: Int) -> (column: Int, key: String)? {
        let line = line(number)
        let trimmed = line.drop { $0 == " " || $0 == "-" }
        return Self.keyWithoutSpace(trimmed).map { (line.count - trimmed.count + 1, $0) }
    }

    /// The key of `key:value`.
    static func keyWithoutSpace(_ text: Substring) -> String? {
        guard let colon = text.firstIndex(of: ":"), !text.contains("://") else { return nil }
        let after = text.index(after: colon)
        guard after < text.endIndex, text[after] != " " else { return nil }
        let key = text[..<colon]
        let isKey = !key.isEmpty && key.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }
        return isKey ? String(key) : nil
    }
}
