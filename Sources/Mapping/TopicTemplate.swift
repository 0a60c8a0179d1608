/// A topic with places to fill in: `{gateway}/{device}/{point}`.
///
/// A part in square brackets vanishes when a value in it is absent: `energy[/{phase}]/{quantity}`.
package struct TopicTemplate: Equatable, Sendable {
    /// A value that a template can ask for; the raw value is what stands between the braces.
    package enum Placeholder: String, CaseIterable, Sendable {
        case gateway, device, point, `class`, phase, quantity, unit
    }

    enum Piece: Equatable {
        case text(String)
        case value(Placeholder)
    }

    struct Segment: Equatable {
        var pieces: [Piece] = []
        var isOptional = false
    }

    static let longest = 1024

    /// As it was written.
    package let source: String
    let segments: [Segment]

    /// Reads a template, or says what is wrong with it and where.
    package init(parsing source: String) throws(TemplateProblem) {
        guard source.utf8.count <= Self.longest else { throw TemplateProblem(reason: .tooLong, offset: Self.longest) }
        self.source = source
        segments = try TemplateParser(source).segments()
    }

    /// The topic, or the placeholder outside brackets that has no value.
    ///
    /// Characters that would change the topic's levels or be a wildcard become `_` [MQTT-3.3.2-2].
    func topic(_ values: TopicValues) throws(MissingValue) -> [UInt8] {
        var topic: [UInt8] = []
        for segment in segments {
            do {
                topic += try Self.text(of: segment, values)
            } catch {
                if !segment.isOptional { throw error }
            }
        }
        return topic
    }

    private static func text(of segment: Segment, _ values: TopicValues) throws(MissingValue) -> [UInt8] {
        var text: [UInt8] = []
        for piece in segment.pieces {
            switch piece {
            case .text(let fixed):
                text += fixed.utf8
            case .value(let name):
                guard let value = values[name] else { throw MissingValue(name: name) }
                text += value.utf8.map { "/+#\0".utf8.contains($0) ? UInt8(ascii: "_") : $0 }
            }
        }
        return text
    }
}

/// A placeholder outside brackets has no value for this point.
struct MissingValue: Error, Equatable {
    var name: TopicTemplate.Placeholder
}

/// The values that a template is filled with.
struct TopicValues {
    private var values: [TopicTemplate.Placeholder: String] = [:]

    init(gateway: String) {
        self[.gateway] = gateway
    }

    init(gateway: String, device: String) {
        self.init(gateway: gateway)
        self[.device] = device
    }

    init(gateway: String, device: String, _ point: MappedPoint) {
        self.init(gateway: gateway, device: device)
        self[.point] = point.name
        self[.class] = point.class
        self[.phase] = point.phase
        self[.quantity] = point.quantity
        self[.unit] = point.unit
    }

    /// The value; an empty one counts as absent.
    subscript(name: TopicTemplate.Placeholder) -> String? {
        get { values[name] }
        set { values[name] = newValue?.isEmpty == true ? nil : newValue }
    }
}

extension TopicTemplate: ExpressibleByStringLiteral {
    /// For the built-in defaults; what people write goes through `init(parsing:)`.
    package init(stringLiteral source: String) {
        do {
            try self.init(parsing: source)
        } catch {
            preconditionFailure("built-in template '\(source)': \(error)")
        }
    }
}
