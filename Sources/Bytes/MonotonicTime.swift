/// A point of time on the machine's monotonic clock, which no one sets and which goes on while the machine sleeps.
///
/// `ContinuousClock.Instant` says the same, but its layout is known at run time only: every struct that holds one
/// pays for that at each access (`docs/performance.md`). Public, so that comparisons are inlined in other targets.
public struct MonotonicTime: Comparable, Hashable, Sendable {
    /// Since the clock began.
    public var nanoseconds: Int64

    @inlinable public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Later than anything that is waited for.
    public static let never = MonotonicTime(nanoseconds: .max)

    @inlinable public static func == (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.nanoseconds == right.nanoseconds
    }

    @inlinable public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// Saturates, so that no wish of a client for a long time can overflow.
    public static func + (time: MonotonicTime, duration: Duration) -> MonotonicTime {
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, secondOverflow) = whole.addingReportingOverflow(time.nanoseconds)
        guard !overflow, !secondOverflow else { return MonotonicTime(nanoseconds: seconds < 0 ? .min : .max) }
        let (result, thirdOverflow) = sum.addingReportingOverflow(attoseconds / 1_000_000_000)
        return MonotonicTime(nanoseconds: thirdOverflow ? .max : result)
    }

    public static func += (time: inout MonotonicTime, duration: Duration) {
        time = time + duration
    }

    public static func - (left: MonotonicTime, right: MonotonicTime) -> Duration {
        .nanoseconds(left.nanoseconds.subtractingReportingOverflow(right.nanoseconds).partialValue)
    }
}
