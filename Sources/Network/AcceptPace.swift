import Bytes

/// How many connections a second are accepted; those beyond it wait in the kernel's queue and lose nothing.
struct AcceptPace {
    /// Per second; 0 is no limit.
    private let rate: Int
    /// When the next connection is due, up to a second in the past: what was not used may come at once.
    private var due: Int64 = 0

    init(rate: Int) {
        self.rate = rate
    }

    private var interval: Int64 { 1_000_000_000 / Int64(rate) }

    /// Whether one more may be accepted now.
    func mayAccept(_ now: MonotonicTime) -> Bool {
        rate <= 0 || due <= now.nanoseconds
    }

    mutating func accepted(_ now: MonotonicTime) {
        guard rate > 0 else { return }
        due = max(due, now.nanoseconds - 1_000_000_000) + interval
    }

    /// When to go on: after a few milliseconds, so that the loop does not wake for each single one.
    func nextTime(_ now: MonotonicTime) -> MonotonicTime {
        MonotonicTime(nanoseconds: max(due, now.nanoseconds + 10_000_000))
    }
}
