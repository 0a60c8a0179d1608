import Bytes

/// The bytes that wait for one connection, in order: copied small ones, with shared large payloads between.
///
/// The broker appends during a turn; the loop writes once, at its end.
package struct OutputBuffer {
    private struct SharedPart {
        /// Where in `bytes` it belongs.
        var position: Int
        var bytes: [UInt8]
        var range: Range<Int>
    }

    /// What was appended and not yet cleared; encoders append to it in place.
    var bytes: [UInt8] = []
    private var sent = 0
    private var shared = Ring<SharedPart>()
    private var sharedCount = 0

    package init() {}

    /// How many bytes wait.
    package var count: Int { bytes.count - sent + sharedCount }

    package var isEmpty: Bool { count == 0 }

    /// The memory it takes.
    var footprint: Int { bytes.capacity + sharedCount }

    /// Appends a whole encoded packet, with its first byte and packet identifier put in.
    mutating func append(packet: [UInt8], firstByte: UInt8, packetID: UInt16, at position: Int) {
        let start = bytes.count
        bytes.append(contentsOf: packet)
        bytes[start] = firstByte
        guard packetID != 0 else { return }
        bytes[start + position] = UInt8(packetID >> 8)
        bytes[start + position + 1] = UInt8(truncatingIfNeeded: packetID)
    }

    /// Appends bytes without copying them.
    mutating func append(sharing whole: [UInt8], _ range: Range<Int>) {
        shared.append(SharedPart(position: bytes.count, bytes: whole, range: range))
        sharedCount += range.count
    }

    /// Hands the waiting bytes to `write` until all are taken or it takes fewer than offered; nil from `write`
    /// means that the connection is lost.
    ///
    /// Returns whether it is still there.
    package mutating func flush(_ write: (_ bytes: Span<UInt8>, _ moreFollows: Bool) -> Int?) -> Bool {
        while count > 0 {
            let end = shared.first?.position ?? bytes.count
            if sent < end {
                guard let written = write(bytes.span.extracting(sent..<end), !shared.isEmpty) else { return false }
                sent += written
                if sent < end { return true }
            }
            guard let part = shared.first else { break }
            let moreFollows = shared.count > 1 || sent < bytes.count
            guard let written = write(part.bytes.span.extracting(part.range), moreFollows) else { return false }
            sharedCount -= written
            guard written == part.range.count else {
                shared[0].range = (part.range.lowerBound + written)..<part.range.upperBound
                return true
            }
            _ = shared.popFirst()
        }
        clear()
        return true
    }

    /// Empties the buffer; its memory stays for the next connection unless it grew large.
    mutating func clear() {
        if bytes.capacity > 262_144 { bytes = [] } else { bytes.removeAll(keepingCapacity: true) }
        sent = 0
        shared = Ring()
        sharedCount = 0
    }

    /// Takes out the bytes already written, so that a slow connection's buffer does not grow at the front.
    package mutating func compact() {
        guard sent > 65_536, sent > bytes.count / 2, shared.isEmpty else { return }
        bytes.removeFirst(sent)
        sent = 0
    }
}
