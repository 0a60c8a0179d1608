import LinuxIO
import Logging
import Readings

/// One message to the person who looks after the gateway.
struct LogLine: Equatable {
    /// What makes two lines the same.
    struct Key: Hashable {
        var level: Logger.Level
        var subsystem: String
        var text: String
    }

    var level: Logger.Level
    var subsystem: String
    /// Of one line: what it quotes may have more.
    var text: String

    init(level: Logger.Level, subsystem: String, text: String) {
        self.level = level
        self.subsystem = subsystem
        // A client id or a device's answer with control characters must not forge lines or colours.
        self.text = String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) ? " " : $0 }))
    }

    var key: Key { Key(level: level, subsystem: subsystem, text: text) }

    /// As it is written: `warning modbus: unit 4 on meterbus does not answer`.
    func text(_ style: LogStyle, at time: Timestamp) -> String {
        switch style {
        case .journal: "<\(Self.priority(level))>\(level.rawValue) \(subsystem): \(text)"
        case .plain: "\(ISOTime.text(WallClock.local(time))) \(level.rawValue) \(subsystem): \(text)"
        case .terminal:
            "\(ISOTime.text(WallClock.local(time))) \(Self.colour(level))\(level.rawValue)\u{1B}[0m \(subsystem): \(text)"
        }
    }

    /// As the journal takes it, with fields that can be asked for: `journalctl MARTLET_SUBSYSTEM=bridge`.
    var fields: [(name: String, value: String)] {
        [
            ("MESSAGE", "\(level.rawValue) \(subsystem): \(text)"), ("PRIORITY", String(Self.priority(level))),
            ("SYSLOG_IDENTIFIER", "martlet"), ("MARTLET_SUBSYSTEM", subsystem), ("MARTLET_LEVEL", level.rawValue),
        ]
    }

    /// syslog's numbers, which the journal takes off the front. [sd-daemon(3)]
    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    private static func colour(_ level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "\u{1B}[2m"
        case .info, .notice: "\u{1B}[32m"
        case .warning: "\u{1B}[33m"
        case .error, .critical: "\u{1B}[31m"
        }
    }
}
