import Bridge
import Client
import MQTTCodec

/// Which MQTT is spoken to a server, and what is tried when it does not understand.
struct UpstreamDialect: Equatable {
    private static let mostUnanswered = 2

    var version: ProtocolVersion
    /// 3.1.1 with the bridge bit.
    var isBridge = false

    init(_ version: ProtocolVersion, isBridge: Bool = false) {
        self.version = version
        self.isBridge = isBridge
    }

    init(_ settings: UpstreamLink.Settings) {
        self = settings.version == .v311 ? Self(.v311, isBridge: settings.bridgeBit != .off) : Self(.v5)
    }

    /// The server said that it does not know this one; nil if there is no other.
    func afterRefusal(_ settings: UpstreamLink.Settings) -> UpstreamDialect? {
        if isBridge { return settings.bridgeBit == .automatic ? Self(.v311) : nil }
        guard version == .v5, settings.version == .automatic else { return nil }
        return Self(.v311, isBridge: settings.bridgeBit != .off)
    }

    /// The server hung up instead of answering so many times in a row: RabbitMQ 3 does that to MQTT 5.
    func afterSilence(_ settings: UpstreamLink.Settings, unanswered: Int) -> UpstreamDialect? {
        guard unanswered > 0 else { return nil }
        if isBridge, settings.bridgeBit == .automatic { return Self(.v311) }
        guard settings.version == .automatic, unanswered.isMultiple(of: Self.mostUnanswered) else { return nil }
        return version == .v5 ? Self(.v311, isBridge: settings.bridgeBit == .on) : Self(.v5)
    }
}

extension ClientSettings {
    init(_ settings: UpstreamLink.Settings, _ dialect: UpstreamDialect) {
        self.init(clientID: settings.bridge.clientID)
        version = dialect.version
        isBridge = dialect.isBridge
        // What the server kept for the gateway in a short interruption is wanted: so it resumes from the start.
        cleanStart = false
        // 3.1.1 can't say for how long: a server would keep commands for ever, so it keeps none.
        sessionExpirySeconds = version == .v5 ? settings.sessionExpirySeconds : 0
        keepAliveSeconds = settings.keepAliveSeconds
        userName = settings.userName.map { Array($0.utf8) }
        password = settings.password.map { Array($0.utf8) }
        acknowledgement = .deferred
        topicAliases = 256
        setsPoisonAside = true
        receiveMaximum = 100
        connectTimeout = settings.connectTimeout
        maximumInFlight = settings.bridge.maximumInFlight
        maximumWaiting = settings.bridge.maximumInFlight
    }
}

extension BackOff {
    init(_ settings: UpstreamLink.Settings, seed: UInt64) {
        self.init(
            seed: seed, shortest: settings.shortestWait, longest: settings.longestWait,
            stableAfter: settings.stableAfter)
    }
}
