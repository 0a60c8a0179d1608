/// MQTT 5's properties; the raw value is the identifier on the wire. [MQTT 5, section 2.2.2.2]
package enum Property: UInt8, CaseIterable, Sendable {
    case payloadFormatIndicator = 0x01
    case messageExpiryInterval = 0x02
    case contentType = 0x03
    case responseTopic = 0x08
    case correlationData = 0x09
    case subscriptionIdentifier = 0x0B
    case sessionExpiryInterval = 0x11
    case assignedClientIdentifier = 0x12
    case serverKeepAlive = 0x13
    case authenticationMethod = 0x15
    case authenticationData = 0x16
    case requestProblemInformation = 0x17
    case willDelayInterval = 0x18
    case requestResponseInformation = 0x19
    case responseInformation = 0x1A
    case serverReference = 0x1C
    case reasonString = 0x1F
    case receiveMaximum = 0x21
    case topicAliasMaximum = 0x22
    case topicAlias = 0x23
    case maximumQoS = 0x24
    case retainAvailable = 0x25
    case userProperty = 0x26
    case maximumPacketSize = 0x27
    case wildcardSubscriptionAvailable = 0x28
    case subscriptionIdentifiersAvailable = 0x29
    case sharedSubscriptionAvailable = 0x2A

    /// How the value stands on the wire.
    enum Form {
        case byte
        case twoBytes
        case fourBytes
        case variable
        case text
        case binary
        case textPair
    }

    var form: Form {
        switch self {
        case .payloadFormatIndicator, .requestProblemInformation, .requestResponseInformation, .maximumQoS,
            .retainAvailable, .wildcardSubscriptionAvailable, .subscriptionIdentifiersAvailable,
            .sharedSubscriptionAvailable:
            .byte
        case .serverKeepAlive, .receiveMaximum, .topicAliasMaximum, .topicAlias: .twoBytes
        case .messageExpiryInterval, .sessionExpiryInterval, .willDelayInterval, .maximumPacketSize: .fourBytes
        case .subscriptionIdentifier: .variable
        case .contentType, .responseTopic, .assignedClientIdentifier, .authenticationMethod, .responseInformation,
            .serverReference, .reasonString:
            .text
        case .correlationData, .authenticationData: .binary
        case .userProperty: .textPair
        }
    }

    /// Where a set of properties stands; decides which may be in it. [MQTT 5, table 2-4]
    package enum Place: Sendable {
        case will
        case packet(PacketType)
    }

    func isAllowed(in place: Place) -> Bool {
        switch place {
        case .will:
            switch self {
            case .payloadFormatIndicator, .messageExpiryInterval, .contentType, .responseTopic, .correlationData,
                .willDelayInterval, .userProperty:
                true
            default: false
            }
        case .packet(let type): isAllowed(in: type)
        }
    }

    private func isAllowed(in type: PacketType) -> Bool {
        switch self {
        case .payloadFormatIndicator, .messageExpiryInterval, .contentType, .responseTopic, .correlationData,
            .topicAlias:
            type == .publish
        case .subscriptionIdentifier: type == .publish || type == .subscribe
        case .sessionExpiryInterval: type == .connect || type == .connack || type == .disconnect
        case .authenticationMethod, .authenticationData: type == .connect || type == .connack || type == .auth
        case .requestProblemInformation, .requestResponseInformation: type == .connect
        case .willDelayInterval: false
        case .receiveMaximum, .topicAliasMaximum, .maximumPacketSize: type == .connect || type == .connack
        case .assignedClientIdentifier, .serverKeepAlive, .responseInformation, .maximumQoS, .retainAvailable,
            .wildcardSubscriptionAvailable, .subscriptionIdentifiersAvailable, .sharedSubscriptionAvailable:
            type == .connack
        case .serverReference: type == .connack || type == .disconnect
        case .reasonString:
            type != .connect && type != .publish && type != .subscribe && type != .unsubscribe
        case .userProperty: true
        }
    }

    /// Whether a value of `number` is legal, where the standard bounds it.
    func isLegal(_ number: UInt32) -> Bool {
        switch self {
        case .receiveMaximum, .maximumPacketSize, .topicAlias, .subscriptionIdentifier: number > 0
        case .payloadFormatIndicator, .requestProblemInformation, .requestResponseInformation, .maximumQoS,
            .retainAvailable, .wildcardSubscriptionAvailable, .subscriptionIdentifiersAvailable,
            .sharedSubscriptionAvailable:
            number <= 1
        default: true
        }
    }

    /// User Property may come many times; so may Subscription Identifier in a PUBLISH.
    func mayRepeat(in place: Place) -> Bool {
        if self == .userProperty { return true }
        guard self == .subscriptionIdentifier, case .packet(.publish) = place else { return false }
        return true
    }
}
