import LinuxIO
import Logging
import Settings

/// The gateway as a process: it runs until a signal ends it.
struct Service: ~Copyable {
    /// How often the log tells what it has counted instead of written.
    private static let summaryInterval: Duration = .seconds(15)

    private let settings: GatewaySettings
    private let options: ConfigurationOptions
    private let signals: SignalFD

    init(_ settings: GatewaySettings, _ options: ConfigurationOptions, signals: consuming SignalFD) {
        self.settings = settings
        self.options = options
        self.signals = signals
    }

    /// Returns when the gateway has ended cleanly.
    func run() throws {
        let environment = ProcessEnvironment()
        let writer = LogWriter(.suiting(environment), journal: SystemJournal(stream: environment["JOURNAL_STREAM"]))
        let log = Log(settings.log, writer: writer)
        let files = options.files
        let assembly = try Assembly(settings, log: log) { () throws(CommandFailure) in try LoadedConfiguration(files) }
        try assembly.start()
        try waitForTheEnd(log, assembly.reloader)
        assembly.stop()
        log["gateway"].info("ended")
        writer.finish()
    }

    private func waitForTheEnd(_ log: Log, _ reloader: Reloader) throws {
        while true {
            switch try signals.wait(until: .now + Self.summaryInterval) {
            case nil: log.writer.writeSummaries()
            case .hangUp: _ = reloader.reload()
            case .interrupt, .terminate:
                log["gateway"].info("ending")
                return
            }
        }
    }
}
