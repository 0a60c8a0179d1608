/// When something last moved on a connection.
struct Activity: Equatable, Sendable {
    var lastSent: ContinuousClock.Instant
    var lastReceived: ContinuousClock.Instant
    /// When a message was last acknowledged, or the first one sent after a pause.
    var lastProgress: ContinuousClock.Instant
    /// Since when an answer to PINGREQ is owed.
    var pingSent: ContinuousClock.Instant?

    init(now: ContinuousClock.Instant) {
        lastSent = now
        lastReceived = now
        lastProgress = now
    }
}
