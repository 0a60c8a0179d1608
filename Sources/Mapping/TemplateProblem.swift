/// What is wrong with a topic template, and where.
package struct TemplateProblem: Error, Equatable, Sendable {
    package var reason: Reason
    /// How many characters stand before the place.
    package var offset: Int

    /// What is wrong.
    package enum Reason: Equatable, Sendable {
        case empty
        /// More than 1024 bytes: filled in, it must stay under the 65,535 of a topic [MQTT-1.5.4].
        case tooLong
        /// `{` without `}`.
        case braceNotClosed
        /// `[` without `]`.
        case bracketNotClosed
        /// `}` or `]` without its beginning.
        case closesNothing
        /// `[` inside `[ ]`.
        case nestedBrackets
        /// `[text]`: nothing in it can be absent.
        case nothingOptional
        /// The whole template is in brackets, so the topic could be empty.
        case allOptional
        case unknownPlaceholder(String)
        /// `+` and `#` are for filters, a NUL is for nobody [MQTT-3.3.2-2] [MQTT-1.5.4-2].
        case notAllowedInTopics(Character)
    }
}

extension TemplateProblem: CustomStringConvertible {
    /// One sentence for people, without the place.
    package var description: String {
        switch reason {
        case .empty: "a topic can't be empty"
        case .tooLong: "a topic template has at most \(TopicTemplate.longest) bytes"
        case .braceNotClosed: "'{' is never closed; write {device}"
        case .bracketNotClosed: "'[' is never closed; write [/{phase}]"
        case .closesNothing: "this closes nothing that was opened"
        case .nestedBrackets: "brackets can't be inside brackets"
        case .nothingOptional: "nothing in these brackets can be absent; put a {placeholder} in or leave them out"
        case .allOptional: "everything is optional, so the topic could be empty; leave something outside the brackets"
        case .unknownPlaceholder(let name):
            "{\(name)} is not known here; use one of " + Self.allPlaceholders
        case .notAllowedInTopics(let character):
            "'\(character == "\0" ? "NUL" : String(character))' is not allowed in a topic that is published to"
        }
    }

    private static let allPlaceholders =
        TopicTemplate.Placeholder.allCases.map { "{\($0.rawValue)}" }.joined(separator: " ")
}
