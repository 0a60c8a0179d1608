import Bytes
import MQTTCodec

/// How fast messages that waited are sent: so many in a second, a few at once.
struct ReplayPace: Equatable, Sendable {
    /// What may be made up for when the clock was looked at late.
    private static let burst: Duration = .milliseconds(100)

    /// When the next may go; nil while the rate is not what holds things up.
    private(set) var nextAt: ContinuousClock.Instant?
    private var due: ContinuousClock.Instant?
    /// Whether somebody ordered to send everything at once.
    var isSuspended = false

    mutating func allows(_ rate: Double?, now: ContinuousClock.Instant) -> Bool {
        nextAt = nil
        guard rate != nil, !isSuspended, let due, due > now else { return true }
        nextAt = due
        return false
    }

    mutating func sent(_ rate: Double?, now: ContinuousClock.Instant) {
        guard let rate, !isSuspended else { return }
        due = max(due ?? now, now - Self.burst) + .seconds(1 / rate)
    }

    mutating func reset() {
        nextAt = nil
        due = nil
    }
}

/// Topics of which a newer message has gone out than those that still wait.
struct OvertakenTopics: Equatable, Sendable {
    private static let most = 10_000

    private var topics: Set<[UInt8]> = []

    /// With too many to remember, all are said to be.
    func contains(_ topic: [UInt8]) -> Bool { topics.count >= Self.most || topics.contains(topic) }

    mutating func insert(_ topic: [UInt8]) {
        if topics.count < Self.most { topics.insert(topic) }
    }

    mutating func reset() {
        if !topics.isEmpty { topics = [] }
    }
}

/// Says of a message that it is sent late: by a user property with the time it came, and by `"q":"replayed"` where it
/// is one of the gateway's readings and was good.
package enum ReplayMark {
    package static let property = Array("martlet-replayed".utf8)
    private static let front = Array(#"{"v":"#.utf8)
    private static let good = Array(#","q":"good""#.utf8)
    private static let replayed = Array(#","q":"replayed""#.utf8)

    /// `arrived` is in milliseconds since 1970.
    static func put(on message: inout Publish, arrived: Int64) {
        message.properties.userProperties.removeAll { $0.name == property }
        message.properties.userProperties.append(
            Properties.UserProperty(name: property, value: Array(String(arrived).utf8)))
        guard message.payload.starts(with: front), let range = range(of: good, in: message.payload) else { return }
        message.payload.replaceSubrange(range, with: replayed)
    }

    /// The last place, for a text value comes first and may say anything.
    private static func range(of part: [UInt8], in bytes: [UInt8]) -> Range<Int>? {
        guard bytes.count >= part.count else { return nil }
        for start in stride(from: bytes.count - part.count, through: 0, by: -1)
        where bytes[start..<start + part.count].elementsEqual(part) {
            return start..<start + part.count
        }
        return nil
    }
}
