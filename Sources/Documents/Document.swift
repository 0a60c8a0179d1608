import CYaml

/// Reads YAML text into nodes, with libyaml.
package enum Document {
    /// Aliases may multiply a small text into a large tree; this is far more than any configuration has.
    static let nodeLimit = 200_000
    static let depthLimit = 64

    /// The documents in a text, one node each; what can't be read is told in `problems`.
    package static func parse(_ text: String, _ problems: ProblemList) -> [Node] {
        var bytes = Array(text.utf8)
        if bytes.isEmpty { bytes = [UInt8(ascii: "\n")] }
        return unsafe bytes.withUnsafeBufferPointer { buffer -> [Node] in
            guard let base = buffer.baseAddress, let reader = unsafe cyaml_open(base, buffer.count) else { return [] }
            defer { unsafe cyaml_close(reader) }
            var events = unsafe EventReader(reader: reader, problems: problems, text: text)
            return events.documents()
        }
    }
}

/// Builds nodes from libyaml's events.
///
/// Safe: it lives inside `Document.parse`, whose reader outlives it.
@safe
private struct EventReader {
    private let reader: UnsafeMutablePointer<cyaml_reader>
    private let problems: ProblemList
    private let text: String
    private var anchors: [String: Node] = [:]
    private var nodeCount = 0
    private var hasFailed = false

    @unsafe
    init(reader: UnsafeMutablePointer<cyaml_reader>, problems: ProblemList, text: String) {
        unsafe self.reader = unsafe reader
        self.problems = problems
        self.text = text
    }

    mutating func documents() -> [Node] {
        var documents: [Node] = []
        while let event = next() {
            switch event {
            case YAML_STREAM_END_EVENT: return documents
            case YAML_DOCUMENT_START_EVENT:
                anchors = [:]
                if let first = next(), let node = node(first, depth: 0) { documents.append(node) }
            default: break
            }
            if hasFailed { return documents }
        }
        return documents
    }

    private mutating func next() -> yaml_event_type_t? {
        guard !hasFailed else { return nil }
        let type = unsafe cyaml_next(reader)
        guard type >= 0 else {
            fail()
            return nil
        }
        return yaml_event_type_t(UInt32(type))
    }

    private mutating func node(_ event: yaml_event_type_t, depth: Int) -> Node? {
        let mark = unsafe Mark(line: cyaml_line(reader) + 1, column: cyaml_column(reader) + 1)
        nodeCount += 1
        guard depth < Document.depthLimit, nodeCount < Document.nodeLimit else {
            hasFailed = true
            problems.error("this is nested too deeply or repeats itself too often", at: mark)
            return nil
        }
        let anchor = unsafe Self.string(cyaml_anchor(reader))
        let tag = unsafe Self.string(cyaml_tag(reader)).flatMap { $0.hasPrefix("tag:yaml.org") ? nil : $0 }
        var content: Node.Content?
        switch event {
        case YAML_SCALAR_EVENT: content = .scalar(scalar(), isPlain: unsafe cyaml_scalar_is_plain(reader) != 0)
        case YAML_SEQUENCE_START_EVENT: content = sequence(depth)
        case YAML_MAPPING_START_EVENT: content = mapping(depth)
        case YAML_ALIAS_EVENT: return alias(anchor ?? "", mark)
        default: return nil
        }
        guard let content else { return nil }
        let node = Node(content, at: mark, tag: tag)
        if let anchor { anchors[anchor] = node }
        return node
    }

    private mutating func alias(_ name: String, _ mark: Mark) -> Node? {
        guard let node = anchors[name] else {
            // Without the name: it may be the beginning of a password.
            problems.error(
                "a value that begins with '*' stands for one marked with '&', and none is marked so before it",
                at: mark, hint: "put the value in quotes if it is meant as it stands")
            return Node(.scalar("", isPlain: true), at: mark)
        }
        nodeCount += Self.size(node)
        return node
    }

    private static func size(_ node: Node) -> Int {
        switch node.content {
        case .scalar: 1
        case .sequence(let items): items.reduce(1) { $0 + size($1) }
        case .mapping(let entries): entries.reduce(1) { $0 + size($1.value) }
        }
    }

    private mutating func sequence(_ depth: Int) -> Node.Content? {
        var items: [Node] = []
        while let event = next(), event != YAML_SEQUENCE_END_EVENT {
            if let item = node(event, depth: depth + 1) { items.append(item) }
        }
        return hasFailed ? nil : .sequence(items)
    }

    private mutating func mapping(_ depth: Int) -> Node.Content? {
        var entries: [Node.Entry] = []
        var marks: [String: Mark] = [:]
        while let event = next(), event != YAML_MAPPING_END_EVENT {
            guard let key = node(event, depth: depth + 1), let valueEvent = next(),
                let value = node(valueEvent, depth: depth + 1)
            else { continue }
            guard let name = key.text else {
                problems.error("a key must be a single word, not \(key.kind)", at: key.mark)
                continue
            }
            if let first = marks[name] {
                problems.error(
                    "'\(name)' is here twice; the first is in line \(first.line)", at: key.mark,
                    hint: "put both together or take one out")
                continue
            }
            marks[name] = key.mark
            entries.append(Node.Entry(key: name, keyMark: key.mark, value: value))
        }
        return hasFailed ? nil : .mapping(entries)
    }

    private func scalar() -> String {
        guard let start = unsafe cyaml_scalar(reader) else { return "" }
        let count = unsafe cyaml_scalar_length(reader)
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    private mutating func fail() {
        hasFailed = true
        let mistake = unsafe SyntaxMistake(
            problem: Self.string(cyaml_problem(reader)) ?? "",
            mark: Mark(line: cyaml_problem_line(reader) + 1, column: cyaml_problem_column(reader) + 1),
            context: Self.string(cyaml_context(reader)) ?? "",
            contextMark: Mark(line: cyaml_context_line(reader) + 1, column: cyaml_context_column(reader) + 1))
        let advice = SyntaxAdvice(mistake, text: text)
        problems.error(advice.message, at: advice.mark, hint: advice.hint)
    }

    @unsafe
    private static func string(_ pointer: UnsafePointer<CChar>?) -> String? {
        unsafe pointer.map { unsafe String(cString: $0) }
    }
}
