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
    /// Seven bits a byte, the lowest first; all but the last have the highest bit set.
    mutating func append(varint value: UInt64) {
        var rest = value
        while rest > 0x7F {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func append(varint value: Int) {
        append(varint: UInt64(clamping: value))
    }

    mutating func append(fixed value: UInt64) {
        append(bigEndian: UInt32(truncatingIfNeeded: value >> 32))
        append(bigEndian: UInt32(truncatingIfNeeded: value))
    }

    mutating func append(counted bytes: Span<UInt8>) {
        append(varint: bytes.count)
        append(copying: bytes)
    }

    mutating func append(_ kind: JournalRecord) {
        append(kind.rawValue)
    }
}

extension ByteReader {
    mutating func varint() throws(EndOfBytes) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            let byte = try uint8()
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw EndOfBytes(offset: offset)
    }

    mutating func count() throws(EndOfBytes) -> Int {
        let value = try varint()
        guard value <= UInt64(remaining) else { throw EndOfBytes(offset: offset) }
        return Int(value)
    }

    mutating func fixed() throws(EndOfBytes) -> UInt64 {
        let high = try uint32()
        return UInt64(high) << 32 | UInt64(try uint32())
    }

    mutating func counted() throws(EndOfBytes) -> [UInt8] {
        try bytes(try count())
    }
}
