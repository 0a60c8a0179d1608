package import Bridge

/// One entry of `upstream`.
package struct UpstreamSettings: Equatable, Sendable {
    package struct TLS: Equatable, Sendable {
        /// PEM files; nil takes the system's authorities.
        package var ca: String?
        package var certificate: String?
        package var key: String?
        /// The name in the server's certificate, where it is not the host.
        package var serverName: String?
        /// Protocols to offer, the favourite first.
        package var alpn: [String] = []

        package init() {}
    }

    package struct Address: Equatable, Sendable {
        package var host: String
        package var port: UInt16
        /// Of a WebSocket.
        package var path: String?
    }

    package enum Order: String, CaseIterable, Sendable {
        case first
        case roundRobin = "round-robin"
    }

    package enum Version: String, CaseIterable, Sendable {
        case automatic = "auto"
        case v311 = "3.1.1"
        case v5 = "5"
    }

    package enum BridgeBit: String, CaseIterable, Sendable {
        case automatic = "auto"
        case on
        case off
    }

    package var name: String
    /// At least one.
    package var addresses: [Address]
    package var order = Order.first
    package var version = Version.automatic
    package var bridgeBit = BridgeBit.automatic
    /// 0 for none.
    package var keepAliveSeconds: UInt16 = 60
    package var stableAfter: Duration = .seconds(60)
    /// Nil for `mqtt://` and `ws://`.
    package var tls: TLS?
    package var userName: String?
    /// Never logged.
    package var password: String?
    /// What `$SYS` calls it: the client id, with the name where two upstreams have the same one.
    package var statusName: String
    package var bridge: BridgeSettings

    package init(name: String, addresses: [Address], bridge: BridgeSettings) {
        self.name = name
        self.addresses = addresses
        self.bridge = bridge
        statusName = String(decoding: bridge.clientID, as: UTF8.self)
    }

    package var host: String { addresses.first?.host ?? "" }
    package var port: UInt16 { addresses.first?.port ?? 0 }

    /// Whether it may reach the same server as another one.
    func meets(_ other: UpstreamSettings) -> Bool {
        addresses.contains { mine in other.addresses.contains { $0.host == mine.host && $0.port == mine.port } }
    }
}
