/// When something happened, as far as that is known where it was noticed.
package enum Moment: Hashable, Sendable {
    /// The time of day: as a device told it, or worked out already.
    case at(Timestamp)
    /// By the clock that nobody sets; the time of day is worked out from it when that is known.
    case noticed(ContinuousClock.Instant)
}
