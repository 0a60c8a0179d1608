import Bytes
import MQTTCodec
import Readings

/// The kinds of records of a batch; a batch begins with a format number and the time of day, and is kept whole or
/// not at all.
///
/// Each record says how something is from then on, so that one that comes twice, or again after a snapshot that
/// knows more, does no harm: who reads a snapshot and all batches since its beginning ends where the broker was.
enum JournalRecord: UInt8 {
    /// A session: its key, who it is, its will, when it ends.
    case session = 1
    case sessionEnded
    case subscribed
    case unsubscribed
    /// A message: its number, and all that a receiver may get of it.
    case message
    /// A message is on its way to a session.
    case delivery
    /// What of its deliveries a session still waits for, and which identifiers of its own are in use.
    case progress
    /// A delivery that left the middle of a session's queue.
    case removed
    /// Nothing is retained for a topic any more.
    case retainedGone
    /// What another part of the gateway keeps under a name.
    case value
    /// Of the identifiers of a progress that came before: those whose message a client inside may not have yet.
    case unanswered

    static let format: UInt8 = 1

    static func begin(_ batch: inout [UInt8], at time: Timestamp) {
        batch.append(format)
        batch.append(fixed: UInt64(bitPattern: time.milliseconds))
    }
}

/// A batch that can't be read: written by a newer version, or not by us.
package enum JournalError: Error, Equatable, Sendable {
    case unknownFormat(UInt8)
    case damaged(at: Int)
}

extension JournalError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknownFormat(let format): "it has format \(format), which a newer version of Martlet wrote"
        case .damaged(let offset): "a batch makes no sense at byte \(offset)"
        }
    }
}

extension [UInt8] {
    mutating func append(_ kind: JournalRecord) {
        append(kind.rawValue)
    }
}
