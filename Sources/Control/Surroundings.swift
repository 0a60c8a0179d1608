/// What an output must know of the world outside it.
struct Surroundings: Sendable {
    /// Another output that must not be on together with this one.
    struct Partner: Sendable {
        var name: Actuators.Name
        /// Surely off, and nothing else is being written to it.
        var isOff: Bool
        /// Being switched off at this moment.
        var isGoingOff: Bool
        /// Seen on.
        var isOn: Bool
    }

    var partners: [Partner] = []
    /// Whether a server from which commands come is connected.
    var isLinkUp = false
    /// When there was last a sign of who controls all outputs.
    var lastSign: ContinuousClock.Instant
}
