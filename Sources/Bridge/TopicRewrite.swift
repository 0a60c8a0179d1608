import MQTTCodec

/// How a topic becomes another.
///
/// A template is text with `{topic}` (all of it), `{topic:2}` (its third level: levels count from 0), `{topic:2..}`
/// (from there on), `{1}` (what the filter's first wildcard stood for) and `{gateway}`; or a prefix is changed.
package struct TopicRewrite: Equatable, Sendable {
    enum Part: Equatable, Sendable {
        case text([UInt8])
        /// Levels of the topic; all of them from `first` on where `last` is nil.
        case levels(first: Int, last: Int?)
        /// What the filter's wildcard stood for; wildcards count from 0.
        case capture(Int)
        /// The topic without this at its front.
        case without(prefix: [UInt8])
    }

    private let parts: [Part]

    /// The topic as it is.
    package static let same = TopicRewrite(parts: [.levels(first: 0, last: nil)])

    private init(parts: [Part]) {
        self.parts = parts.filter { $0 != .text([]) }
    }

    /// Takes one prefix away and puts another in its place; both may be empty.
    package init(removing old: [UInt8], adding new: [UInt8]) {
        self.init(parts: [.text(new), old.isEmpty ? .levels(first: 0, last: nil) : .without(prefix: old)])
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
        self.init(parts: parts)
        guard !self.parts.isEmpty else { throw .empty }
        try checkText()
    }

    private static func part(_ name: Substring, gateway: String) throws(TopicRewriteError) -> Part {
        if name == "topic" { return .levels(first: 0, last: nil) }
        if name == "gateway" { return .text(Array(gateway.utf8)) }
        if let number = Int(name), (1...128).contains(number) { return .capture(number - 1) }
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

    /// How many wildcards a filter needs for it.
    package var wildcardsNeeded: Int {
        parts.map { if case .capture(let index) = $0 { index + 1 } else { 0 } }.max() ?? 0
    }

    /// The new topic of one that `filter` matches; nil if the topic has too few levels or the result can't be one.
    package func apply(to topic: [UInt8], matchedBy filter: [UInt8] = []) -> [UInt8]? {
        if self == .same { return topic }
        let levels = topic.split(separator: Topic.separator, omittingEmptySubsequences: false)
        var result: [UInt8] = []
        for part in parts {
            switch part {
            case .text(let text): result.append(contentsOf: text)
            case .levels(let first, let last):
                guard first < levels.count else { return nil }
                result.append(contentsOf: Self.joined(levels[first...(last ?? levels.count - 1)]))
            case .capture(let index):
                guard let captured = Self.captured(index, levels, filter) else { return nil }
                // `a/#` matches `a` too: nothing was captured, and so its separator goes as well.
                if captured.isEmpty, result.last == Topic.separator { result.removeLast() }
                result.append(contentsOf: Self.joined(captured))
            case .without(let prefix):
                guard topic.starts(with: prefix) else { return nil }
                result.append(contentsOf: topic.dropFirst(prefix.count))
            }
        }
        return !result.isEmpty && result.count <= Int(UInt16.max) ? result : nil
    }

    private static func joined(_ levels: ArraySlice<ArraySlice<UInt8>>) -> [UInt8] {
        Array(levels.joined(separator: [Topic.separator]))
    }

    /// The levels that the filter's wildcard number `index` stands for.
    private static func captured(
        _ index: Int, _ levels: [ArraySlice<UInt8>], _ filter: [UInt8]
    ) -> ArraySlice<ArraySlice<UInt8>>? {
        var left = index
        let wanted = filter.split(separator: Topic.separator, omittingEmptySubsequences: false)
        for (place, level) in wanted.enumerated() {
            let isRest = level.elementsEqual([Topic.multiLevel])
            guard isRest || level.elementsEqual([Topic.singleLevel]) else { continue }
            if left > 0 {
                left -= 1
                continue
            }
            if isRest { return levels[min(place, levels.count)...] }
            return place < levels.count ? levels[place...place] : nil
        }
        return nil
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
        case .unknownName(let name):
            "{\(name)} is not known; {topic}, {topic:2}, {topic:2..}, {1} and {gateway} are"
        case .levelsNotUnderstood(let name):
            "{\(name)} is not understood; write {topic:2} for the third level, {topic:2..} for it and all after it"
        case .notATopic: "a topic to publish to has no + or # and no NUL"
        }
    }
}
