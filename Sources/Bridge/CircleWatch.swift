import Bytes
import MQTTCodec

/// Ends circles of messages that can't say which gateways they came through, as those that crossed a link of 3.1.1.
///
/// All that can be known of such a message is that the same one, topic and payload, was here before; and a sensor may
/// well say the same thing again. So one is dropped when it is the 32nd within half a minute. What goes round is over
/// with that, since each of its rounds was the same message; what was really published so often, more than once a
/// second, loses one of 32.
struct CircleWatch: Sendable {
    private static let most: UInt8 = 32
    private static let window: Duration = .seconds(30)
    /// About two megabytes; what comes beyond that within the window is not watched.
    private static let mostKept = 65_536

    private let seed: UInt64
    private var counts: [UInt64: UInt8] = [:]
    private var windowEnd: ContinuousClock.Instant?

    init() {
        // Drawn when the process starts, for all dictionaries: nobody outside can choose messages that are taken for
        // one another.
        seed = UInt64(bitPattern: Int64(Hasher().finalize()))
    }

    /// Whether this message is to be dropped, being the same as so many before.
    mutating func isOneTooMany(
        _ message: Publish, _ direction: Hops.Direction, now: ContinuousClock.Instant
    ) -> Bool {
        if windowEnd.map({ now >= $0 }) ?? true {
            counts = [:]
            windowEnd = now + Self.window
        }
        let key = fingerprint(message, direction)
        guard counts.count < Self.mostKept || counts[key] != nil else { return false }
        let count = counts[key, default: 0] + 1
        counts[key] = count == Self.most ? 0 : count
        return count == Self.most
    }

    private func fingerprint(_ message: Publish, _ direction: Hops.Direction) -> UInt64 {
        let (topic, payload) = (message.topic.span, message.payload.span)
        let start = direction == .out ? seed : ~seed
        return payload.hash(of: 0..<payload.count, seed: topic.hash(of: 0..<topic.count, seed: start))
    }
}
