extension UpstreamLink {
    /// One place where the server is.
    package struct Address: Equatable, Sendable, CustomStringConvertible {
        package var host: String
        package var port: UInt16
        /// Of a WebSocket; nil for MQTT on TCP.
        package var path: String?

        package init(host: String, port: UInt16, path: String? = nil) {
            self.host = host
            self.port = port
            self.path = path
        }

        package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    }

    /// Which of several addresses is tried.
    package enum Order: Equatable, Sendable {
        /// The first that answers; back to the first of all when it is there again.
        case first
        /// Each in its turn.
        case roundRobin
    }

    /// Which MQTT is spoken.
    package enum Version: Equatable, Sendable {
        /// 5, and 3.1.1 where the server knows no better.
        case automatic
        case v311
        case v5
    }

    /// Whether the server is told that a bridge comes, as mosquitto and others know it: then even 3.1.1 has No Local.
    package enum BridgeBit: Equatable, Sendable {
        /// Tried, and left out where the server hangs up on it.
        case automatic
        case on
        case off
    }
}

/// Which address is tried next.
struct UpstreamAddresses {
    private let count: Int
    private let order: UpstreamLink.Order
    private(set) var index = 0

    init(_ settings: UpstreamLink.Settings) {
        count = max(1, settings.addresses.count)
        order = settings.order
    }

    /// Whether a better address than the present one may be back.
    var hasBetter: Bool { order == .first && index > 0 }

    /// A connection ended that had been accepted, or `wasConnected` is false: an attempt failed.
    ///
    /// True when all addresses were tried since the last wait.
    mutating func failed(wasConnected: Bool) -> Bool {
        index = wasConnected && order == .first ? 0 : (index + 1) % count
        return index == 0 || wasConnected
    }

    mutating func returnToFirst() { index = 0 }
}

extension UpstreamLink.Settings {
    /// The settings with one address only.
    func at(_ index: Int) -> Self {
        var copy = self
        if addresses.indices.contains(index) { copy.addresses = [addresses[index]] }
        return copy
    }

    var address: UpstreamLink.Address { addresses.first ?? UpstreamLink.Address(host: "", port: 0) }
    var host: String { address.host }
    var port: UInt16 { address.port }
}
