import ArgumentParser
import LinuxIO

/// `martlet run`: the gateway.
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the gateway.",
        discussion: """
            Ctrl-C ends it: devices are told offline, clients and the server are told goodbye.

            Exit status: 0 when it was ended, 1 when something failed, 2 when the configuration is wrong.

              martlet run home.yaml
            """)

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        // Before any other thread starts: a thread that does not hold a signal back may be ended by it.
        let signals: SignalFD
        do {
            signals = try SignalFD([.hangUp, .interrupt, .terminate])
        } catch {
            throw CommandFailure("\(error)")
        }
        let loaded = try LoadedConfiguration(options.files)
        for text in loaded.texts { StandardError.write(text + "\n\n") }
        guard let settings = loaded.settings else {
            throw CommandFailure("\(loaded.verdict); nothing was started", status: .usage)
        }
        try Service(settings, options, signals: signals).run()
    }
}
