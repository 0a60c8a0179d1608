import Logging
import Settings

/// The gateway's log: a logger for each subsystem, at the level that the configuration gives it.
struct Log: Sendable {
    let writer: LogWriter
    private let settings: LogSettings

    init(_ settings: LogSettings, writer: LogWriter) {
        self.settings = settings
        self.writer = writer
    }

    subscript(subsystem: String) -> Logger {
        let level = (settings.per[subsystem] ?? settings.level).loggerLevel
        return Logger(label: subsystem) { LineLogHandler($0, level: level, writer: writer) }
    }
}

extension LogSettings.Level {
    fileprivate var loggerLevel: Logger.Level {
        switch self {
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
    }
}
