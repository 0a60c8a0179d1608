/// A time as a Dutch meter writes it: `YYMMDDhhmmss` and `S` in summer, `W` in winter.
struct CentralEuropeanTime: Equatable, Sendable {
    let text: String

    /// From whole seconds since 1970, UTC.
    init(secondsSince1970 seconds: Int64) {
        let isSummer = Self.isSummer(seconds)
        let local = seconds + (isSummer ? 7200 : 3600)
        let date = Date(day: local / 86400)
        let second = local % 86400
        let fields = [
            date.year % 100, date.month, date.day, second / 3600, second / 60 % 60, second % 60,
        ]
        text = fields.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined() + (isSummer ? "S" : "W")
    }

    /// From 01:00 UTC on the last Sunday of March to 01:00 UTC on that of October. [Directive 2000/84/EC]
    private static func isSummer(_ seconds: Int64) -> Bool {
        let year = Date(day: seconds / 86400).year
        let start = lastSunday(year, 3) * 86400 + 3600
        let end = lastSunday(year, 10) * 86400 + 3600
        return seconds >= start && seconds < end
    }

    /// The day, counted from 1970, of the last Sunday of a month that has 31 days.
    private static func lastSunday(_ year: Int64, _ month: Int64) -> Int64 {
        let last = Date(year: year, month: month, day: 31).dayNumber
        // 1970-01-01 was a Thursday.
        return last - (last + 4) % 7
    }
}

/// A day of the Gregorian calendar.
private struct Date {
    var year: Int64
    var month: Int64
    var day: Int64

    init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// From the days since 1970-01-01, counted in years that begin with March, so that the leap day is the last.
    init(day number: Int64) {
        let shifted = number + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    var dayNumber: Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear / 400
        let yearOfEra = shiftedYear % 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
