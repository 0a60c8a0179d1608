/// How the lines of a device are found and what is in them.
package struct TextLineFormat: Equatable, Sendable {
    /// What is in a line.
    package enum Layout: Equatable, Sendable {
        /// The first pattern that matches; its named groups are the fields.
        case patterns([LinePattern])
        /// Fields by their number from 1, and by their names where there are any.
        case columns(separator: [UInt8], names: [String])
        /// `name=value`, one after the other.
        case pairs(between: [UInt8], equals: [UInt8])
        /// One object or list; fields by their path: `wind.speed`, `list[0]`.
        case json
    }

    /// The raw value is the word in a profile.
    package enum Checksum: String, CaseIterable, Sendable {
        /// Of NMEA 0183: `$` or `!`, the text, `*`, and its exclusive-or in two hex digits.
        case nmea
    }

    package var layout: Layout
    /// What a line begins with; all before it is noise.
    package var start: [UInt8] = []
    /// What a line ends with; a CR before an LF is no part of it.
    package var end: [UInt8] = [0x0A]
    /// The longest line, without its end.
    package var maximum = 256
    package var checksum: Checksum?
    /// Lines that begin with this say nothing.
    package var comment: [UInt8] = []
    /// Whether the device writes 23,5 for 23.5.
    package var hasDecimalComma = false

    package init(_ layout: Layout) {
        self.layout = layout
    }
}

/// One message of named fields.
package struct FieldRecord: Equatable, Sendable {
    package struct Field: Equatable, Sendable {
        package var name: String
        /// As it was sent, without spaces around it.
        package var text: String

        package init(_ name: String, _ text: String) {
            self.name = name
            self.text = text
        }
    }

    package var fields: [Field]
    /// When its first byte arrived.
    package var startedAt: ContinuousClock.Instant
    /// The time that the message itself carries.
    package var time: MeterTime

    package init(fields: [Field], startedAt: ContinuousClock.Instant, time: MeterTime = .notSent) {
        self.fields = fields
        self.startedAt = startedAt
        self.time = time
    }

    /// The text of the first field with this name.
    package subscript(name: String) -> String? {
        fields.first { $0.name == name }?.text
    }
}
