import Bytes

/// What waits for an upstream, for people.
package struct BufferStatus: Equatable, Sendable {
    package var isUp: Bool
    package var messages: Int
    package var bytes: Int
    package var messagesLimit: Int
    package var bytesLimit: Int
    package var inFlight: Int
    /// How long the oldest has waited; nil where none does.
    package var oldest: Duration?
    package var dropped: [DropReason: Int]
    /// At the rate of the last minute; nil while it does not fill up.
    package var untilFull: Duration?
    /// Why the disk takes nothing.
    package var failure: String?
    /// Whether there is a disk at all.
    package var isStored: Bool

    /// From 0 to 100: the fuller of the limits.
    package var percent: Int {
        let parts = [(messages, messagesLimit), (bytes, bytesLimit)]
        return parts.map { Int(Double($0.0) / Double(max(1, $0.1)) * 100) }.max() ?? 0
    }
}

/// How fast a buffer fills up.
struct FillWatch: Equatable, Sendable {
    private static let spacing: Duration = .seconds(10)
    private static let span: Duration = .seconds(60)
    /// Of a shorter time nobody should conclude anything.
    private static let least: Duration = .seconds(20)

    private var samples: [(at: ContinuousClock.Instant, fill: Double)] = []

    static func == (left: FillWatch, right: FillWatch) -> Bool {
        left.samples.elementsEqual(right.samples) { $0 == $1 }
    }

    /// To be told now and then, from 0 to 1.
    mutating func see(_ fill: Double, now: ContinuousClock.Instant) {
        if let last = samples.last, now < last.at + Self.spacing { return }
        samples.append((now, fill))
        // One that is older than the span stays, to measure from.
        while samples.count > 2, now - samples[1].at >= Self.span { samples.removeFirst() }
    }

    /// Nil while it does not fill up, or nobody knows yet.
    func untilFull(_ fill: Double, now: ContinuousClock.Instant) -> Duration? {
        guard let first = samples.first, fill > first.fill, now - first.at >= Self.least else { return nil }
        let seconds = (now - first.at) / .seconds(1)
        return .seconds(max(0, (1 - fill) / ((fill - first.fill) / seconds)))
    }
}

extension OfflineQueue {
    /// How long the oldest message has waited.
    package func oldest(now: ContinuousClock.Instant) -> Duration? {
        var waits: [Duration] = []
        if let arrived = stored.oldest { waits.append(.milliseconds(max(0, wallTime(now) - arrived))) }
        if let number = unwritten.first, let held = memory[number] { waits.append(now - held.arrived) }
        if !isStored, let first = memory.values.map(\.arrived).min() { waits.append(now - first) }
        return waits.max()
    }
}

extension BridgeState {
    package func bufferStatus(now: ContinuousClock.Instant) -> BufferStatus {
        BufferStatus(
            isUp: isUp, messages: queue.count, bytes: queue.sizeInBytes, messagesLimit: queue.limits.messages,
            bytesLimit: queue.bytesLimit, inFlight: queue.onTheWayCount, oldest: queue.oldest(now: now),
            dropped: queue.dropped, untilFull: filling.untilFull(queue.fill, now: now), failure: queue.failure,
            isStored: queue.isStored)
    }

    /// What somebody should see to; empty for nothing.
    package var alarm: String {
        if let failure = queue.failure { return "nothing can be kept: \(failure)" }
        return isFilling ? "\(Int(queue.fill * 100)) % full" : ""
    }
}
