package import Readings

/// A time that a meter sends with its values.
package enum MeterTime: Equatable, Sendable {
    case notSent
    case at(Timestamp)
    /// Sent, but no time: a clock never set (`700101010000W`), a sub-meter never heard (`632525252525W`).
    case invalid

    /// The time, where there is one.
    package var timestamp: Timestamp? {
        if case .at(let timestamp) = self { timestamp } else { nil }
    }
}

extension MeterTime {
    /// Whether `text` is twelve digits, perhaps with `S` or `W` behind.
    static func looksLikeTime(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count == 12 || text.count == 13 else { return false }
        return text.prefix(12).allSatisfy { Digits.value($0) != nil } && (text.count == 12 || season(text.last) != nil)
    }

    /// Reads `YYMMDDhhmmss` and `S` (summer, UTC+2) or `W` (winter, UTC+1).
    ///
    /// Versions 2.2 and 3 send no letter; then it is the season by the European rule, and where that leaves two answers
    /// or none (the hour in which clocks change) the time is invalid.
    init(_ text: ArraySlice<UInt8>) {
        guard Self.looksLikeTime(text), let local = LocalTime(text.prefix(12)) else {
            self = .invalid
            return
        }
        let season = text.count == 13 ? Self.season(text.last) : local.seasonByRule
        self = season.map { .at(local.timestamp($0)) } ?? .invalid
    }

    private static func season(_ letter: UInt8?) -> LocalTime.Season? {
        switch letter {
        case UInt8(ascii: "S"): .summer
        case UInt8(ascii: "W"): .winter
        default: nil
        }
    }
}

/// A date and time of day in central Europe.
struct LocalTime {
    enum Season {
        case summer
        case winter
    }

    private let daysSince1970: Int64
    private let secondOfDay: Int64
    private let year: Int64

    /// Twelve digits; nil unless it is a day of 2000 to 2069 and a time of day.
    ///
    /// Years 70 to 99 are the seventies of clocks that were never set.
    init?(_ digits: ArraySlice<UInt8>) {
        var pairs: [Int64] = []
        for start in stride(from: digits.startIndex, to: digits.endIndex, by: 2) {
            guard let pair = Digits.integer(digits[start..<start + 2]) else { return nil }
            pairs.append(pair)
        }
        guard pairs.count == 6, pairs[0] < 70, (1...12).contains(pairs[1]), pairs[2] >= 1 else { return nil }
        year = 2000 + pairs[0]
        guard pairs[2] <= Self.days(in: pairs[1], of: year) else { return nil }
        guard pairs[3] < 24, pairs[4] < 60, pairs[5] < 60 else { return nil }
        daysSince1970 = Self.daysSince1970(year, pairs[1], pairs[2])
        secondOfDay = pairs[3] * 3600 + pairs[4] * 60 + pairs[5]
    }

    func timestamp(_ season: Season) -> Timestamp {
        let offset: Int64 = season == .summer ? 7200 : 3600
        return Timestamp(milliseconds: (daysSince1970 * 86_400 + secondOfDay - offset) * 1000)
    }

    /// Summer is from 02:00 winter time on the last Sunday of March to 03:00 summer time on the last Sunday of October.
    var seasonByRule: Season? {
        let local = daysSince1970 * 86_400 + secondOfDay
        let begin = Self.lastSunday(month: 3, of: year) * 86_400 + 2 * 3600
        let end = Self.lastSunday(month: 10, of: year) * 86_400 + 2 * 3600
        if local < begin || local >= end + 3600 { return .winter }
        // 02:00 to 03:00 does not exist in March and exists twice in October.
        return local >= begin + 3600 && local < end ? .summer : nil
    }

    private static func lastSunday(month: Int64, of year: Int64) -> Int64 {
        let last = daysSince1970(year, month, 31)
        return last - (last + 4) % 7  // 1970-01-01 was a Thursday
    }

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 ? 29 : 28  // right from 1901 to 2099
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// For years from 2000 to 2099.
    private static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let januaryFirst = (year - 1970) * 365 + (year - 1969) / 4
        return (1..<month).reduce(januaryFirst + day - 1) { $0 + days(in: $1, of: year) }
    }
}
