/// What a house draws from the mains over time: plausible, always moving, and the same for the same seed.
struct Household: Sendable {
    private let phase: Double

    init(seed: UInt64) {
        phase = Double(seed % 1000) / 1000 * 2 * .pi
    }

    /// Watts drawn; negative while the roof gives more than the house takes.
    func power(at seconds: Double) -> Double {
        let base = 240 + 35 * wave(seconds, period: 71) + 12 * wave(seconds, period: 9)
        let fridge = isOn(seconds, period: 600, share: 0.35) ? 92.0 : 0
        let kettle = isOn(seconds + 200, period: 1500, share: 0.08) ? 1950.0 : 0
        return base + fridge + kettle
    }

    func voltage(at seconds: Double) -> Double {
        230.4 + 1.6 * wave(seconds, period: 181) + 0.5 * wave(seconds, period: 13) - power(at: seconds) * 0.0006
    }

    func frequency(at seconds: Double) -> Double {
        50 + 0.02 * wave(seconds, period: 47)
    }

    func powerFactor(at seconds: Double) -> Double {
        0.96 + 0.02 * wave(seconds, period: 61)
    }

    private func isOn(_ seconds: Double, period: Double, share: Double) -> Bool {
        (seconds + phase * 100).truncatingRemainder(dividingBy: period) < period * share
    }

    /// Between -1 and 1, smooth: a parabola per half turn, for a sine would want the C library.
    private func wave(_ seconds: Double, period: Double) -> Double {
        let turn = (seconds / period + phase).truncatingRemainder(dividingBy: 1)
        let half = turn < 0.5 ? turn * 2 : turn * 2 - 1
        return (turn < 0.5 ? 4 : -4) * half * (1 - half)
    }
}
