import Bytes
import Readings

/// A reading with everything one needs to trust it: value, unit, time of measurement, quality, sequence number.
///
/// `u` is left out where there is no unit.
enum JSONFormat {
    static func payload(of reading: Reading, number: UInt64) -> [UInt8] {
        var object = JSONObject()
        switch reading.value {
        case .text(let text): object.add("v", text)
        // A finite Double's description is a JSON number: digits, perhaps a point, perhaps an exponent.
        case .number, .integer, .boolean: object.add("v", literal: reading.value.description)
        }
        if let unit = reading.unit { object.add("u", unit) }
        if case .at(let time) = reading.measuredAt { object.add("t", time.milliseconds) }
        object.add("q", reading.quality.rawValue)
        object.add("n", number)
        return object.bytes
    }
}
