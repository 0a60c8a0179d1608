/// What a sensor said, once: which point of which device, the value, and when it was measured.
///
/// The sequence number is given by Mapping when a reading is published, not here: numbers of readings that a
/// report rule holds back would look like losses to the receiver.
package struct Reading: Equatable, Sendable {
    /// The device's key in the configuration (`main-meter`).
    package var device: String
    /// The point's name in the profile (`power`).
    package var point: String
    package var value: Value
    /// The unit's symbol (`W`, `kWh`, `°C`); nil for a plain number or a state.
    package var unit: String?
    /// When it was measured: the meter's own time where it has one, else the first byte of the answer.
    package var measuredAt: Moment
    package var quality: Quality

    package init(
        device: String, point: String, value: Value, unit: String?, measuredAt: Moment, quality: Quality = .good
    ) {
        self.device = device
        self.point = point
        self.value = value
        self.unit = unit
        self.measuredAt = measuredAt
        self.quality = quality
    }
}

/// How far a reading can be trusted; the raw value is the word in the payload's `q`.
package enum Quality: String, CaseIterable, Sendable {
    case good
    /// Older than it should be: the device has not answered since.
    case stale
    case estimated
    case bad
    case replayed
}
