import Synchronization

/// What became of a device's polls since the gateway started.
package struct DeviceStatistics: Equatable, Sendable {
    /// Requests that were sent, without repetitions.
    package var polls = 0
    package var answers = 0
    /// Nothing came in time.
    package var timeouts = 0
    /// Something came that can't be believed: a wrong checksum, noise.
    package var garbled = 0
    /// The device answered that it can't.
    package var refused = 0
    /// Messages of a device that speaks unasked.
    package var messages = 0
    package var skippedBytes = 0
    package var responses = ResponseTimes()

    package init() {}
}

/// How long answers took to begin, in steps of a quarter: from 0.1 ms to about two minutes.
package struct ResponseTimes: Equatable, Sendable {
    private static let first = 0.1
    private static let growth = 1.25
    private static let steps = 64

    private var counts = [Int](repeating: 0, count: ResponseTimes.steps)
    private var total = 0

    package init() {}

    package mutating func add(_ time: Duration) {
        let (seconds, attoseconds) = time.components
        let milliseconds = Double(seconds) * 1_000 + Double(attoseconds) / 1e15
        var (step, limit) = (0, Self.first)
        while limit < milliseconds, step < Self.steps - 1 {
            limit *= Self.growth
            step += 1
        }
        counts[step] += 1
        total += 1
    }

    /// The time, in milliseconds, within which this share of the answers began; nil without answers.
    ///
    /// It is at most a quarter too long.
    package func milliseconds(share: Double) -> Double? {
        guard total > 0 else { return nil }
        var (seen, limit) = (0, Self.first)
        for count in counts {
            seen += count
            if Double(seen) >= share * Double(total) { return limit }
            limit *= Self.growth
        }
        return limit
    }
}

/// The statistics of all devices and ports; drivers write, whoever tells them reads, on any thread.
package final class StatisticsBoard: Sendable {
    private struct State {
        var devices: [String: DeviceStatistics] = [:]
        /// How long each bus was in use.
        var busy: [String: Duration] = [:]
        /// What share of each line its polls take, as computed.
        var planned: [String: Double] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// By device.
    package var devices: [String: DeviceStatistics] { state.withLock { $0.devices } }

    /// How long each bus was in use since the start, by port.
    package var busy: [String: Duration] { state.withLock { $0.busy } }

    /// What share of its line the polls of each bus take, as computed from frames and intervals.
    package var planned: [String: Double] { state.withLock { $0.planned } }

    func count(_ device: String, _ change: (inout DeviceStatistics) -> Void) {
        state.withLock { change(&$0.devices[device, default: DeviceStatistics()]) }
    }

    func wasBusy(_ port: String, for time: Duration) {
        state.withLock { $0.busy[port, default: .zero] += time }
    }

    func plans(_ port: String, share: Double?) {
        state.withLock { $0.planned[port] = share }
    }

    /// Only these are there any more.
    func keep(devices: Set<String>, ports: Set<String>) {
        state.withLock { state in
            state.devices = state.devices.filter { devices.contains($0.key) }
            state.busy = state.busy.filter { ports.contains($0.key) }
            state.planned = state.planned.filter { ports.contains($0.key) }
        }
    }
}
