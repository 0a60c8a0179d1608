/// Problems show lines, and end in logs: passwords must not.
enum Concealed {
    /// The line without what follows `password:`, unless that is a `!secret`, and without `user:password@` in an address.
    static func text(_ line: String) -> String {
        withoutUser(withoutPassword(line))
    }

    private static func withoutPassword(_ line: String) -> String {
        guard let start = end(of: "password:", in: line[...]) else { return line }
        let value = line[start...].drop { $0 == " " }
        guard !value.isEmpty, !value.hasPrefix("!secret"), !value.hasPrefix("#") else { return line }
        return line[..<value.startIndex] + "…"
    }

    private static func withoutUser(_ line: String) -> String {
        guard let start = end(of: "://", in: line[...]), let at = line[start...].lastIndex(of: "@") else { return line }
        return line[..<start] + "…" + line[at...]
    }

    private static func end(of word: String, in text: Substring) -> String.Index? {
        var rest = text
        while !rest.isEmpty {
            if rest.hasPrefix(word) { return rest.index(rest.startIndex, offsetBy: word.count) }
            rest = rest.dropFirst()
        }
        return nil
    }
}
