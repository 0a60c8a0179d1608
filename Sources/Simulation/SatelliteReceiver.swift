/// A satellite receiver that has a fix: where it is, twice in each second, by NMEA 0183.
struct SatelliteReceiver: Sendable {
    private let phase: Double

    init(seed: UInt64) {
        phase = Double(seed % 1_000)
    }

    /// The sentences of a second: `seconds` counts from when it was switched on, `clock` from 1970.
    func sentences(at seconds: Double, clock: Int64) -> [UInt8] {
        let wander = ((seconds + phase) / 240).truncatingRemainder(dividingBy: 1)
        let (latitude, longitude) = (52.0907 + wander * 0.0001, 5.1214 - wander * 0.0001)
        let place = "\(Self.angle(latitude, 2)),N,\(Self.angle(longitude, 3)),E"
        let second = clock % 86_400
        let time = [second / 3600, second / 60 % 60, second % 60].map { Self.padded($0, 2) }.joined() + ".00"
        let day = CalendarDay(number: clock / 86_400)
        let date = [day.day, day.month, day.year % 100].map { Self.padded($0, 2) }.joined()
        return Self.sentence("GPGGA,\(time),\(place),1,08,0.9,12.3,M,46.9,M,,")
            + Self.sentence("GPRMC,\(time),A,\(place),0.2,0.0,\(date),,,A")
    }

    private static func sentence(_ text: String) -> [UInt8] {
        let sum = text.utf8.reduce(UInt8(0)) { $0 ^ $1 }
        let digits = String(sum, radix: 16, uppercase: true)
        return Array("$\(text)*\(digits.count < 2 ? "0" : "")\(digits)\r\n".utf8)
    }

    /// `ddmm.mmmm`.
    private static func angle(_ degrees: Double, _ width: Int) -> String {
        let tenThousandths = Int64((degrees * 600_000).rounded())
        let (whole, minutes) = (tenThousandths / 600_000, tenThousandths % 600_000)
        return padded(whole, width) + padded(minutes / 10_000, 2) + "." + padded(minutes % 10_000, 4)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
