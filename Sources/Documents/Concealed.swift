/// Problems show lines, and end in logs: passwords must not.
enum Concealed {
    /// The line without what follows `password:` and its likes, unless that is a `!secret`, and without `user:password@`
    /// in an address.
    static func text(_ line: String) -> String {
        withoutUser(withoutPassword(line))
    }

    private static func withoutPassword(_ line: String) -> String {
        for colon in line.indices where line[colon] == ":" && isSecret(key(before: colon, in: line)) {
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            guard !value.isEmpty, !value.hasPrefix("!secret "), !value.hasPrefix("# ") else { continue }
            return line[..<value.startIndex] + "…"
        }
        return line
    }

    private static func key(before colon: String.Index, in line: String) -> String {
        var before = line[..<colon]
        while let last = before.last, " \"'".contains(last) { before.removeLast() }
        return String(before.reversed().prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }.reversed())
    }

    /// Also for keys that are none of ours: `pass`, `pasword`, `mqtt_passwd`.
    private static func isSecret(_ key: String) -> Bool {
        let key = key.lowercased()
        let isOne = ["pass", "pwd", "secret", "token"].contains { key.contains($0) }
        return isOne || NearestWord.of(key, among: ["password"]) != nil
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
