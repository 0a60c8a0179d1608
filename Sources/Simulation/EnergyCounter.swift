/// Counts what a power amounts to over time.
struct EnergyCounter: Sendable {
    private(set) var kilowattHours: Double
    private var countedTo: Double = 0

    init(startingAt kilowattHours: Double) {
        self.kilowattHours = kilowattHours
    }

    /// Adds what was drawn since the last call, in steps in which the power hardly changes.
    mutating func advance(to seconds: Double, _ watts: (Double) -> Double) {
        let step = max(1, (seconds - countedTo) / 1000)
        while countedTo < seconds {
            let length = min(step, seconds - countedTo)
            kilowattHours += max(0, watts(countedTo)) * length / 3_600_000
            countedTo += length
        }
    }
}
