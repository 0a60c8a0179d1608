import Glibc
package import Readings

/// The time of day, which people and administrators may change while the gateway runs.
package enum WallClock {
    package static var now: Timestamp {
        var time = timespec()
        // It fails only for a clock that does not exist.
        _ = clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    package static var secondsSince1970: Int64 { now.milliseconds / 1000 }
    package static var millisecondsSince1970: Int64 { now.milliseconds }

    /// The day as logs write it: 2026-11-23.
    package static func date(secondsSince1970 seconds: Int64) -> String {
        let (limited, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        guard !overflow else { return "never" }
        let time = local(Timestamp(milliseconds: limited))
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(time.year)-\(two(time.month))-\(two(time.day))"
    }

    /// A time as the clock on this machine's wall shows it.
    package static func local(_ timestamp: Timestamp) -> CalendarTime {
        let (seconds, milliseconds) = timestamp.milliseconds.quotientAndRemainder(dividingBy: 1000)
        var time = time_t(seconds)
        var parts = tm()
        localtime_r(&time, &parts)
        return CalendarTime(
            year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
            hour: Int(parts.tm_hour), minute: Int(parts.tm_min), second: Int(parts.tm_sec),
            millisecond: Int(milliseconds), isSummerTime: parts.tm_isdst > 0,
            offsetFromUTC: .seconds(parts.tm_gmtoff))
    }
}

/// A date and a time of day in some time zone.
package struct CalendarTime: Equatable, Sendable {
    package var year: Int
    package var month: Int
    package var day: Int
    package var hour: Int
    package var minute: Int
    package var second: Int
    package var millisecond: Int
    package var isSummerTime: Bool
    package var offsetFromUTC: Duration
}
