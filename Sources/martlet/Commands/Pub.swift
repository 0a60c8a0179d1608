import ArgumentParser
import Client
import LinuxIO
import MQTTCodec

/// `martlet pub`: publishes to a topic.
struct Pub: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Publish to a topic of a broker.",
        discussion: """
            Options are those of mosquitto_pub.

            Exit status: 0 when all is published, and acknowledged with -q 1 or 2; 1 when not.

              martlet pub -t demo/relays/relay_1/set -m ON
              some-program | martlet pub -t lines -l
            """,
        helpNames: .long)

    @OptionGroup var broker: BrokerOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("The topic.", valueName: "TOPIC"))
    var topic: String

    @OptionGroup var content: PublishedContent

    @Flag(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Let the broker keep the message for who subscribes later.",
            discussion: "A retained command is refused: it would be carried out again after each restart."))
    var retain = false

    func validate() throws {
        guard Topic.isValidName(Array(topic.utf8).span, 0..<topic.utf8.count) else {
            throw ValidationError(
                "'\(topic)' is no topic to publish to: it must not be empty, nor have '+' or '#' in it.")
        }
    }

    func run() throws {
        var input = try content.open()
        var connection = try BrokerConnection(broker)
        var open: Set<RequestHandle> = []
        var isConnected = false
        while true {
            // One portion at a time: a long input is not held in memory, and not sent faster than it is taken.
            if isConnected, open.count < 50 {
                guard let payload = try input.next() else {
                    if open.isEmpty { return connection.disconnect() }
                    try wait(&connection, &open, &isConnected)
                    continue
                }
                let message = Publish(topic: Array(topic.utf8), payload: payload, qos: broker.qos, retain: retain)
                let handle = try publish(message, &connection)
                if broker.qos > .atMostOnce { open.insert(handle) }
                continue
            }
            try wait(&connection, &open, &isConnected)
        }
    }

    private func publish(
        _ message: Publish, _ connection: inout BrokerConnection
    ) throws(CommandFailure) -> RequestHandle {
        do {
            return try connection.client.publish(message, now: .now)
        } catch {
            throw CommandFailure("\(broker.place) can't take the message: \(error)")
        }
    }

    private func wait(
        _ connection: inout BrokerConnection, _ open: inout Set<RequestHandle>, _ isConnected: inout Bool
    ) throws(CommandFailure) {
        switch try connection.turn(until: nil) {
        case .interrupted: throw CommandFailure("interrupted")
        case .timedOut: break
        case .events(let events):
            for event in events {
                switch event {
                case .connected: isConnected = true
                case .acknowledged(let handle, let code):
                    open.remove(handle)
                    if code.isError { throw CommandFailure("the broker refused the message: \(code)") }
                case .closed(let reason): throw CommandFailure("\(broker.place): \(reason)")
                case .message, .heldBack, .subscribed, .unsubscribed: break
                }
            }
        }
    }
}
