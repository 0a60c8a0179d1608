import MQTTCodec

/// Each packet of version 5 with every property that it may have.
extension KnownPacket {
    static let withProperties = connectsWithProperties + otherPacketsWithProperties

    private static let connectsWithProperties: [KnownPacket] = [
        KnownPacket(
            "a CONNECT with every property but authentication", .v5,
            """
            10 2F 00 04 4D 51 54 54 05 02 00 3C 21 11 00 00 00 78 21 00 14 27 00 00 10 00 22 00 05 19 01 17 00
            26 00 01 6B 00 01 76 26 00 01 6B 00 00 00 01 70
            """,
            .connect(demanding())),
        KnownPacket(
            "a CONNECT with a way of authentication", .v5,
            "10 17 00 04 4D 51 54 54 05 02 00 3C 09 15 00 01 6D 16 00 02 00 FF 00 01 70", .connect(proving())),
        KnownPacket(
            "a CONNECT with every property of a will", .v5,
            """
            10 3C 00 04 4D 51 54 54 05 0E 00 3C 00 00 01 70 26 18 00 00 00 05 01 01 02 00 00 02 58 03 00 01 74
            08 00 01 72 09 00 02 00 FF 26 00 01 6B 00 01 76 26 00 01 6B 00 00 00 01 77 00 02 68 69
            """,
            .connect(mortal())),
        KnownPacket(
            "a CONNACK with every property", .v5,
            """
            20 4F 00 00 4C 11 FF FF FF FF 21 00 14 24 01 25 00 27 00 00 10 00 22 00 0A 28 00 29 00 2A 00 13 00 1E
            12 00 02 69 64 1F 00 03 77 68 79 1A 00 03 61 2F 72 1C 00 05 6F 74 68 65 72 15 00 01 6D 16 00 02 00 FF
            26 00 01 6B 00 01 76 26 00 01 6B 00 00
            """,
            .connack(Connack(reasonCode: .success, limits()))),
    ]

    private static let otherPacketsWithProperties: [KnownPacket] = [
        KnownPacket(
            "a PUBLISH with every property of the message", .v5,
            """
            32 2B 00 03 61 2F 62 00 07 21 01 01 02 00 00 02 58 03 00 01 74 08 00 01 72 09 00 02 00 FF
            26 00 01 6B 00 01 76 26 00 01 6B 00 00 68 69
            """,
            .publish(message(.atLeastOnce, 7, describing()))),
        KnownPacket(
            "a PUBLISH with a topic alias", .v5, "30 0B 00 03 61 2F 62 03 23 00 03 68 69",
            .publish(message(numbers([(.topicAlias, 3)]))), from: .client),
        KnownPacket(
            "a PUBLISH with subscription identifiers", .v5, "30 0F 00 03 61 2F 62 07 0B 05 0B FF 7F 0B 05 68 69",
            .publish(message(identifiers([5, 16_383, 5]))), from: .server),
        KnownPacket(
            "a SUBSCRIBE with every property and option", .v5,
            """
            82 2A 00 0A 10 0B FF 7F 26 00 01 6B 00 01 76 26 00 01 6B 00 00 00 03 61 2F 23 11
            00 0A 24 73 68 61 72 65 2F 67 2F 62 02 00 01 2B 28
            """,
            .subscribe(picky())),
        KnownPacket(
            "a DISCONNECT with every property of a client's", .v5,
            "E0 1A 04 18 11 00 00 00 0A 1F 00 03 77 68 79 26 00 01 6B 00 01 76 26 00 01 6B 00 00",
            .disconnect(
                disconnect(0x04, numbers([(.sessionExpiryInterval, 10)], texts: [(.reasonString, "why")]))),
            from: .client),
        KnownPacket(
            "a DISCONNECT with every property of a server's", .v5,
            "E0 1D 9C 1B 1C 00 05 6F 74 68 65 72 1F 00 03 77 68 79 26 00 01 6B 00 01 76 26 00 01 6B 00 00",
            .disconnect(disconnect(0x9C, numbers([], texts: [(.serverReference, "other"), (.reasonString, "why")]))),
            from: .server),
        KnownPacket("an AUTH that says success", .v5, "F0 00", .auth(Auth())),
        KnownPacket(
            "an AUTH with every property", .v5,
            "F0 1E 18 1C 15 00 01 6D 16 00 02 00 FF 1F 00 03 77 68 79 26 00 01 6B 00 01 76 26 00 01 6B 00 00",
            .auth(auth())),
        KnownPacket(
            "an AUTH that begins anew", .v5, "F0 06 19 04 15 00 01 6D",
            .auth(again()), from: .client),
    ]

    private static let pairs = [
        Properties.UserProperty(name: text("k"), value: text("v")),
        Properties.UserProperty(name: text("k"), value: []),
    ]

