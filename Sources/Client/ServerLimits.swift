import MQTTCodec

/// How many messages went with less than was wanted, because the server allows no more; each is counted once.
package struct Downgrades: Equatable, Sendable {
    /// Sent with a lower QoS.
    package var qos = 0
    /// Sent without being retained.
    package var retain = 0

    package init() {}

    mutating func count(_ message: Publish, _ limits: ServerLimits) {
        if message.qos > limits.maximumQoS { qos += 1 }
        if message.retain, !limits.retainAvailable { retain += 1 }
    }
}

/// What the server allows on this connection, as its CONNACK says. [MQTT 5, section 3.2.2.3]
struct ServerLimits: Equatable, Sendable {
    var receiveMaximum = 65_535
    var maximumQoS = QoS.exactlyOnce
    var retainAvailable = true
    var maximumPacketSize = VariableByteInteger.maximum + 5
    var topicAliasMaximum = 0
    var wildcardsAvailable = true
    var sharedAvailable = true
    /// Replaces the client's own. [MQTT-3.2.2-21]
    var keepAliveSeconds: UInt16?
    var assignedClientID: [UInt8]?

    init() {}

    init(_ properties: Properties) {
        if let limit = properties[number: .receiveMaximum] { receiveMaximum = Int(limit) }
        if let limit = properties[number: .maximumQoS] {
            maximumQoS = QoS(rawValue: UInt8(truncatingIfNeeded: limit)) ?? .exactlyOnce
        }
        retainAvailable = properties[number: .retainAvailable] != 0
        if let limit = properties[number: .maximumPacketSize] { maximumPacketSize = min(Int(limit), maximumPacketSize) }
        topicAliasMaximum = Int(properties[number: .topicAliasMaximum] ?? 0)
        wildcardsAvailable = properties[number: .wildcardSubscriptionAvailable] != 0
        sharedAvailable = properties[number: .sharedSubscriptionAvailable] != 0
        keepAliveSeconds = properties[number: .serverKeepAlive].map { UInt16(truncatingIfNeeded: $0) }
        assignedClientID = properties[bytes: .assignedClientIdentifier]
    }

    /// What a bridge's user should know, in words; empty for a server that allows everything.
    var sentence: String {
        var words: [String] = []
        if maximumQoS < .exactlyOnce { words.append("takes QoS \(maximumQoS.rawValue) at most") }
        if !retainAvailable { words.append("keeps no retained messages") }
        if maximumPacketSize <= VariableByteInteger.maximum { words.append("takes \(maximumPacketSize) bytes at most") }
        return words.joined(separator: ", ")
    }

    /// Why `filter` may not be asked for here; nil if it may.
    func refusal(of filter: [UInt8]) -> ReasonCode? {
        let isShared = filter.starts(with: Array("$share/".utf8))
        if isShared, !sharedAvailable { return .sharedSubscriptionsNotSupported }
        let hasWildcard = filter.contains(Topic.singleLevel) || filter.contains(Topic.multiLevel)
        return hasWildcard && !wildcardsAvailable ? .wildcardSubscriptionsNotSupported : nil
    }
}
