import LinuxIO

/// Times as people and programs both read them: 2026-03-01T07:30:00.123+01:00.
enum ISOTime {
    static func text(_ time: CalendarTime) -> String {
        let day = "\(padded(time.year, 4))-\(padded(time.month))-\(padded(time.day))"
        let clock = "\(padded(time.hour)):\(padded(time.minute)):\(padded(time.second)).\(padded(time.millisecond, 3))"
        return "\(day)T\(clock)\(offset(time.offsetFromUTC))"
    }

    private static func offset(_ offset: Duration) -> String {
        let minutes = offset.components.seconds / 60
        guard minutes != 0 else { return "Z" }
        let magnitude = Int(minutes.magnitude)
        return "\(minutes < 0 ? "-" : "+")\(padded(magnitude / 60)):\(padded(magnitude % 60))"
    }

    private static func padded(_ number: Int, _ width: Int = 2) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
