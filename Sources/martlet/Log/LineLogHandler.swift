import Logging

/// What swift-log hands lines to; a logger's label is the subsystem.
struct LineLogHandler: LogHandler {
    private let subsystem: String
    private let writer: LogWriter
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    init(_ subsystem: String, level: Logger.Level, writer: LogWriter) {
        self.subsystem = subsystem
        self.writer = writer
        logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let details = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        writer.write(LogLine(level: event.level, subsystem: subsystem, text: "\(event.message)\(details)"))
    }
}