    /// Numbers and texts in the order of the wire, and the two user properties where texts are wanted.
    private static func numbers(
        _ numbers: [(Property, UInt32)], texts: [(Property, String)]? = nil
    ) -> Properties {
        var properties = Properties()
        for (property, value) in numbers { properties[number: property] = value }
        for (property, value) in texts ?? [] { properties[bytes: property] = text(value) }
        if texts != nil { properties.userProperties = pairs }
        return properties
    }

    private static func identifiers(_ identifiers: [UInt32]) -> Properties {
        var properties = Properties()
        properties.subscriptionIdentifiers = identifiers
        return properties
    }

    private static func describing(delay: UInt32? = nil) -> Properties {
        var properties = Properties()
        properties[number: .willDelayInterval] = delay
        properties[number: .payloadFormatIndicator] = 1
        properties[number: .messageExpiryInterval] = 600
        properties[bytes: .contentType] = text("t")
        properties[bytes: .responseTopic] = text("r")
        properties[bytes: .correlationData] = [0, 0xFF]
        properties.userProperties = pairs
        return properties
    }

    private static func limits() -> Properties {
        var properties = numbers([
            (.sessionExpiryInterval, .max), (.receiveMaximum, 20), (.maximumQoS, 1), (.retainAvailable, 0),
            (.maximumPacketSize, 4096), (.topicAliasMaximum, 10), (.wildcardSubscriptionAvailable, 0),
            (.subscriptionIdentifiersAvailable, 0), (.sharedSubscriptionAvailable, 0), (.serverKeepAlive, 30),
        ])
        properties[bytes: .assignedClientIdentifier] = text("id")
        properties[bytes: .reasonString] = text("why")
        properties[bytes: .responseInformation] = text("a/r")
        properties[bytes: .serverReference] = text("other")
        properties[bytes: .authenticationMethod] = text("m")
        properties[bytes: .authenticationData] = [0, 0xFF]
        properties.userProperties = pairs
        return properties
    }

    private static func connect(_ properties: Properties) -> Connect {
        var connect = Connect(version: .v5)
        connect.keepAlive = 60
        connect.clientID = text("p")
        connect.properties = properties
        return connect
    }

    private static func demanding() -> Connect {
        var properties = numbers([
            (.sessionExpiryInterval, 120), (.receiveMaximum, 20), (.maximumPacketSize, 4096), (.topicAliasMaximum, 5),
            (.requestResponseInformation, 1), (.requestProblemInformation, 0),
        ])
        properties.userProperties = pairs
        return connect(properties)
    }

    private static func proving() -> Connect {
        var properties = numbers([], texts: [(.authenticationMethod, "m")])
        properties[bytes: .authenticationData] = [0, 0xFF]
        properties.userProperties = []
        return connect(properties)
    }

    private static func mortal() -> Connect {
        var connect = connect(Properties())
        connect.will = Connect.Will(topic: text("w"), payload: text("hi"), qos: .atLeastOnce)
        connect.will?.properties = describing(delay: 5)
        return connect
    }

    private static func message(
        _ qos: QoS = .atMostOnce, _ id: UInt16 = 0, _ properties: Properties
    ) -> Publish {
        var publish = Publish(topic: text("a/b"), payload: text("hi"), qos: qos)
        publish.packetID = id
        publish.properties = properties
        return publish
    }

    private static func message(_ properties: Properties) -> Publish { message(.atMostOnce, 0, properties) }

    private static func picky() -> Subscribe {
        var first = Subscribe.Request(filter: text("a/#"), qos: .atLeastOnce)
        first.retainHandling = .sendIfNew
        var last = Subscribe.Request(filter: text("+"), qos: .atMostOnce)
        last.retainAsPublished = true
        last.retainHandling = .never
        let shared = Subscribe.Request(filter: text("$share/g/b"), qos: .exactlyOnce)
        var subscribe = Subscribe(packetID: 10, requests: [first, shared, last])
        subscribe.properties.subscriptionIdentifiers = [16_383]
        subscribe.properties.userProperties = pairs
        return subscribe
    }

    private static func disconnect(_ code: UInt8, _ properties: Properties) -> Disconnect {
        var disconnect = Disconnect(reasonCode: ReasonCode(rawValue: code))
        disconnect.properties = properties
        return disconnect
    }

    private static func auth() -> Auth {
        var auth = Auth(reasonCode: ReasonCode(rawValue: 0x18))
        auth.properties[bytes: .authenticationMethod] = text("m")
        auth.properties[bytes: .authenticationData] = [0, 0xFF]
        auth.properties[bytes: .reasonString] = text("why")
        auth.properties.userProperties = pairs
        return auth
    }

    private static func again() -> Auth {
        var auth = Auth(reasonCode: ReasonCode(rawValue: 0x19))
        auth.properties[bytes: .authenticationMethod] = text("m")
        return auth
    }
}

extension Connack {
    fileprivate init(reasonCode: ReasonCode, _ properties: Properties) {
        self.init(reasonCode: reasonCode)
        self.properties = properties
    }
}
