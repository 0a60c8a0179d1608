/// When bytes came that were read later: the kernel keeps them, but not their times.
///
/// A pause inside a message is one on the wire. When the reader is late, what waited for it was no pause, and it did not
/// come all at once either.
package struct ArrivalTimes: Sendable {
    /// Bytes of one reading, spread over the time in which they came, in portions so small that no pause is between two.
    package struct Spread: Equatable, Sendable {
        package let first: ContinuousClock.Instant
        package let last: ContinuousClock.Instant
        package let count: Int

        package var portions: Int {
            let steps = (last - first) / ArrivalTimes.step
            return max(1, min(count, Int(steps.rounded(.up))))
        }

        /// The bytes of a portion, counted from the first of the reading.
        package func bytes(of portion: Int) -> Range<Int> {
            (count * portion / portions)..<(count * (portion + 1) / portions)
        }

        /// When the first byte of a portion came, or the only one.
        package func time(of portion: Int) -> ContinuousClock.Instant {
            guard portions > 1 else { return last }
            return first + (last - first) * portion / (portions - 1)
        }
    }

    /// A reading of so many bytes may be the first of several: how long they waited is not known then.
    ///
    /// The kernel keeps 4,096 for who reads late, and more behind them.
    package static let backlog = 2_048
    fileprivate static let step: Duration = .milliseconds(50)

    private var lastByteAt: ContinuousClock.Instant

    package init(from now: ContinuousClock.Instant) {
        lastByteAt = now
    }

    /// Takes note of a reading of `count` bytes at `now`; `byteTime` is how long one takes on the line, zero where it is
    /// not known.
    package mutating func read(_ count: Int, at now: ContinuousClock.Instant, byteTime: Duration) -> Spread {
        let first = count < Self.backlog ? max(lastByteAt, now - byteTime * count) : lastByteAt
        lastByteAt = now
        return Spread(first: min(first, now), last: now, count: count)
    }
}
