import ArgumentParser
import LinuxIO

/// The program: finds the command that was asked for, runs it, and says with the exit status how it went.
///
/// Written out instead of the parser's own `main`: a wrong command line ends with status 2, like a wrong configuration.
@main
enum Martlet {
    static func main() {
        SignalFD.ignoreBrokenPipes()
        do {
            var command = try MartletCommand.parseAsRoot()
            try command.run()
        } catch {
            finish(error)
        }
    }

    private static func finish(_ error: any Error) -> Never {
        if let failure = error as? CommandFailure {
            if !failure.message.isEmpty { StandardError.write("martlet: \(failure.message)\n") }
            MartletCommand.exit(withError: ExitCode(failure.status.rawValue))
        }
        let code = MartletCommand.exitCode(for: error)
        let message = MartletCommand.fullMessage(for: error)
        guard code != .success else {
            StandardOutput.write(message + "\n")
            MartletCommand.exit(withError: ExitCode.success)
        }
        if !message.isEmpty { StandardError.write(message + "\n") }
        let status: CommandFailure.Status = code == .validationFailure ? .usage : .failed
        MartletCommand.exit(withError: ExitCode(status.rawValue))
    }
}

/// The command line's root.
struct MartletCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet",
        abstract: "An IoT edge gateway: meters and sensors in, MQTT out, and commands back.",
        discussion: """
            Martlet reads devices on serial lines and Modbus TCP, serves what they say from its own MQTT broker, \
            forwards it to a server if you like, and carries commands back.

            First steps:
              martlet ports              what is plugged in, and how to name it
              martlet scan PORT          what hangs on a port, and the configuration for it
              martlet profile list       the devices that Martlet knows
              martlet check FILE         what is wrong with a configuration
              martlet run FILE           run it
              martlet reload FILE        have it read its configuration again while it runs
              martlet sub -v -t '#'      look at what is published
            """,
        version: "martlet \(Version.current)",
        subcommands: [
            Run.self, Check.self, Reload.self, Buffer.self, Passwd.self, Ports.self, ProfileCommand.self, Sub.self,
            Pub.self, Scan.self, Sniff.self, ModbusCommand.self, GPIOCommand.self, Record.self, Replay.self,
        ],
        helpNames: .shortAndLong)
}
