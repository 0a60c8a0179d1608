import LinuxIO
import Logging
import Settings

/// The gateway as a process: it runs until a signal ends it.
struct Service: ~Copyable {
    /// How often the log tells what it has counted instead of written.
    private static let summaryInterval: Duration = .seconds(15)

    private let settings: GatewaySettings
    private let signals: SignalFD

    init(_ settings: GatewaySettings, signals: consuming SignalFD) {
        self.settings = settings
        self.signals = signals
    }

    /// Returns when the gateway has ended cleanly.
    func run() throws {
        let writer = LogWriter(.suiting(ProcessEnvironment()))
        let log = Log(settings.log, writer: writer)
        let assembly = try Assembly(settings, log: log)
        assembly.start()
        try waitForTheEnd(log)
        assembly.stop()
        log["gateway"].info("ended")
        writer.finish()
    }

    private func waitForTheEnd(_ log: Log) throws {
        while true {
            switch try signals.wait(until: .now + Self.summaryInterval) {
            case nil: log.writer.writeSummaries()
            case .hangUp:
                log["gateway"].warning(
                    "SIGHUP: the configuration can't be read again while running; restart to apply it")
            case .interrupt, .terminate:
                log["gateway"].info("ending")
                return
            }
        }
    }
}
