/// A place in a file, both counted from 1, columns in characters.
package struct Mark: Equatable, Hashable, Sendable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

/// A part of a YAML document that knows where it stands.
///
/// Scalars keep their text: what `8E1` or `on` means is for
/// the reader's schema to say, not for YAML's guesses.
package struct Node: Equatable, Sendable {
    package indirect enum Content: Equatable, Sendable {
        /// The text as written; `isPlain` without quotes.
        case scalar(String, isPlain: Bool)
        case sequence([Node])
        case mapping([Entry])
    }

    package struct Entry: Equatable, Sendable {
        package var key: String
        package var keyMark: Mark
        package var value: Node
    }

    package var content: Content
    package var mark: Mark
    /// A local tag such as `!secret`, else nil.
    package var tag: String?

    package init(_ content: Content, at mark: Mark, tag: String? = nil) {
        self.content = content
        self.mark = mark
        self.tag = tag
    }

    /// The text of a scalar.
    package var text: String? {
        if case .scalar(let text, _) = content { text } else { nil }
    }

    /// Whether it is an empty plain scalar or `~` or `null`: nothing was given.
    ///
    /// `!secret` alone is not nothing, and neither is a password that begins with '!' and so became a tag.
    package var isNull: Bool {
        guard tag == nil else { return false }
        return if case .scalar(let text, isPlain: true) = content { ["", "~", "null"].contains(text) } else { false }
    }

    package var entries: [Entry]? {
        if case .mapping(let entries) = content { entries } else { nil }
    }

    package var items: [Node]? {
        if case .sequence(let items) = content { items } else { nil }
    }

    package subscript(key: String) -> Node? {
        entries?.first { $0.key == key }?.value
    }

    /// What it is, for messages.
    package var kind: String {
        switch content {
        case .scalar: "a single value"
        case .sequence: "a list"
        case .mapping: "a group of keys"
        }
    }
}
