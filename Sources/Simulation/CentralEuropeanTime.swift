/// A time as a Dutch meter writes it: `YYMMDDhhmmss` and `S` in summer, `W` in winter.
struct CentralEuropeanTime: Equatable, Sendable {
    let text: String

    /// From whole seconds since 1970, UTC.
    init(secondsSince1970 seconds: Int64) {
        let isSummer = Self.isSummer(seconds)
        let local = seconds + (isSummer ? 7200 : 3600)
        let date = CalendarDay(number: local / 86400)
        let second = local % 86400
        let fields = [
            date.year % 100, date.month, date.day, second / 3600, second / 60 % 60, second % 60,
        ]
        text = fields.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined() + (isSummer ? "S" : "W")
    }

    /// From 01:00 UTC on the last Sunday of March to 01:00 UTC on that of October. [Directive 2000/84/EC]
    private static func isSummer(_ seconds: Int64) -> Bool {
        let year = CalendarDay(number: seconds / 86400).year
        let start = lastSunday(year, 3) * 86400 + 3600
        let end = lastSunday(year, 10) * 86400 + 3600
        return seconds >= start && seconds < end
    }

    /// The day, counted from 1970, of the last Sunday of a month that has 31 days.
    private static func lastSunday(_ year: Int64, _ month: Int64) -> Int64 {
        let last = CalendarDay(year: year, month: month, day: 31).number
        // 1970-01-01 was a Thursday.
        return last - (last + 4) % 7
    }
}
