/// What libyaml says about a text that it can't read.
struct SyntaxMistake {
    var problem: String
    var mark: Mark
    /// What was being read, and where that began.
    var context: String
    var contextMark: Mark
}

/// Turns libyaml's messages into what a person who never read the YAML standard can act on.
struct SyntaxAdvice {
    private(set) var message: String
    private(set) var mark: Mark
    private(set) var hint: String?

    private init(_ message: String, at mark: Mark, _ hint: String?) {
        self.message = message
        self.mark = mark
        self.hint = hint
    }

    init(_ mistake: SyntaxMistake, text: String) {
        let lines = SourceLines(text)
        self =
            Self.tab(mistake, lines) ?? Self.unclosed(mistake) ?? Self.afterEnd(mistake, lines)
            ?? Self.missingSpace(mistake, lines) ?? Self.unexpectedColon(mistake, lines) ?? Self.unquoted(
                mistake, lines)
            ?? Self.missingColon(mistake) ?? Self.indentation(mistake)
            ?? SyntaxAdvice("this is not YAML: \(mistake.problem)", at: mistake.mark, nil)
    }

    private static func tab(_ mistake: SyntaxMistake, _ lines: SourceLines) -> SyntaxAdvice? {
        for number in [mistake.mark.line, mistake.contextMark.line] {
            guard let column = lines.tabColumn(number) else { continue }
            return SyntaxAdvice(
                "a tab is used for indentation", at: Mark(line: number, column: column),
                "use spaces; YAML does not allow tabs there")
        }
        return nil
    }

    private static func unclosed(_ mistake: SyntaxMistake) -> SyntaxAdvice? {
        let start = mistake.contextMark
        if mistake.context.contains("quoted scalar") {
            if mistake.problem.contains("escape") || mistake.problem.contains("hexdecimal") {
                return SyntaxAdvice(
                    "a '\\' in double quotes begins an escape, and this is none", at: mistake.mark,
                    "use single quotes for text with '\\' in it")
            }
            return SyntaxAdvice(
                "a quote is opened here and never closed", at: start, "close it with the same quote on the same line")
        }
        guard mistake.context.contains("flow mapping") || mistake.context.contains("flow sequence") else { return nil }
        let bracket = mistake.context.contains("mapping") ? "{" : "["
        return SyntaxAdvice(
            "a '\(bracket)' is opened here and not closed, or a ',' is missing after it", at: start,
            "the reader was lost in line \(mistake.mark.line): check brackets and commas up to there")
    }

    /// `{gateway}/power`: YAML reads the braces as a group and does not know what to do with the rest.
    private static func afterEnd(_ mistake: SyntaxMistake, _ lines: SourceLines) -> SyntaxAdvice? {
        guard let closer = lines.closer(before: mistake.mark) else { return nil }
        let hint =
            closer == "}" || closer == "]"
            ? "a text that begins with '{' or '[' needs quotes: \"{gateway}/power\""
            : "put the whole text in one pair of quotes"
        return SyntaxAdvice("there is more text after the closing '\(closer)'", at: mistake.mark, hint)
    }

    private static func missingSpace(_ mistake: SyntaxMistake, _ lines: SourceLines) -> SyntaxAdvice? {
        for number in [mistake.mark.line - 1, mistake.mark.line, mistake.contextMark.line] {
            guard let (column, key) = lines.colonWithoutSpace(number) else { continue }
            return missingSpace(after: key, at: Mark(line: number, column: column))
        }
        return nil
    }

    /// For `key:value`.
    static func missingSpace(after key: String, at mark: Mark) -> SyntaxAdvice {
        SyntaxAdvice(
            "there is no space after '\(key):'", at: mark, "write '\(key): value' with a space after the colon")
    }

    private static func unexpectedColon(_ mistake: SyntaxMistake, _ lines: SourceLines) -> SyntaxAdvice? {
        guard mistake.problem.contains("mapping values are not allowed") else { return nil }
        if let column = lines.furtherIndentation(mistake.mark.line), !lines.hasColon(before: mistake.mark) {
            return SyntaxAdvice(
                "this line is indented further than the one above, which has a value already",
                at: Mark(line: mistake.mark.line, column: column), "keys of one group begin in the same column")
        }
        return SyntaxAdvice(
            "a ':' is not expected here", at: mistake.mark,
            "a value with ': ' in it needs quotes: name: \"Garage: left\"")
    }

    private static func missingColon(_ mistake: SyntaxMistake) -> SyntaxAdvice? {
        guard mistake.problem.contains("could not find expected ':'") else { return nil }
        return SyntaxAdvice("there is no ':' after this key", at: mistake.contextMark, "write 'key: value'")
    }

    private static func unquoted(_ mistake: SyntaxMistake, _ lines: SourceLines) -> SyntaxAdvice? {
        let isSpecial = ["alias", "anchor", "tag", "block scalar", "directive"].contains {
            mistake.context.hasSuffix("scanning a \($0)") || mistake.context.hasSuffix("scanning an \($0)")
        }
        guard isSpecial || mistake.problem.contains("cannot start any token") else { return nil }
        let mark = isSpecial ? mistake.contextMark : mistake.mark
        guard let character = lines.character(at: mark) else { return nil }
        return SyntaxAdvice(
            "a value can't begin with '\(character)'", at: mark, "put the value in quotes")
    }

    private static func indentation(_ mistake: SyntaxMistake) -> SyntaxAdvice? {
        guard mistake.problem.contains("did not find expected") || mistake.problem.contains("block end") else {
            return nil
        }
        return SyntaxAdvice(
            "this line does not fit the indentation of those above", at: mistake.mark,
            "keys of one group begin in the same column")
    }
}
