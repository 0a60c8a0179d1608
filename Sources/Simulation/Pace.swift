/// When each byte of a transmission has crossed a line: ten bits per byte.
struct Pace: Equatable, Sendable {
    /// Timers have a grain of a millisecond: several bytes share a write, as they share a USB packet.
    private static let grain: Duration = .milliseconds(4)

    let byteTime: Duration

    init(baud: Int) {
        byteTime = .nanoseconds(10_000_000_000 / Int64(max(1, baud)))
    }

    /// How long a number of bytes takes.
    func time(for count: Int) -> Duration { byteTime * count }

    /// How many bytes have crossed at `now` of a transmission that began at `start`.
    func count(from start: ContinuousClock.Instant, to now: ContinuousClock.Instant) -> Int {
        let elapsed = now - start
        guard elapsed > .zero else { return 0 }
        return Int(min(elapsed / byteTime, 1e9))
    }

    /// When it is worth looking again, with `sent` of `total` bytes gone.
    func next(from start: ContinuousClock.Instant, sent: Int, of total: Int) -> ContinuousClock.Instant {
        let whole = start + time(for: total)
        return min(whole, start + time(for: sent) + max(Self.grain, byteTime))
    }
}
