/// What both clocks say at one moment: the one that goes on evenly, and the time of day, which may not be set yet.
package struct ClockReading: Equatable, Sendable {
    /// Why the time of day could be right.
    package enum Trust: Sendable {
        /// The kernel says that somebody keeps it right: NTP, GPS, PTP.
        case synchronised
        /// A hardware clock kept it while the machine was off, and nobody has checked it since.
        case kept
        /// Nothing speaks for it.
        case none
    }

    package var instant: ContinuousClock.Instant
    package var time: Timestamp
    package var trust: Trust

    package init(instant: ContinuousClock.Instant, time: Timestamp, trust: Trust) {
        self.instant = instant
        self.time = time
        self.trust = trust
    }

    /// The time of day that it was, or will be, at another instant.
    package func time(at other: ContinuousClock.Instant) -> Timestamp {
        let distance = (other - instant).components
        return Timestamp(
            milliseconds: time.milliseconds + distance.seconds * 1_000 + distance.attoseconds / 1_000_000_000_000_000)
    }
}
