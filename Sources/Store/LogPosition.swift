/// Where a frame is: its file, and its first byte in there.
package struct LogPosition: Comparable, Hashable, Sendable {
    package var segment: UInt32
    package var offset: UInt32

    package init(segment: UInt32, offset: UInt32) {
        self.segment = segment
        self.offset = offset
    }

    package static func < (left: LogPosition, right: LogPosition) -> Bool {
        (left.segment, left.offset) < (right.segment, right.offset)
    }
}

extension LogPosition: CustomStringConvertible {
    package var description: String { "\(segment):\(offset)" }
}

/// A file of the log and how much of it is committed.
package struct LogSegment: Equatable, Sendable {
    package var number: UInt32
    package var bytes: Int
    /// Of those, given back to the disk since the log was opened.
    package var freed = 0

    package init(number: UInt32, bytes: Int) {
        self.number = number
        self.bytes = bytes
    }
}

/// What a frame that is read came from.
package enum FrameOrigin: Hashable, Sendable {
    case snapshot
    case log(LogPosition)
}
