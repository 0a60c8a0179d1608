import Bridge
import Broker
import MQTTCodec
import Settings

/// How the gateway notices that somebody is there who controls its outputs: messages on `GATEWAY/$control`, and the
/// connections to those servers from which commands may come.
struct ControlLink {
    enum Sign {
        case heard
        /// Whether one of the servers is connected.
        case link(isUp: Bool)
        /// A message that says nothing new.
        case nothing
    }

    private let topic: [UInt8]
    private let servers: Set<[UInt8]>
    private var connected: Set<[UInt8]> = []

    /// `before` is what was known with other settings.
    init(_ settings: GatewaySettings, gateway: String, before: ControlLink? = nil) {
        topic = Array("\(gateway)/$control".utf8)
        let controlling = settings.upstreams.filter { !$0.bridge.in.isEmpty }
        servers = Set(
            controlling.map { upstream in
                Array("$SYS/broker/connection/".utf8) + BrokerState.level(Array(upstream.statusName.utf8))
                    + Array("/state".utf8)
            })
        connected = before?.connected.intersection(servers) ?? []
    }

    var filters: [[UInt8]] { [topic] + servers.sorted { $0.lexicographicallyPrecedes($1) } }

    var isUp: Bool { !connected.isEmpty }

    /// What a message tells; nil for one that is none of these.
    mutating func sign(of message: Publish) -> Sign? {
        if message.topic == topic { return message.retain ? .nothing : .heard }
        guard servers.contains(message.topic) else { return nil }
        let wasUp = isUp
        if message.payload == Array("1".utf8) {
            connected.insert(message.topic)
        } else {
            connected.remove(message.topic)
        }
        return wasUp == isUp ? .nothing : .link(isUp: isUp)
    }
}
