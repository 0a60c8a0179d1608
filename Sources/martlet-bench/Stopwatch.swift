import Bytes
import LinuxIO

/// Adds up the time between starts and stops, less what looking at the clock takes.
struct Stopwatch {
    /// What a start and a stop with nothing between them measure.
    private static let ownTime: Int64 = {
        var least = Int64.max
        for _ in 0..<1_000 {
            let start = MonotonicTime.now
            least = min(least, MonotonicTime.now.nanoseconds - start.nanoseconds)
        }
        return least
    }()

    private var startedAt: Int64 = 0
    private(set) var nanoseconds: Int64 = 0

    mutating func start() {
        startedAt = MonotonicTime.now.nanoseconds
    }

    mutating func stop() {
        nanoseconds += max(0, MonotonicTime.now.nanoseconds - startedAt - Self.ownTime)
    }

    /// The time that `body` takes.
    static func measure<E: Error>(_ body: () throws(E) -> Void) throws(E) -> Double {
        var watch = Stopwatch()
        watch.start()
        try body()
        watch.stop()
        return Double(watch.nanoseconds)
    }
}
