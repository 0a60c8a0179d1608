package import Readings

/// A mapper for reports whose time of day may not be known yet: it is told of them when that is known.
///
/// Reports that waited go through the mapper as they would have without the wait: by the report rules at the time when
/// they came, in their order.
package struct TimedMapper: Sendable {
    private var mapper: Mapper
    private var gate: ClockGate
    /// Nil when the first messages are out.
    private var startedAt: ContinuousClock.Instant?

    package init(
        _ settings: MappingSettings, _ clockSettings: ClockSettings, startedAt: ContinuousClock.Instant,
        nextSequenceNumber: UInt64 = 1
    ) {
        mapper = Mapper(settings, nextSequenceNumber: nextSequenceNumber)
        gate = ClockGate(clockSettings, startedAt: startedAt)
        self.startedAt = startedAt
    }

    /// To be kept over restarts, with a gap rather than a repetition.
    package var nextSequenceNumber: UInt64 { mapper.nextSequenceNumber }

    /// The will of the connection that publishes.
    package var will: Publication { mapper.will }

    /// When `tick` has something to do; nil while nothing is due.
    package var wakeAt: ContinuousClock.Instant? {
        [gate.wakeAt, mapper.wakeAt].compactMap(\.self).min()
    }

    /// What is thought of the clock; once it is `set`, nobody needs to look any more.
    package var clock: ClockStanding { gate.standing }

    /// What a device reported.
    package mutating func received(_ report: DeviceReport, _ clock: ClockReading) -> [Publication] {
        pass(gate.received(report, clock), clock)
    }

    /// What is due by now; the first messages with the first call, if the clock is set.
    package mutating func tick(_ clock: ClockReading) -> [Publication] {
        let passed = pass(gate.tick(clock), clock)
        return passed + mapper.tick(at: clock.instant)
    }

    /// Goes on with other settings.
    package mutating func apply(_ settings: MappingSettings, _ clock: ClockReading) -> [Publication] {
        guard startedAt == nil else {
            // Nothing was said yet; what waits is taken as the new settings say.
            mapper = Mapper(settings, nextSequenceNumber: mapper.nextSequenceNumber)
            return []
        }
        return mapper.apply(settings, at: gate.time(at: clock.instant, clock), now: clock.instant)
    }

    /// The last messages, and before them all that still waits.
    package mutating func stop(_ clock: ClockReading) -> [Publication] {
        let passed = pass(gate.stop(clock), clock)
        return passed + mapper.stop(at: gate.time(at: clock.instant, clock), now: clock.instant)
    }

    private mutating func pass(_ reports: [ClockGate.Passed], _ clock: ClockReading) -> [Publication] {
        guard gate.standing != .awaited else { return [] }
        var publications = begin(clock)
        for passed in reports {
            let age = clock.instant - passed.arrivedAt
            if age > .zero { publications += Self.older(catchUp(to: passed.arrivedAt), by: age) }
            publications += Self.older(mapper.received(passed.report, at: passed.arrivedAt), by: age)
        }
        return publications
    }

    private mutating func begin(_ clock: ClockReading) -> [Publication] {
        guard let startedAt else { return [] }
        self.startedAt = nil
        // Without a store the numbers go on where the clock is: a gap after a restart rather than a repetition.
        mapper.skipNumbers(to: UInt64(max(1, gate.time(at: clock.instant, clock).milliseconds)))
        return mapper.start(at: gate.time(at: startedAt, clock))
    }

    /// What would have been due before, each at its time.
    private mutating func catchUp(to instant: ContinuousClock.Instant) -> [Publication] {
        var publications: [Publication] = []
        while let due = mapper.wakeAt, due < instant {
            publications += mapper.tick(at: due)
            // Each tick moves it on; if one did not, this would never end.
            guard mapper.wakeAt != due else { break }
        }
        return publications
    }

    /// With what is left of their time; at least a second [MQTT-3.3.2-5].
    private static func older(_ publications: [Publication], by age: Duration) -> [Publication] {
        guard age >= .seconds(1) else { return publications }
        let seconds = UInt32(clamping: age.components.seconds)
        return publications.map { publication in
            var publication = publication
            publication.expirySeconds = publication.expirySeconds.map { $0 > seconds ? $0 - seconds : 1 }
            return publication
        }
    }
}
