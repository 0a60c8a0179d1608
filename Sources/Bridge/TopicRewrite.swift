import MQTTCodec

/// How a topic becomes another: text with `{topic}` (all of it), `{topic:2}` (its third level: levels count from 0),
/// `{topic:2..}` (from there on) and `{gateway}`.
package struct TopicRewrite: Equatable, Sendable {
    enum Part: Equatable, Sendable {
        case text([UInt8])
        /// Levels of the topic; all of them from `first` on where `last` is nil.
        case levels(first: Int, last: Int?)
    }

    private let parts: [Part]

    /// The topic as it is.
    package static let same = TopicRewrite(parts: [.levels(first: 0, last: nil)])

    private init(parts: [Part]) {
        self.parts = parts
    }

    /// Reads a template; `gateway` replaces `{gateway}`.
    package init(_ template: String, gateway: String) throws(TopicRewriteError) {
        var parts: [Part] = []
        var rest = template[...]
        while let brace = rest.firstIndex(of: "{") {
            parts.append(.text(Array(rest[..<brace].utf8)))
            guard let end = rest[brace...].firstIndex(of: "}") else { throw .braceNotClosed }
            parts.append(try Self.part(rest[rest.index(after: brace)..<end], gateway: gateway))
            rest = rest[rest.index(after: end)...]
        }
        parts.append(.text(Array(rest.utf8)))
        self.parts = parts.filter { $0 != .text([]) }
        guard !self.parts.isEmpty else { throw .empty }
        try checkText()
    }

    private static func part(_ name: Substring, gateway: String) throws(TopicRewriteError) -> Part {
        if name == "topic" { return .levels(first: 0, last: nil) }
        if name == "gateway" { return .text(Array(gateway.utf8)) }
        guard name.hasPrefix("topic:") else { throw .unknownName(String(name)) }
        let levels = name.dropFirst("topic:".count)
        let isOpen = levels.hasSuffix("..")
        guard let first = Int(isOpen ? levels.dropLast(2) : levels), first >= 0, first < 128 else {
            throw .levelsNotUnderstood(String(name))
        }
        return .levels(first: first, last: isOpen ? nil : first)
    }

    private func checkText() throws(TopicRewriteError) {
        for case .text(let text) in parts where !text.isEmpty {
            guard Topic.isValidName(text.span, 0..<text.count) else { throw .notATopic }
        }
    }

    /// The new topic; nil if the topic has too few levels or the result can't be one.
    package func apply(to topic: [UInt8]) -> [UInt8]? {
        if self == .same { return topic }
        let levels = topic.split(separator: Topic.separator, omittingEmptySubsequences: false)
        var result: [UInt8] = []
        for part in parts {
            switch part {
            case .text(let text): result.append(contentsOf: text)
            case .levels(let first, let last):
                guard first < levels.count else { return nil }
                let chosen = levels[first...(last ?? levels.count - 1)]
                result.append(contentsOf: chosen.joined(separator: [Topic.separator]))
            }
        }
        return !result.isEmpty && result.count <= Int(UInt16.max) ? result : nil
    }
}

/// Why a `to` template is refused; its description says what would be right.
package enum TopicRewriteError: Error, Equatable, Sendable {
    case empty
    case braceNotClosed
    case unknownName(String)
    case levelsNotUnderstood(String)
    case notATopic
}

extension TopicRewriteError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .empty: "the topic is empty; write {topic} to keep it as it is"
        case .braceNotClosed: "a { without its }"
        case .unknownName(let name): "{\(name)} is not known; {topic}, {topic:2}, {topic:2..} and {gateway} are"
        case .levelsNotUnderstood(let name):
            "{\(name)} is not understood; write {topic:2} for the third level, {topic:2..} for it and all after it"
        case .notATopic: "a topic to publish to has no + or # and no NUL"
        }
    }
}
