import ArgumentParser
import Client
import LinuxIO
import MQTTCodec
import Settings

/// `martlet reload`: has the running gateway read its configuration again.
struct Reload: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have the running gateway read its configuration again.",
        discussion: """
            Asks the gateway over its Unix socket, and shows what it answers: everything was applied, or what is wrong \
            and that nothing was changed. SIGHUP does the same without an answer.

            Exit status: 0 when it was applied, 1 when the gateway can't be asked, 2 when the configuration is wrong.

              martlet reload home.yaml
              martlet reload --unix /run/martlet/martlet.sock
            """)

    private static let patience: Duration = .seconds(30)

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

    private static let service = "/run/martlet/martlet.sock"

    func run() throws {
        var broker = BrokerOptions()
        broker = try BrokerOptions.parse(["--unix", try socket()])
        broker.username = username
        broker.password = password
        let answer = try ask(broker)
        let lines = answer.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        StandardOutput.write(lines.dropFirst().joined() + "\n")
        if lines.first != "ok" { throw CommandFailure.silent(.usage) }
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

    private func ask(_ broker: BrokerOptions) throws -> String {
        var connection: BrokerConnection
        do {
            connection = try BrokerConnection(broker)
        } catch {
            throw CommandFailure(
                "\(error.message). Without a Unix socket, send the gateway SIGHUP ('systemctl reload martlet', or kill "
                    + "-HUP and its number) and look at its log; or name the socket with --unix")
        }
        let topic = Array("$martlet/answer/\(Entropy.seed())".utf8)
        let deadline = ContinuousClock.now + Self.patience
        while true {
            switch try connection.turn(until: deadline) {
            case .interrupted: throw CommandFailure.silent(.failed)
            case .timedOut: throw CommandFailure("the gateway did not answer within \(Self.patience)")
            case .events(let events):
                for event in events {
                    if let answer = try handle(event, topic, &connection) { return answer }
                }
            }
        }
    }

    private func handle(
        _ event: ClientEvent, _ topic: [UInt8], _ connection: inout BrokerConnection
    ) throws -> String? {
        switch event {
        case .connected: _ = connection.client.subscribe([Subscribe.Request(filter: topic, qos: .atLeastOnce)])
        case .subscribed(_, let codes):
            if let refused = codes.first(where: \.isError) { throw Self.refused(refused) }
            var request = Publish(topic: Array(Requests.reload.utf8), payload: [], qos: .atLeastOnce)
            request.properties[bytes: .responseTopic] = topic
            _ = try connection.client.publish(request, now: .now)
        case .message(let message, _) where message.topic == topic:
            connection.disconnect()
            return String(decoding: message.payload, as: UTF8.self)
        case .acknowledged(_, let code) where code.isError: throw Self.refused(code)
        case .closed(let reason): throw CommandFailure("\(reason)")
        default: break
        }
        return nil
    }

    private static func refused(_ code: ReasonCode) -> CommandFailure {
        CommandFailure("the gateway refused: \(code). Only its Unix socket may ask for a reload, or a user with a rule")
    }
}
