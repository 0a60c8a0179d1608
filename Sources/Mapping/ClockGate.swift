import Readings

/// Gives what devices report its time of day, and holds it back while that is not known.
///
/// A board without a clock of its own starts in 1970, or where it was switched off, until somebody sets its clock. What
/// is measured meanwhile waits here, and passes with its right time when the clock is set; after `patience` it passes with
/// the best time there is, and says that this is an estimate. Once set, the clock is believed from then on: what is set
/// later moves the times of later readings, and neither their order nor their number.
struct ClockGate: Sendable {
    /// A report whose times are times of day, and when it came.
    struct Passed: Equatable, Sendable {
        var report: DeviceReport
        var arrivedAt: ContinuousClock.Instant
    }

    private enum State: Equatable {
        case waiting(until: ContinuousClock.Instant)
        case estimating
        case set
    }

    /// Whether the clock was set is asked this often, as long as something waits for it.
    private static let pause: Duration = .seconds(1)

    private let settings: ClockSettings
    private let startedAt: ContinuousClock.Instant
    private var state: State
    private var held: [Passed] = []
    private var heldReadings = 0
    private var checkAt: ContinuousClock.Instant

    init(_ settings: ClockSettings, startedAt: ContinuousClock.Instant) {
        self.settings = settings
        self.startedAt = startedAt
        checkAt = startedAt
        state = settings.patience.map { .waiting(until: startedAt + $0) } ?? .set
    }

    var standing: ClockStanding {
        switch state {
        case .waiting: .awaited
        case .estimating: .estimated
        case .set: .set
        }
    }

    private var isOpen: Bool { standing != .awaited }

    /// When to call `tick`; nil while nothing waits.
    var wakeAt: ContinuousClock.Instant? {
        guard case .waiting(let end) = state else { return nil }
        return min(checkAt, end)
    }

    /// A device's report; returns what passes now.
    mutating func received(_ report: DeviceReport, _ clock: ClockReading) -> [Passed] {
        held.append(Passed(report: report, arrivedAt: clock.instant))
        if case .readings(let readings) = report { heldReadings += readings.count }
        return tick(clock)
    }

    /// What passes by now.
    mutating func tick(_ clock: ClockReading) -> [Passed] {
        look(at: clock)
        return isOpen ? release(clock) : []
    }

    /// The gateway stops: nothing waits any longer.
    mutating func stop(_ clock: ClockReading) -> [Passed] {
        look(at: clock)
        if !isOpen { state = .estimating }
        return release(clock)
    }

    /// The time of day at an instant, as well as it is known.
    func time(at instant: ContinuousClock.Instant, _ clock: ClockReading) -> Timestamp {
        let told = clock.time(at: instant)
        guard state != .set, let earliest = settings.notBefore else { return told }
        let least = ClockReading(instant: startedAt, time: earliest, trust: .none)
        return max(told, least.time(at: instant))
    }

    private mutating func look(at clock: ClockReading) {
        guard state != .set else { return }
        checkAt = clock.instant + Self.pause
        if isRight(clock) {
            state = .set
        } else if case .waiting(let end) = state, clock.instant >= end || heldReadings > settings.mostHeld {
            state = .estimating
        }
    }

    /// What the hardware kept is not believed when it says less than it must be: its battery is empty.
    private func isRight(_ clock: ClockReading) -> Bool {
        switch clock.trust {
        case .synchronised: true
        case .kept: clock.time >= settings.notBefore ?? clock.time
        case .none: false
        }
    }

    private mutating func release(_ clock: ClockReading) -> [Passed] {
        let passing = held.map { Passed(report: timed($0.report, clock), arrivedAt: $0.arrivedAt) }
        held = []
        heldReadings = 0
        return passing
    }

    private func timed(_ report: DeviceReport, _ clock: ClockReading) -> DeviceReport {
        switch report {
        case .readings(let readings): .readings(readings.map { timed($0, clock) })
        case .status(let device, let status, .noticed(let instant)):
            .status(device: device, status, since: .at(time(at: instant, clock)))
        case .status: report
        }
    }

    /// A device's own time stands as it is.
    private func timed(_ reading: Reading, _ clock: ClockReading) -> Reading {
        guard case .noticed(let instant) = reading.measuredAt else { return reading }
        var reading = reading
        reading.measuredAt = .at(time(at: instant, clock))
        if state == .estimating, reading.quality == .good { reading.quality = .estimated }
        return reading
    }
}
