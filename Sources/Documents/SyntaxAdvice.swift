/// Turns libyaml's messages into what a person who never read the YAML standard can act on.
enum SyntaxAdvice {
    struct Told {
        var message: String
        var mark: Mark
        var hint: String?
    }

    static func advice(problem: String, context: String, contextLine: Int, mark: Mark, text: String) -> Told {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        func line(_ number: Int) -> String { lines.indices.contains(number - 1) ? lines[number - 1] : "" }
        for number in [mark.line, contextLine] {
            if let column = tabColumn(line(number)) {
                return Told(
                    message: "a tab is used for indentation", mark: Mark(line: number, column: column),
                    hint: "use spaces; YAML does not allow tabs there")
            }
        }
        if context.contains("quoted scalar") {
            return Told(
                message: "a quote is opened here and never closed", mark: Mark(line: contextLine, column: 1),
                hint: "close it with the same quote on the same line")
        }
        if context.contains("flow mapping") || context.contains("flow sequence") {
            return Told(
                message: "a '{' or '[' in line \(contextLine) is not closed, or a ',' is missing", mark: mark,
                hint: "check the brackets and commas from line \(contextLine) on")
        }
        for number in [mark.line - 1, mark.line, contextLine] {
            if let (column, key) = colonWithoutSpace(line(number)) {
                return Told(
                    message: "there is no space after '\(key):'", mark: Mark(line: number, column: column),
                    hint: "write '\(key): value' with a space after the colon")
            }
        }
        if problem.contains("mapping values are not allowed") {
            return Told(
                message: "a ':' is not expected here", mark: mark,
                hint: "is the line indented too far, or does a value with ': ' in it need quotes?")
        }
        if problem.contains("did not find expected key") || problem.contains("block end") {
            return Told(
                message: "this line does not fit the indentation of those above", mark: mark,
                hint: "keys of one group begin in the same column")
        }
        if problem.contains("cannot start any token") {
            return Told(
                message: "a value can't begin with this character", mark: mark, hint: "put the value in quotes")
        }
        return Told(message: "this is not YAML: \(problem)", mark: mark, hint: nil)
    }

    private static func tabColumn(_ line: String) -> Int? {
        for (index, character) in line.enumerated() {
            if character == "\t" { return index + 1 }
            if character != " " { return nil }
        }
        return nil
    }

    /// `key:value` in a line that has no `: `.
    private static func colonWithoutSpace(_ line: String) -> (Int, String)? {
        let trimmed = line.drop { $0 == " " || $0 == "-" }
        guard let colon = trimmed.firstIndex(of: ":"), !trimmed.contains("://") else { return nil }
        let after = trimmed.index(after: colon)
        guard after < trimmed.endIndex, trimmed[after] != " " else { return nil }
        let key = String(trimmed[..<colon])
        guard !key.isEmpty, key.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }) else { return nil }
        return (line.count - trimmed.count + 1, key)
    }
}
