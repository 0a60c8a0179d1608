import ArgumentParser
import LinuxIO

/// `martlet buffer`: what waits for the servers upstream.
struct Buffer: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "See, send or drop what waits for the servers upstream.",
        discussion: """
            Asks the running gateway over its Unix socket.

              martlet buffer status
              martlet buffer drain --upstream central
              martlet buffer drop --upstream central --yes

            Exit status: 0 when it was done, 1 when the gateway can't be asked, 2 when there is no such upstream.
            """,
        subcommands: [BufferStatusCommand.self, BufferDrain.self, BufferDrop.self],
        defaultSubcommand: BufferStatusCommand.self)
}

/// What the commands have in common.
struct BufferTarget: ParsableArguments {
    @OptionGroup var request: GatewayRequest

    @Option(help: ArgumentHelp("Only this upstream.", discussion: "Default: all of them.", valueName: "NAME"))
    var upstream: String?

    func run(_ word: String) throws {
        let answer = try request.ask(
            BufferRequests.topic, upstream.map { "\(word) \($0)" } ?? word,
            otherwise: "Give the gateway a Unix socket (broker: listen: [ { unix: … } ]), or name it with --unix")
        guard answer.isDone else { throw CommandFailure(answer.text, status: .usage) }
        StandardOutput.write(answer.text + "\n")
    }
}

/// `martlet buffer status`: how much waits.
struct BufferStatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "How much waits, since when, and what was dropped.")

    @OptionGroup var target: BufferTarget

    @Flag(help: "A JSON object a line.")
    var json = false

    func run() throws { try target.run(json ? "json" : "status") }
}

/// `martlet buffer drain`: sends it now.
struct BufferDrain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Send what waits as fast as the server takes it, whatever rate is set.")

    @OptionGroup var target: BufferTarget

    func run() throws { try target.run("drain") }
}

/// `martlet buffer drop`: drops it.
struct BufferDrop: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop", abstract: "Drop what waits, for good; what is on its way is not touched.")

    @OptionGroup var target: BufferTarget

    @Flag(help: "Drop it without being asked.")
    var yes = false

    func run() throws {
        guard yes else {
            try target.run("status")
            throw CommandFailure("nothing was dropped; to drop all of this for good add --yes", status: .usage)
        }
        try target.run("drop")
    }
}
