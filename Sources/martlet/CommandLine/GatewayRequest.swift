import ArgumentParser
import Client
import LinuxIO
import MQTTCodec
import Settings

/// Asks the running gateway for something, over its Unix socket.
struct GatewayRequest: ParsableArguments {
    private static let patience: Duration = .seconds(30)
    private static let service = "/run/martlet/martlet.sock"

    @OptionGroup var options: ConfigurationOptions

    @Option(
        help: ArgumentHelp(
            "The gateway's Unix socket.", discussion: "Default: the one in the configuration, or \(service)",
            valueName: "PATH"))
    var unix: String?

    @Option(
        name: [.customShort("u"), .long],
        help: ArgumentHelp("The user name, where the socket wants one.", valueName: "NAME"))
    var username: String?

    @Option(
        name: [.customShort("P"), .customLong("pw")], parsing: .unconditional,
        help: ArgumentHelp("The password.", valueName: "PASSWORD"))
    var password: String?

    /// Whether the gateway did it, and what it says; `otherwise` is what to do where there is no socket.
    func ask(_ topic: String, _ payload: String, otherwise: String) throws -> (isDone: Bool, text: String) {
        var broker = try BrokerOptions.parse(["--unix", try socket()])
        broker.username = username
        broker.password = password
        let answer = try ask(broker, topic, payload, otherwise)
        let lines = answer.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        return (lines.first == "ok", String(lines.dropFirst().joined()))
    }

    /// From the option, the configuration that may be broken just now, or the service.
    private func socket() throws(CommandFailure) -> String {
        if let unix { return unix }
        if let loaded = try? LoadedConfiguration(options.files), let settings = loaded.settings {
            for listener in settings.listeners {
                if case .unix(let path, _) = listener.address, !listener.transport.proxyProtocol { return path }
            }
        }
        return Self.service
    }

    private func ask(
        _ broker: BrokerOptions, _ topic: String, _ payload: String, _ otherwise: String
    ) throws -> String {
        var connection: BrokerConnection
        do {
            connection = try BrokerConnection(broker)
        } catch {
            throw CommandFailure("\(error.message). \(otherwise)")
        }
        let reply = Array("$martlet/answer/\(Entropy.seed())".utf8)
        var request = Publish(topic: Array(topic.utf8), payload: Array(payload.utf8), qos: .atLeastOnce)
        request.properties[bytes: .responseTopic] = reply
        let deadline = ContinuousClock.now + Self.patience
        while true {
            switch try connection.turn(until: deadline) {
            case .interrupted: throw CommandFailure.silent(.failed)
            case .timedOut: throw CommandFailure("the gateway did not answer within \(Self.patience)")
            case .events(let events):
                for event in events {
                    if let answer = try Self.handle(event, request, reply, &connection) { return answer }
                }
            }
        }
    }

    private static func handle(
        _ event: ClientEvent, _ request: Publish, _ reply: [UInt8], _ connection: inout BrokerConnection
    ) throws -> String? {
        switch event {
        case .connected: _ = connection.client.subscribe([Subscribe.Request(filter: reply, qos: .atLeastOnce)])
        case .subscribed(_, let codes):
            if let refused = codes.first(where: \.isError) { throw Self.refused(refused) }
            _ = try connection.client.publish(request, now: .now)
        case .message(let message, _) where message.topic == reply:
            connection.disconnect()
            return String(decoding: message.payload, as: UTF8.self)
        case .acknowledged(_, let code) where code.isError: throw Self.refused(code)
        case .closed(let reason): throw CommandFailure("\(reason)")
        default: break
        }
        return nil
    }

    private static func refused(_ code: ReasonCode) -> CommandFailure {
        CommandFailure("the gateway refused: \(code). Only its Unix socket may ask for that, or a user with a rule")
    }
}
