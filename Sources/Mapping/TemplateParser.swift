/// Reads a topic template from front to back.
struct TemplateParser {
    private let characters: [Character]
    private var position = 0
    private var finished: [TopicTemplate.Segment] = []
    private var current = TopicTemplate.Segment()
    private var bracketAt: Int?

    init(_ source: String) {
        characters = Array(source)
    }

    consuming func segments() throws(TemplateProblem) -> [TopicTemplate.Segment] {
        while position < characters.count {
            try step()
            position += 1
        }
        if let bracketAt { throw TemplateProblem(reason: .bracketNotClosed, offset: bracketAt) }
        finish(optional: false)
        guard !finished.isEmpty else { throw TemplateProblem(reason: .empty, offset: 0) }
        guard finished.contains(where: { !$0.isOptional }) else {
            throw TemplateProblem(reason: .allOptional, offset: 0)
        }
        return finished
    }

    private mutating func step() throws(TemplateProblem) {
        switch characters[position] {
        case "{": try placeholder()
        case "[": try openBracket()
        case "]": try closeBracket()
        case "}": throw problem(.closesNothing)
        case "+", "#", "\0": throw problem(.notAllowedInTopics(characters[position]))
        case let character: add(character)
        }
    }

    private mutating func placeholder() throws(TemplateProblem) {
        let start = position
        guard let end = characters[start...].firstIndex(of: "}") else { throw problem(.braceNotClosed) }
        let name = String(characters[(start + 1)..<end])
        guard let known = TopicTemplate.Placeholder(rawValue: name) else { throw problem(.unknownPlaceholder(name)) }
        current.pieces.append(.value(known))
        position = end
    }

    private mutating func openBracket() throws(TemplateProblem) {
        guard bracketAt == nil else { throw problem(.nestedBrackets) }
        finish(optional: false)
        bracketAt = position
    }

    private mutating func closeBracket() throws(TemplateProblem) {
        guard let start = bracketAt else { throw problem(.closesNothing) }
        bracketAt = nil
        let canBeAbsent = current.pieces.contains { if case .value = $0 { true } else { false } }
        guard canBeAbsent else { throw TemplateProblem(reason: .nothingOptional, offset: start) }
        finish(optional: true)
    }

    private mutating func add(_ character: Character) {
        if case .text(let text) = current.pieces.last {
            current.pieces[current.pieces.count - 1] = .text(text + String(character))
        } else {
            current.pieces.append(.text(String(character)))
        }
    }

    private mutating func finish(optional: Bool) {
        current.isOptional = optional
        if !current.pieces.isEmpty { finished.append(current) }
        current = TopicTemplate.Segment()
    }

    private func problem(_ reason: TemplateProblem.Reason) -> TemplateProblem {
        TemplateProblem(reason: reason, offset: position)
    }
}
