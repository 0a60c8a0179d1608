package import Readings

/// What is done about a clock that is not set yet.
package struct ClockSettings: Equatable, Sendable {
    /// How long readings wait for the clock to be set; nil believes it as it is.
    package var patience: Duration? = .seconds(90)
    /// The time of day that it is at least: a clock that nobody keeps right and that says less is not set.
    package var notBefore: Timestamp?
    /// Past so many readings they don't wait any longer.
    package var mostHeld = 5_000

    package init() {}
}

/// How far the time of day is believed.
package enum ClockStanding: Sendable {
    /// Readings wait for it.
    case awaited
    /// It was not set in time: readings say that theirs is an estimate.
    case estimated
    /// Believed, for good.
    case set
}
