/// What a stream decoder found in the bytes.
package enum StreamEvent: Equatable, Sendable {
    /// One whole message that can be believed.
    case telegram(Telegram)
    /// One binary frame that proved itself.
    case frame(BinaryFrame)
    /// One message of named fields.
    case record(FieldRecord)
    /// Bytes that gave no values, and why; to be counted, not logged one by one.
    case skipped(SkippedBytes)
}

/// Bytes that gave no values.
package struct SkippedBytes: Equatable, Sendable {
    package var count: Int
    package var reason: Reason

    /// Why bytes were thrown away.
    package enum Reason: Error, Equatable, Sendable {
        /// Not between a start and an end: line noise, or the tail of a telegram whose start was missed.
        case noise
        /// A new telegram began before this one ended.
        case cutShort
        /// The line fell silent in the middle of a telegram.
        case fellSilent
        /// No end within the longest message there is.
        case tooLong
        /// The sum at the end is not the sum of the bytes: a flipped or lost character.
        case checksumWrong(sent: UInt16, computed: UInt16)
        /// The telegram is of a version that always carries a checksum, and has none.
        case checksumMissing
        /// The end or a line is not written as the protocol says.
        case malformed
    }

    package init(count: Int, reason: Reason) {
        self.count = count
        self.reason = reason
    }
}

extension SkippedBytes.Reason: CustomStringConvertible {
    /// The reason for a log line.
    package var description: String {
        switch self {
        case .noise: "noise between messages"
        case .cutShort: "a message was cut short by the next one"
        case .fellSilent: "the line fell silent in the middle of a message"
        case .tooLong: "no end within the longest message there is"
        case .checksumWrong(let sent, let computed):
            "checksum wrong: sent \(String(sent, radix: 16, uppercase: true)), computed "
                + String(computed, radix: 16, uppercase: true)
        case .checksumMissing: "checksum missing"
        case .malformed: "not written as the protocol says"
        }
    }
}
