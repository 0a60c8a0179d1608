import ArgumentParser
import Client
import LinuxIO
import MQTTCodec

/// `martlet sub`: shows what is published.
struct Sub: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what is published at a broker.",
        discussion: """
            Options are those of mosquitto_sub. Without -t it shows everything but the broker's own '$SYS' topics.

            Exit status: 0 when it was ended or has the messages it wanted, 1 when the connection failed, 27 when the \
            time of -W was over.

              martlet sub -v -t 'home/+/power'
              martlet sub -C 1 -t 'home/main-meter/$online'
            """,
        helpNames: .long)

    @OptionGroup var broker: BrokerOptions

    @Option(
        name: [.customShort("t"), .customLong("topic")],
        help: ArgumentHelp(
            "A topic filter; may be given several times.",
            discussion: "'+' stands for one level, '#' at the end for all that follow.", valueName: "FILTER"))
    var topics: [String] = []

    @Flag(name: .shortAndLong, help: "Show the topic before each message.")
    var verbose = false

    @Option(
        name: [.customShort("C"), .long], help: ArgumentHelp("End after this many messages.", valueName: "COUNT"))
    var count: Int?

    @Option(name: [.customShort("W"), .long], help: ArgumentHelp("End after this many seconds.", valueName: "SECONDS"))
    var timeout: Int?

    @Flag(name: [.customShort("R"), .long], help: "Leave out what was published before.")
    var noRetained = false

    @Flag(name: [.customShort("N"), .customLong("no-eol")], help: "Put no line end after each message.")
    var omitsLineEnd = false

    func validate() throws {
        if let count, count < 1 { throw ValidationError("-C wants a number from 1 on.") }
        if let timeout, timeout < 1 { throw ValidationError("-W wants a number of seconds from 1 on.") }
        for filter in filters where !Topic.isValidFilter(Array(filter.utf8).span, 0..<filter.utf8.count) {
            throw ValidationError(
                "'\(filter)' is no topic filter: '+' must be a level of its own, '#' the last level of its own.")
        }
    }

    private var filters: [String] { topics.isEmpty ? ["#"] : topics }

    func run() throws {
        let deadline = timeout.map { ContinuousClock.now + .seconds($0) }
        var connection = try BrokerConnection(broker)
        _ = connection.client.subscribe(
            filters.map { Subscribe.Request(filter: Array($0.utf8), qos: broker.qos) })
        var left = count
        while true {
            switch try connection.turn(until: deadline) {
            case .interrupted:
                return connection.disconnect()
            case .timedOut:
                connection.disconnect()
                throw CommandFailure.silent(.timedOut)
            case .events(let events):
                for event in events where try handle(event) {
                    left = left.map { $0 - 1 }
                    if left == 0 { return connection.disconnect() }
                }
            }
        }
    }

    /// Returns whether a message was shown.
    private func handle(_ event: ClientEvent) throws(CommandFailure) -> Bool {
        switch event {
        case .message(let message, _):
            guard !(noRetained && message.retain) else { return false }
            guard show(message) else { throw CommandFailure.silent(.failed) }
            return true
        case .subscribed(_, let codes):
            if let refused = codes.firstIndex(where: \.isError) {
                throw CommandFailure("the broker refused '\(filters[refused])': \(codes[refused])")
            }
            return false
        case .closed(let reason): throw CommandFailure("\(broker.place): \(reason)")
        case .connected, .acknowledged, .heldBack, .unsubscribed: return false
        }
    }

    /// Returns false when nobody reads any more.
    private func show(_ message: Publish) -> Bool {
        var bytes: [UInt8] = verbose ? message.topic + [UInt8(ascii: " ")] : []
        bytes += message.payload
        if StandardOutput.isTerminal { bytes = Self.harmless(bytes) }
        return StandardOutput.write(bytes + (omitsLineEnd ? [] : [UInt8(ascii: "\n")]))
    }

    /// A payload may hold anything; a terminal would obey what is in it.
    private static func harmless(_ bytes: [UInt8]) -> [UInt8] {
        bytes.map { ($0 < 0x20 && $0 != UInt8(ascii: "\t") && $0 != UInt8(ascii: "\n")) || $0 == 0x7F ? 0x3F : $0 }
    }
}
