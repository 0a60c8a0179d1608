/// How long to wait before a port is tried again: soon at first, then every two seconds.
///
/// A missing device node costs next to nothing to look for, and people expect a plugged-in meter to be found.
struct Backoff {
    private static let first = Duration.milliseconds(250)
    private static let longest = Duration.seconds(2)

    private var current = first

    mutating func next() -> Duration {
        defer { current = min(current * 2, Self.longest) }
        return current
    }

    /// Soon again, unless the port was lost as soon as it was open, and would be again.
    mutating func wasOpen(for time: Duration) {
        if time >= Self.longest { current = Self.first }
    }
}
