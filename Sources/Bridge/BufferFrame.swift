package import Bytes
import MQTTCodec

/// What stands in the log of a buffer, a frame each.
///
/// A message is its place, its priority, the time it came and a PUBLISH packet of MQTT 5. What of a file is still to be
/// sent is said by a later frame with the places that remain, so that nothing is ever changed where it stands.
package enum BufferFrame: Equatable, Sendable {
    case message(Header)
    case progress(BufferProgress)

    /// What is known of a message without looking at it.
    package struct Header: Equatable, Sendable {
        /// Rises by one from message to message.
        package var place: UInt64
        package var lane: Priority
        /// When it came, in milliseconds since 1970.
        package var arrived: Int64
        /// Where its packet is in the frame.
        package var packet: Range<Int>
    }

    private static let messageKind: UInt8 = 1
    private static let progressKind: UInt8 = 2

    /// Nil for a frame of a kind that this version does not know.
    package init?(_ frame: Span<UInt8>) throws(EndOfBytes) {
        var reader = ByteReader(frame)
        switch try reader.uint8() {
        case Self.messageKind:
            let lane = Priority(rawValue: try reader.uint8()) ?? .normal
            let place = try reader.varint()
            let arrived = Int64(bitPattern: try reader.fixed())
            self = .message(
                Header(place: place, lane: lane, arrived: arrived, packet: reader.offset..<frame.count))
        case Self.progressKind: self = .progress(try BufferProgress(&reader))
        default: return nil
        }
    }

    static func encoded(_ message: Publish, at place: UInt64, _ lane: Priority, arrived: Int64) -> [UInt8] {
        var frame: [UInt8] = []
        frame.reserveCapacity(message.topic.count + message.payload.count + 64)
        frame.append(messageKind)
        frame.append(lane.rawValue)
        frame.append(varint: place)
        frame.append(fixed: UInt64(bitPattern: arrived))
        var message = message
        // Only to be a legal packet.
        message.packetID = 1
        message.duplicate = false
        message.encode(into: &frame, version: .v5)
        return frame
    }

    /// The message of a frame; nil if it makes no sense.
    static func message(_ frame: Span<UInt8>, _ header: Header) -> Publish? {
        let bytes = frame.extracting(header.packet)
        guard let head = try? FixedHeader.parse(bytes), head.type == .publish, head.length == bytes.count,
            var message = try? Publish(bytes, head, version: .v5)
        else { return nil }
        message.packetID = 0
        return message
    }

    /// Its topic alone.
    static func topic(_ frame: Span<UInt8>, _ header: Header) -> [UInt8]? {
        let bytes = frame.extracting(header.packet)
        guard let head = try? FixedHeader.parse(bytes), head.type == .publish, head.length == bytes.count,
            let parts = try? PublishHeader(bytes, head, version: .v5)
        else { return nil }
        return [UInt8](copying: bytes, parts.topic)
    }

    static func encoded(_ progress: BufferProgress) -> [UInt8] {
        var frame: [UInt8] = [progressKind]
        progress.append(to: &frame)
        return frame
    }
}

/// Which messages of a file remain to be sent, of all that were in it so far.
package struct BufferProgress: Equatable, Sendable {
    package var segment: UInt32
    /// It says nothing of the messages from this place on.
    package var end: UInt64
    /// Ranges of places, rising.
    package var remaining: [Range<UInt64>]

    init(segment: UInt32, end: UInt64, remaining: [Range<UInt64>]) {
        self.segment = segment
        self.end = end
        self.remaining = remaining
    }

    fileprivate init(_ reader: inout ByteReader) throws(EndOfBytes) {
        segment = UInt32(truncatingIfNeeded: try reader.varint())
        end = try reader.varint()
        remaining = []
        var place: UInt64 = 0
        for _ in 0..<(try reader.count()) {
            let (start, isTooFar) = place.addingReportingOverflow(try reader.varint())
            let (next, isTooLong) = start.addingReportingOverflow(try reader.varint())
            guard !isTooFar, !isTooLong else { throw EndOfBytes(offset: reader.offset) }
            remaining.append(start..<next)
            place = next
        }
    }

    fileprivate func append(to frame: inout [UInt8]) {
        frame.append(varint: UInt64(segment))
        frame.append(varint: end)
        frame.append(varint: remaining.count)
        var place: UInt64 = 0
        for range in remaining {
            frame.append(varint: range.lowerBound - place)
            frame.append(varint: range.upperBound - range.lowerBound)
            place = range.upperBound
        }
    }
}
