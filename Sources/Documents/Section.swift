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
    package init?(_ node: Node?, path: String, _ problems: ProblemList) {
        guard let node else { return nil }
        self.path = path
        self.problems = problems
        mark = node.mark
        if let entries = node.entries {
            self.entries = entries
        } else if node.isNull {
            entries = []
        } else {
            problems.error(
                "\(path.isEmpty ? "the file" : "'\(path)'") must be a group of keys, not \(node.kind)", at: node.mark,
                hint: "write 'key: value' lines, indented below it")
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
        Section(node(key), path: path.isEmpty ? key : "\(path).\(key)", problems)
    }

    package func text(_ key: String) -> Located<String>? {
        guard let node = node(key) else { return nil }
        guard let text = node.text else {
            wrongKind(key, node, wanted: "a single value")
            return nil
        }
        return Located(text, at: node.mark)
    }

    package func list(_ key: String) -> [Node]? {
        guard let node = node(key) else { return nil }
        guard let items = node.items else {
            wrongKind(key, node, wanted: "a list ('- …' lines, or [a, b])")
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
        let isBare = Scalar.number(text.value) != nil
        problems.error(
            isBare ? "'\(text.value)' has no unit" : "'\(text.value)' is not allowed for '\(key)'", at: text.mark,
            hint: "write \(wanted)" + (isBare ? "; \(text.value)\(example) perhaps?" : ""))
        return nil
    }

    private func wrongKind(_ key: String, _ node: Node, wanted: String) {
        problems.error("'\(key)' must be \(wanted), not \(node.kind)", at: node.mark)
    }
}
