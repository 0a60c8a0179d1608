import Readings
import Settings

/// What was told of the points of a device that moves, so that only news is, and all of it again once in a while.
struct ToldValues {
    private static let retold: Duration = .seconds(60)

    private let device: GPIODeviceSettings
    private var told: [String: Value] = [:]
    private var retellAt = ContinuousClock.now

    init(of device: GPIODeviceSettings) {
        self.device = device
    }

    /// All is news again.
    mutating func forget() {
        told = [:]
    }

    /// The readings of what is not as it was told last; of a point without a value there is none.
    mutating func news(_ values: [String: Value], at now: ContinuousClock.Instant) -> [Reading] {
        if now >= retellAt { told = [:] }
        if told.isEmpty { retellAt = now + Self.retold }
        let readings = device.points.compactMap { point -> Reading? in
            guard let value = values[point.name], told[point.name] != value else { return nil }
            return Reading(
                device: device.key, point: point.name, value: value, unit: point.unit, measuredAt: .noticed(now))
        }
        for reading in readings { told[reading.point] = reading.value }
        return readings
    }
}
