import ArgumentParser
import Client
import MQTTCodec

/// Which broker `sub` and `pub` talk to, and as whom; letters as mosquitto's tools have them.
struct BrokerOptions: ParsableArguments {
    @Option(name: [.customShort("h"), .long], help: ArgumentHelp("The broker's host.", valueName: "HOST"))
    var host = "127.0.0.1"

    @Option(name: [.customShort("p"), .long], help: ArgumentHelp("The broker's TCP port.", valueName: "PORT"))
    var port: UInt16 = 1883

    @Option(
        help: ArgumentHelp(
            "A Unix socket instead of host and port.", discussion: "Example: /run/martlet/martlet.sock",
            valueName: "PATH"))
    var unix: String?

    @Option(
        name: [.customShort("u"), .long],
        help: ArgumentHelp("The user name, where the broker wants one.", valueName: "NAME"))
    var username: String?

    @Option(
        name: [.customShort("P"), .customLong("pw")], parsing: .unconditional,
        help: ArgumentHelp(
            "The password.", discussion: "Other users of this machine can see it while the command runs.",
            valueName: "PASSWORD"))
    var password: String?

    @Option(
        name: [.customShort("i"), .long],
        help: ArgumentHelp("The client id.", discussion: "Default: the broker chooses.", valueName: "ID"))
    var id: String?

    @Option(
        name: [.customShort("V"), .long],
        help: ArgumentHelp("The version of MQTT: 5 or 311.", valueName: "VERSION"),
        transform: Self.version)
    var mqttVersion = ProtocolVersion.v5

    @Option(
        name: [.customShort("q"), .long],
        help: ArgumentHelp(
            "The quality of service.", discussion: "0: at most once, 1: at least once, 2: exactly once",
            valueName: "QOS"),
        transform: Self.qos)
    var qos = QoS.atMostOnce

    private static func version(_ text: String) throws -> ProtocolVersion {
        switch text.lowercased() {
        case "5", "mqttv5": .v5
        case "4", "311", "3.1.1", "mqttv311": .v311
        default: throw ValidationError("There is no MQTT version '\(text)' here. Known are 5 and 311.")
        }
    }

    private static func qos(_ text: String) throws -> QoS {
        guard let number = UInt8(text), let qos = QoS(rawValue: number) else {
            throw ValidationError("There is no quality of service '\(text)'. There are 0, 1 and 2.")
        }
        return qos
    }

    /// Where it leads, for messages.
    var place: String { unix ?? "\(host) port \(port)" }

    var clientSettings: ClientSettings {
        var settings = ClientSettings(clientID: Array((id ?? "").utf8))
        settings.version = mqttVersion
        settings.userName = username.map { Array($0.utf8) }
        settings.password = password.map { Array($0.utf8) }
        return settings
    }
}
