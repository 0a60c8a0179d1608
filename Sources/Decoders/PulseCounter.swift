package import Bytes

/// Counts pulses, and knows how fast they come from the kernel's times of them.
///
/// A pulse counts when it was long enough: a meter's S0 pulses have 30 ms at least, disturbances much less (DIN EN
/// 62053-31). A dead time after each pulse, which others use, loses pulses at high load instead.
package struct PulseCounter: Equatable, Sendable {
    package struct Settings: Equatable, Sendable {
        /// Pulses for one unit of the total.
        package var perUnit: Double = 1
        /// Shorter ones are disturbances; zero counts every pulse when it begins.
        package var minimumPulse: Duration = .zero
        /// What one unit a second is in the unit of the rate; nil without a rate.
        package var rateFactor: Double?
        /// Without a pulse for so long the rate is zero.
        package var rateTimeout: Duration = .seconds(300)

        package init() {}
    }

    package let settings: Settings
    /// Since the counter was first used, over restarts.
    package private(set) var pulses: Int64
    /// When the last pulse that counts began.
    package private(set) var lastPulseAt: MonotonicTime?
    /// Between the last two.
    private var interval: Duration?
    /// When the pulse began that goes on.
    private var beganAt: MonotonicTime?

    package init(_ settings: Settings, pulses: Int64) {
        self.settings = settings
        self.pulses = pulses
    }

    /// In units: exact to six decimals.
    package var total: Double {
        let total = Double(pulses) / settings.perUnit
        let rounded = (total * 1_000_000).rounded() / 1_000_000
        return abs(total) < 1_000_000_000 ? rounded : total
    }

    /// Takes an edge; true if it completed a pulse.
    package mutating func received(isActive: Bool, at now: MonotonicTime) -> Bool {
        if isActive {
            beganAt = now
            return settings.minimumPulse == .zero && count(now)
        }
        defer { beganAt = nil }
        guard settings.minimumPulse > .zero, let began = beganAt, now - began >= settings.minimumPulse else {
            return false
        }
        return count(began)
    }

    private mutating func count(_ time: MonotonicTime) -> Bool {
        pulses += 1
        interval = lastPulseAt.map { time - $0 }
        lastPulseAt = time
        return true
    }

    /// Edges were lost: no pulse is made up, and the time between two is not known.
    package mutating func resync() {
        beganAt = nil
        interval = nil
    }

    /// How fast pulses come by now; nil before two of them are known.
    ///
    /// When the next pulse is later than the last ones came, the rate is at most what a pulse just now would make it.
    package func rate(at now: MonotonicTime) -> Double? {
        guard let factor = settings.rateFactor else { return nil }
        guard let lastPulseAt else { return nil }
        let elapsed = now - lastPulseAt
        guard elapsed < settings.rateTimeout else { return 0 }
        guard let interval, interval > .zero else { return nil }
        let seconds = max(interval, elapsed) / .seconds(1)
        let rate = factor / (settings.perUnit * seconds)
        // Three digits more than the measurement deserves.
        let scale = pow10(6 - digits(rate))
        return (rate * scale).rounded() / scale
    }

    /// When the rate is another though no pulse came: each time that the wait has grown by half, and at its end.
    package func rateChanges(after now: MonotonicTime) -> MonotonicTime? {
        guard settings.rateFactor != nil, let lastPulseAt else { return nil }
        let end = lastPulseAt + settings.rateTimeout
        guard now < end else { return nil }
        guard let interval, interval > .zero else { return end }
        var wait = interval + interval / 2
        while lastPulseAt + wait <= now { wait += wait / 2 }
        return min(lastPulseAt + wait, end)
    }

    private func digits(_ value: Double) -> Int {
        var (digits, rest) = (0, abs(value))
        while rest >= 1, digits < 12 { (digits, rest) = (digits + 1, rest / 10) }
        while rest > 0, rest < 0.1, digits > -6 { (digits, rest) = (digits - 1, rest * 10) }
        return digits
    }

    private func pow10(_ exponent: Int) -> Double {
        var result = 1.0
        for _ in 0..<max(0, exponent) { result *= 10 }
        return result
    }
}
