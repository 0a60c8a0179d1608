/// How much happened a minute, on average over the last 1, 5 and 15 minutes: exponentially damped, as mosquitto's
/// and the kernel's load averages.
struct LoadAverages {
    /// What is averaged, in the order of the values given to `update`.
    static let names = [
        "messages/received", "messages/sent", "publish/received", "publish/sent", "publish/dropped",
        "bytes/received", "bytes/sent", "sockets", "connections",
    ]
    /// The periods, in minutes.
    static let periods = [1, 5, 15]

    private var totals = Array(repeating: 0, count: names.count)
    /// By name, then period.
    private(set) var averages = Array(repeating: 0.0, count: names.count * periods.count)

    /// Takes the totals of everything that has happened so far; `elapsed` since the last time.
    mutating func update(_ newTotals: [Int], elapsed: Duration) {
        let (seconds, attoseconds) = elapsed.components
        let minutes = (Double(seconds) + Double(attoseconds) * 1e-18) / 60
        guard minutes > 0 else { return }
        let factors = Self.periods.map { Self.decay(minutes / Double($0)) }
        for (name, total) in newTotals.enumerated() {
            let rate = Double(total - totals[name]) / minutes
            totals[name] = total
            for (period, factor) in factors.enumerated() {
                let place = name * Self.periods.count + period
                averages[place] = rate + factor * (averages[place] - rate)
            }
        }
    }

    /// e to the power of `-x`, for `x` from 0 on.
    static func decay(_ x: Double) -> Double {
        guard x < 700 else { return 0 }
        // Four terms are exact for a small exponent; it is squared back to the whole one.
        let small = x / 1_024
        var power = 1 - small + small * small / 2 - small * small * small / 6 + small * small * small * small / 24
        for _ in 0..<10 { power *= power }
        return power
    }

    /// With two decimals, as mosquitto writes it.
    static func text(_ value: Double) -> String {
        let hundredths = (value * 100).rounded()
        guard hundredths < 9e18 else { return String(value) }
        let number = Int(hundredths)
        let rest = number % 100
        return "\(number / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}
