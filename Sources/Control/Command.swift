package import Readings

/// What somebody wants an actuator to do.
///
/// A payload is the value alone (`ON`) or an object: `{"value":"ON","id":"c1","t":1780000000123,"by":"anna"}`.
package struct Command: Equatable, Sendable {
    /// The longest payload that is looked at.
    package static let longestPayload = 1024

    /// As text, whatever it was in JSON: `ON`, `21.5`, `true`.
    package var value: String
    /// Given back in the answer, so that the sender knows which command it belongs to.
    package var id: String?
    /// When it was given.
    package var givenAt: Timestamp?
    package var by: String?

    package init(value: String, id: String? = nil, givenAt: Timestamp? = nil, by: String? = nil) {
        self.value = value
        self.id = id
        self.givenAt = givenAt
        self.by = by
    }

    /// Reads a payload.
    package init(payload: [UInt8]) throws(Refusal) {
        guard payload.count <= Self.longestPayload else {
            throw Refusal(
                .malformed, "\(payload.count) bytes are too long for a command (limit \(Self.longestPayload))")
        }
        let trimmed = Self.trimmed(payload)
        if trimmed.first == UInt8(ascii: "{") {
            try self.init(object: [UInt8](trimmed))
        } else if trimmed.isEmpty {
            throw Refusal(.malformed, "the payload is empty; " + Self.howToWrite)
        } else if let text = String(validating: trimmed, as: UTF8.self) {
            self.init(value: text)
        } else {
            throw Refusal(.malformed, "the payload is not text; " + Self.howToWrite)
        }
    }

    private init(object: [UInt8]) throws(Refusal) {
        value = ""
        var hasValue = false
        for (name, content) in try Self.members(object) {
            switch (name, content) {
            case ("value", _):
                value = try Self.text(ofValue: content)
                hasValue = true
            case ("id", .text(let text)), ("id", .number(let text)): id = text
            case ("by", .text(let text)): by = text
            case ("t", .number(let text)): givenAt = try Self.time(text)
            case ("id", .null), ("by", .null), ("t", .null): break
            case ("id", _), ("by", _): throw Refusal(.malformed, "'\(name)' must be text")
            case ("t", _): throw Refusal(.malformed, "'t' must be milliseconds since 1970, a whole number")
            // A member that is not understood may change the meaning ("for":"5m"), so it is not passed over.
            default: throw Refusal(.malformed, "'\(name)' is not known; known are value, id, t and by")
            }
        }
        guard hasValue else { throw Refusal(.malformed, "'value' is missing; " + Self.howToWrite) }
    }

    private static let howToWrite = #"write the value alone or {"value":"…","id":"…","t":milliseconds}"#

    private static func members(_ object: [UInt8]) throws(Refusal) -> [(name: String, value: JSONReader.Scalar)] {
        do throws(JSONReader.Problem) {
            return try JSONReader.object(object)
        } catch {
            throw Refusal(.malformed, "not JSON at byte \(error.offset + 1): \(error.text)")
        }
    }

    private static func text(ofValue value: JSONReader.Scalar) throws(Refusal) -> String {
        switch value {
        case .text(let text), .number(let text): text
        case .boolean(let boolean): boolean ? "true" : "false"
        case .null: throw Refusal(.malformed, "'value' is null; " + howToWrite)
        }
    }

    private static func time(_ text: String) throws(Refusal) -> Timestamp {
        guard let milliseconds = Int64(text) else {
            throw Refusal(.malformed, "'t' must be milliseconds since 1970, a whole number")
        }
        return Timestamp(milliseconds: milliseconds)
    }

    private static func trimmed(_ payload: [UInt8]) -> ArraySlice<UInt8> {
        let space = [UInt8](" \t\r\n".utf8)
        let front = payload.drop { space.contains($0) }
        return front.prefix((front.lastIndex { !space.contains($0) } ?? front.startIndex - 1) - front.startIndex + 1)
    }
}
