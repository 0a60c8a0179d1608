import Bytes
package import MQTTCodec

/// Why a message did not reach the upstream.
package enum DropReason: Int, CaseIterable, Hashable, Sendable {
    /// The queue was full and this was the oldest.
    case queueFull
    /// Alone larger than the queue.
    case tooLarge
    /// Its message expiry passed.
    case expired
    /// Older than the queue keeps messages.
    case tooOld
    /// The upstream answered with an error; it would do so again.
    case refused
    /// Its rewritten topic can't be published to.
    case topicInvalid
}

extension DropReason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .queueFull: "the queue was full"
        case .tooLarge: "larger than the queue"
        case .expired: "the message expired"
        case .tooOld: "older than the queue keeps messages"
        case .refused: "the server refused it"
        case .topicInvalid: "its new topic is not valid"
        }
    }
}

/// Messages for the upstream, in order, until the upstream has acknowledged them; in memory.
///
/// Full means that the oldest one that is not on its way goes, and is counted.
package struct OfflineQueue: Sendable {
    /// A message and its number, which is never used again.
    package struct Entry: Equatable, Sendable {
        package let number: Int
        package let message: Publish
        package let storedAt: ContinuousClock.Instant

        /// What it is counted as: its content and what keeping it costs.
        var size: Int { Self.size(of: message) }

        static func size(of message: Publish) -> Int {
            message.topic.count + message.payload.count + 256 + message.properties.userProperties.count * 64
        }
    }

    private let limits: QueueLimits
    private var waiting = Ring<Entry>()
    /// Given back by a link that ended while it took them; first in line.
    private var returned = Ring<Entry>()
    private var onTheWay: [Int: Entry] = [:]
    private var nextNumber = 1
    package private(set) var sizeInBytes = 0
    /// How many messages were dropped, by reason, since the start.
    package private(set) var dropped: [DropReason: Int] = [:]

    package init(_ limits: QueueLimits) {
        self.limits = limits
    }

    /// Waiting and on their way.
    package var count: Int { waiting.count + returned.count + onTheWay.count }
    package var isEmpty: Bool { count == 0 }
    package var onTheWayCount: Int { onTheWay.count }

    /// From 0 to 1: the fuller of the two limits.
    package var fill: Double {
        max(Double(count) / Double(max(1, limits.messages)), Double(sizeInBytes) / Double(max(1, limits.bytes)))
    }

    /// Keeps a message; older ones go when there is no room.
    package mutating func append(_ message: Publish, now: ContinuousClock.Instant) {
        let size = Entry.size(of: message)
        guard size <= limits.bytes, limits.messages > 0 else { return drop(.tooLarge) }
        while count >= limits.messages || sizeInBytes + size > limits.bytes {
            guard let oldest = popFirst() else { return drop(.queueFull) }
            sizeInBytes -= oldest.size
            drop(reasonToForget(oldest, now: now) ?? .queueFull)
        }
        waiting.append(Entry(number: nextNumber, message: message, storedAt: now))
        nextNumber += 1
        sizeInBytes += size
    }

    /// The next message to send, with its expiry counted down; it stays in the queue until `finished`. [MQTT-3.3.2-6]
    package mutating func startNext(now: ContinuousClock.Instant) -> Entry? {
        while let entry = popFirst() {
            if let reason = reasonToForget(entry, now: now) {
                sizeInBytes -= entry.size
                drop(reason)
                continue
            }
            onTheWay[entry.number] = entry
            return Entry(
                number: entry.number, message: entry.message.agedBy(now - entry.storedAt), storedAt: entry.storedAt)
        }
        return nil
    }

    /// The upstream answered: it has the message, or `dropReason` says why it never will.
    package mutating func finished(_ number: Int, dropReason: DropReason? = nil) {
        guard let entry = onTheWay.removeValue(forKey: number) else { return }
        sizeInBytes -= entry.size
        if let dropReason { drop(dropReason) }
    }

    /// The link ended before it took the message.
    package mutating func putBack(_ number: Int) {
        guard let entry = onTheWay.removeValue(forKey: number) else { return }
        returned.append(entry)
    }

    private mutating func popFirst() -> Entry? {
        returned.popFirst() ?? waiting.popFirst()
    }

    package mutating func drop(_ reason: DropReason) {
        dropped[reason, default: 0] += 1
    }

    private func reasonToForget(_ entry: Entry, now: ContinuousClock.Instant) -> DropReason? {
        let waited = now - entry.storedAt
        if let expiry = entry.message.properties[number: .messageExpiryInterval], waited >= .seconds(Int(expiry)) {
            return .expired
        }
        if let age = limits.age, waited >= age { return .tooOld }
        return nil
    }
}

extension Publish {
    /// The message with its expiry counted down by the whole seconds of `waited`.
    fileprivate func agedBy(_ waited: Duration) -> Publish {
        guard let expiry = properties[number: .messageExpiryInterval] else { return self }
        var copy = self
        let seconds = UInt32(clamping: waited.components.seconds)
        copy.properties[number: .messageExpiryInterval] = max(1, expiry - min(expiry, seconds))
        return copy
    }
}
