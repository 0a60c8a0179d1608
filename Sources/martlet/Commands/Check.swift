import ArgumentParser
import LinuxIO

/// `martlet check`: says what is wrong with a configuration, all of it at once.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what is wrong with a configuration, all of it at once.",
        discussion: """
            Reads the configuration and the profiles it uses, and touches no device. Each problem is shown with file, \
            line and column, the line itself and what is allowed there: the same text that `martlet run` shows. For \
            each Modbus line it says what share of its time the polls take.

            Exit status: 0 when it can be run, 2 when not.

              martlet check home.yaml
            """)

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let loaded = try LoadedConfiguration(options.files)
        for text in loaded.texts { StandardOutput.write(text + "\n\n") }
        StandardOutput.write(loaded.verdict + "\n")
        for line in loaded.loads { StandardOutput.write(line + "\n") }
        if loaded.settings == nil { throw CommandFailure.silent(.usage) }
    }
}
