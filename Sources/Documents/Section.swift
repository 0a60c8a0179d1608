/// A value together with where it was written.
package struct Located<Value> {
    package var value: Value
    package var mark: Mark

    package init(_ value: Value, at mark: Mark) {
        self.value = value
        self.mark = mark
    }
}

extension Located: Sendable where Value: Sendable {}
extension Located: Equatable where Value: Equatable {}

/// One group of keys, read by a schema: each key is asked for by name and type, and `finish` complains of the keys
/// that nobody asked for.
///
/// Every complaint goes to the problem list, and the reader goes on with nil: all problems come out at once.
package final class Section {
    package let mark: Mark
    /// Where it is in the document, for messages: `ports.meterbus`.
    package let path: String
    package let problems: ProblemList
    private let entries: [Node.Entry]
    private var known: [String] = []
    /// Other programs' spellings of our keys.
    private var synonyms: [String: String] = [:]

    /// A mapping node as a section; an empty value counts as an empty group.
    ///
    /// `mark` is where its name stands, for complaints about the group as a whole.
    package init?(_ node: Node?, path: String, at mark: Mark? = nil, _ problems: ProblemList) {
        guard let node else { return nil }
        self.path = path
        self.problems = problems
        self.mark = mark ?? node.mark
        if let entries = node.entries {
            self.entries = entries
        } else if node.isNull {
            entries = []
        } else if let key = node.text.flatMap({ SourceLines.keyWithoutSpace($0[...]) }) {
            let advice = SyntaxAdvice.missingSpace(after: key, at: node.mark)
            problems.error(advice.message, at: advice.mark, hint: advice.hint)
            return nil
        } else {
            problems.error(
                "\(path.isEmpty ? "the file" : "'\(path)'") must be a group of keys, not \(node.kind)", at: node.mark,
                hint: node.items == nil
                    ? "write 'key: value' lines, indented below it"
                    : "write a name of your choice instead of each '-': 'name: { key: value }'")
            return nil
        }
    }

    /// The names in the group, in order, for groups whose keys are the user's own.
    package var names: [(name: String, mark: Mark, node: Node)] {
        known += entries.map(\.key)
        return entries.map { ($0.key, $0.keyMark, $0.value) }
    }

    /// Whether the key is there, without reading it.
    package func has(_ key: String) -> Bool {
        entries.contains { $0.key == key }
    }

    /// The node of a key; a key without a value counts as absent.
    package func node(_ key: String) -> Node? {
        if !known.contains(key) { known.append(key) }
        guard let node = entries.first(where: { $0.key == key })?.value, !node.isNull else { return nil }
        return node
    }

    /// Where the key is written, else the section's own place.
    package func mark(of key: String) -> Mark {
        entries.first { $0.key == key }?.keyMark ?? mark
    }

    package func spelled(_ wrong: String, means right: String) {
        synonyms[wrong] = right
    }

    /// Other programs' spellings, and ours for each.
    package func spelled(_ ours: [String: String]) {
        synonyms.merge(ours) { $1 }
    }

    /// Complains that a key must be given, or that it is there with nothing in it.
    package func missing(_ key: String, hint: String) {
        let place = path.isEmpty ? "" : " in '\(path)'"
        if has(key) {
            let advice = "what belongs to it goes behind the colon, or below it with two spaces more before it"
            problems.error("'\(key)' is empty\(place)", at: mark(of: key), hint: "\(advice); \(hint)")
        } else {
            problems.error("'\(key)' is missing\(place)", at: mark, hint: hint)
        }
    }

    /// Complains of unknown keys.
    ///
    /// `later` names keys that a later version will know.
    package func finish(later: [String] = []) {
        for entry in entries where !known.contains(entry.key) {
            if later.contains(entry.key) {
                problems.error(
                    "'\(entry.key)' is not available in this version yet", at: entry.keyMark,
                    hint: "take it out for now")
                continue
            }
            let nearest = synonyms[entry.key] ?? NearestWord.of(entry.key, among: known)
            let allowed = "allowed here: \(known.sorted().joined(separator: ", "))"
            problems.error(
                "unknown key '\(entry.key)'\(path.isEmpty ? "" : " in '\(path)'")", at: entry.keyMark,
                hint: nearest.map { "did you mean '\($0)'? \(allowed)" } ?? allowed)
        }
    }

    // MARK: typed values

    package func section(_ key: String) -> Section? {
        Section(node(key), path: path(of: key), at: mark(of: key), problems)
    }

    /// The groups below this one, for groups whose keys are the user's own.
    package var sections: [(name: String, section: Section)] {
        names.compactMap { name, mark, node in
            Section(node, path: path(of: name), at: mark, problems).map { (name, $0) }
        }
    }

    private func path(of key: String) -> String {
        path.isEmpty ? key : "\(path).\(key)"
    }

    package func text(_ key: String) -> Located<String>? {
        guard let node = node(key) else { return nil }
        guard let text = node.text else {
            wrongKind(key, node, wanted: "a single value")
            return nil
        }
        // What `!secret name` stands for must not be taken for the text "name".
        if let tag = node.tag {
            tell(tag, of: key, at: node.mark)
            return nil
        }
        return Located(text, at: node.mark)
    }

    private func tell(_ tag: String, of key: String, at mark: Mark) {
        if tag == "!secret" {
            problems.error("'!secret' has no meaning here", at: mark, hint: "write the value of '\(key)' itself")
        } else {
            // Without the tag: it may be a password.
            problems.error(
                "the value of '\(key)' begins with '!', which has a meaning in YAML", at: mark,
                hint: "put the value in quotes")
        }
    }

    /// `example` shows how it may look.
    package func list(_ key: String, like example: String = "[a, b]") -> [Node]? {
        guard let node = node(key) else { return nil }
        guard let items = node.items else {
            problems.error(
                "'\(key)' must be a list, not \(node.kind)", at: node.mark,
                hint: "begin each entry with '- ', or write \(key): \(example)")
            return nil
        }
        return items
    }

    /// A value that `parse` understands; `wanted` says which those are.
    package func value<Value>(_ key: String, wanted: String, _ parse: (String) -> Value?) -> Located<Value>? {
        guard let text = text(key) else { return nil }
        guard let value = parse(text.value) else {
            problems.error("'\(text.value)' is not allowed for '\(key)'", at: text.mark, hint: "write \(wanted)")
            return nil
        }
        return Located(value, at: text.mark)
    }

    package func integer(_ key: String, _ range: ClosedRange<Int>) -> Int? {
        value(key, wanted: "a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
            Scalar.integer(text).flatMap { range.contains($0) ? $0 : nil }
        }?.value
    }

    package func number(_ key: String) -> Double? {
        value(key, wanted: "a number, like 0.5", Scalar.number)?.value
    }

    package func bool(_ key: String) -> Bool? {
        value(key, wanted: "true or false", Scalar.bool)?.value
    }

    package func duration(_ key: String) -> Duration? {
        unit(key, "a time with its unit: 300ms, 20s, 5m, 1h or 14d", Scalar.duration, example: "s")?.value
    }

    /// A time, or `word` (`never`) for none; outer nil without the key.
    package func duration(_ key: String, or word: String) -> Duration?? {
        if node(key)?.text == word { return .some(nil) }
        let wanted = "a time with its unit (300ms, 20s, 5m, 1h, 14d) or '\(word)'"
        return unit(key, wanted, Scalar.duration, example: "s").map { .some($0.value) }
    }

    package func size(_ key: String) -> Int? {
        unit(key, "a size with its unit: 64KB, 512MB or 2GB", Scalar.size, example: "MB")?.value
    }

    /// One of the words of an enum.
    package func word<Word: CaseIterable & RawRepresentable>(_ key: String, _: Word.Type) -> Word?
    where Word.RawValue == String {
        guard let text = text(key) else { return nil }
        if let word = Word(rawValue: text.value) { return word }
        let words = Word.allCases.map(\.rawValue)
        let nearest = NearestWord.of(text.value, among: words).map { "did you mean '\($0)'? " } ?? ""
        problems.error(
            "'\(text.value)' is not allowed for '\(key)'", at: text.mark,
            hint: "\(nearest)allowed: \(words.joined(separator: ", "))")
        return nil
    }

    private func unit<Value>(
        _ key: String, _ wanted: String, _ parse: (String) -> Value?, example: String
    ) -> Located<Value>? {
        guard let text = text(key) else { return nil }
        if let value = parse(text.value) { return Located(value, at: text.mark) }
        guard let number = Scalar.number(text.value) else {
            problems.error("'\(text.value)' is not allowed for '\(key)'", at: text.mark, hint: "write \(wanted)")
            return nil
        }
        // Nobody means 300 seconds by a bare 300.
        let likely = example == "s" && number >= 100 ? "ms" : example
        problems.error(
            "'\(text.value)' has no unit", at: text.mark, hint: "write \(wanted); \(text.value)\(likely) perhaps?")
        return nil
    }

    private func wrongKind(_ key: String, _ node: Node, wanted: String) {
        // `{topic}` without quotes is a group with an empty key `topic`.
        let isTemplate = node.entries.map { !$0.isEmpty && $0.allSatisfy { $0.value.isNull } } ?? false
        problems.error(
            "'\(key)' must be \(wanted), not \(node.kind)", at: node.mark,
            hint: isTemplate ? "a text that begins with '{' needs quotes: \"{…}\"" : nil)
    }
}
