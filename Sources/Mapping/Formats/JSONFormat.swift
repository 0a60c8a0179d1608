import Readings

/// A reading with everything one needs to trust it: value, unit, time of measurement, quality, sequence number.
///
/// `u` is left out where there is no unit.
enum JSONFormat {
    static func payload(of reading: Reading, number: UInt64) -> [UInt8] {
        var object = JSONObject()
        object.add("v", reading.value)
        if let unit = reading.unit { object.add("u", unit) }
        object.add("t", reading.measuredAt)
        object.add("q", reading.quality.rawValue)
        object.add("n", number)
        return object.bytes
    }
}
