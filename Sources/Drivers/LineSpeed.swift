import Decoders
import Serial

/// The speed of a line on which a meter changes it, from a question at the slow speed to the end of the readout.
struct LineSpeed {
    /// How long after the last bit the line is set anew: an adapter may hold bytes back for 16 ms, and a meter begins 200 ms
    /// after it was told at the earliest. [IEC 62056-21, 6.4.3]
    private static let margin: Duration = .milliseconds(100)

    private let slow: LineSettings
    private var agreement = IECSpeedChange()
    private(set) var line: LineSettings
    /// When the line is to be set, and how.
    private var next: (at: ContinuousClock.Instant, line: LineSettings)?

    init(_ slow: LineSettings) {
        self.slow = slow
        line = slow
    }

    /// When `change` is due.
    var changesAt: ContinuousClock.Instant? { next?.at }

    /// What the line is to be set to now, if anything.
    mutating func change(at now: ContinuousClock.Instant) -> LineSettings? {
        guard let next, next.at <= now else { return nil }
        self.next = nil
        line = next.line
        return line
    }

    /// The meter is asked next, at the slow speed; returns the speed that brought nothing the last time, if one did.
    mutating func asks(at now: ContinuousClock.Instant) -> Int? {
        next = line == slow ? nil : (now, slow)
        return agreement.asked()
    }

    /// Takes what came; returns what is to be sent at once, and then nothing is heard until the line is set.
    mutating func received(_ bytes: Span<UInt8>, at now: ContinuousClock.Instant) -> [UInt8]? {
        guard line == slow, let step = agreement.received(bytes) else { return nil }
        var fast = slow
        fast.baud = step.baud
        // In mode B the meter changes by itself, as soon as it may.
        let delay = step.send.isEmpty ? .milliseconds(20) : slow.byteTime * step.send.count + Self.margin
        next = (now + delay, fast)
        return step.send
    }

    mutating func answered() { agreement.answered() }
}
