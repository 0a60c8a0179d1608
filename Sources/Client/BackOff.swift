/// How long to wait before the next attempt to connect: decorrelated jitter, so that a thousand gateways do not return
/// at the same second after their server did.
///
/// The wait shrinks again only after a connection that lasted: a server that accepts and then kicks is not hammered.
package struct BackOff: Equatable, Sendable {
    private let shortest: Duration
    private let longest: Duration
    private let stableAfter: Duration
    private var previous: Duration
    private var generator: SplitMix

    package init(
        seed: UInt64, shortest: Duration = .milliseconds(500), longest: Duration = .seconds(60),
        stableAfter: Duration = .seconds(30)
    ) {
        self.shortest = shortest
        self.longest = longest
        self.stableAfter = stableAfter
        previous = shortest
        generator = SplitMix(seed)
    }

    /// The wait after an attempt that failed, or a connection that ended after `connectedFor`.
    package mutating func delay(connectedFor: Duration?) -> Duration {
        if let connectedFor, connectedFor >= stableAfter { previous = shortest }
        let upper = min(longest, previous * 3)
        previous = shortest + (upper - shortest) * generator.fraction()
        return previous
    }
}

/// Steele, Lea and Flood's SplitMix64: small, and good enough to spread waits.
struct SplitMix: Equatable, Sendable {
    private var state: UInt64

    init(_ seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// From 0 up to, but not including, 1.
    mutating func fraction() -> Double {
        Double(next() >> 11) / 9_007_199_254_740_992
    }
}
