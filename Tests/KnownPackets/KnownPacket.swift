import Bytes
package import MQTTCodec

/// A packet as bytes and as what they mean, written by hand from the standard.
///
/// One table for the tests of the codec, the broker and the client, and where the fuzzer begins.
package struct KnownPacket: Sendable {
    /// Who may send it.
    package enum Sender: Sendable {
        case client
        case server
        case both
    }

    package var name: String
    package var version: ProtocolVersion
    package var hex: String
    package var packet: Packet
    package var sender: Sender
    /// Whether our encoder writes it so; other forms are legal, or have parts that the reader checks and leaves out.
    package var isWrittenSo = true

    package var bytes: [UInt8] { Hex.bytes(hex) ?? [] }

    init(_ name: String, _ version: ProtocolVersion, _ hex: String, _ packet: Packet, from sender: Sender? = nil) {
        self.name = name
        self.version = version
        self.hex = hex
        self.packet = packet
        self.sender = sender ?? packet.sender
    }

    /// A packet that is read so, but that we write in another form.
    init(
        read name: String, _ version: ProtocolVersion, _ hex: String, _ packet: Packet, from sender: Sender? = nil
    ) {
        self.init(name, version, hex, packet, from: sender)
        isWrittenSo = false
    }

    package static let all = since311 + inOldVersion + withProperties + inOtherForms

    private static let since311 = connecting + publishing + subscribing + ending

    /// But for CONNECT, and CONNACK's flags, MQTT 3.1 has the packets of 3.1.1.
    private static let inOldVersion: [KnownPacket] =
        [
            KnownPacket(
                "a CONNECT with all there is", .v31,
                """
                10 23 00 06 4D 51 49 73 64 70 03 F4 00 0A 00 01 70 00 03 61 2F 62 00 02 68 69 00 04 61 6E 6E 61 
                00 03 00 FF 70
                """,
                .connect(full(.v31))),
            KnownPacket(
                read: "a PUBREL again", .v31, "6A 02 00 07",
                .acknowledgement(.pubrel, Acknowledgement(packetID: 7)), from: .client),
        ]
        + (since311 + inOtherForms).filter { $0.version == .v311 && !$0.packet.isConnecting }
        .map { KnownPacket($0.name, .v31, $0.hex, $0.packet, from: $0.sender) }

    static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static let connecting: [KnownPacket] = [
        KnownPacket(
            "the smallest CONNECT", .v31, "10 0E 00 06 4D 51 49 73 64 70 03 02 00 3C 00 00", .connect(smallest(.v31))),
        KnownPacket(
            "the smallest CONNECT", .v311, "10 0C 00 04 4D 51 54 54 04 02 00 3C 00 00", .connect(smallest(.v311))),
        KnownPacket(
            "the smallest CONNECT", .v5, "10 0D 00 04 4D 51 54 54 05 02 00 3C 00 00 00", .connect(smallest(.v5))),
        KnownPacket(
            "a CONNECT with all there is", .v311,
            "10 21 00 04 4D 51 54 54 04 F4 00 0A 00 01 70 00 03 61 2F 62 00 02 68 69 00 04 61 6E 6E 61 00 03 00 FF 70",
            .connect(full(.v311))),
        KnownPacket(
            "a CONNECT with all there is", .v5,
            """
            10 30 00 04 4D 51 54 54 05 F4 00 0A 08 11 00 00 00 78 21 00 14 00 01 70 05 18 00 00 00 05
            00 03 61 2F 62 00 02 68 69 00 04 61 6E 6E 61 00 03 00 FF 70
            """,
            .connect(full(.v5))),
        KnownPacket(
            "an accepted CONNACK", .v311, "20 02 01 00", .connack(Connack(sessionPresent: true, reasonCode: .success))),
        KnownPacket("a refused CONNACK", .v311, "20 02 00 05", .connack(Connack(reasonCode: .notAuthorized))),
        KnownPacket("a refused CONNACK", .v5, "20 03 00 87 00", .connack(Connack(reasonCode: .notAuthorized))),
        KnownPacket("a CONNACK with limits", .v5, "20 0B 00 00 08 22 00 0A 13 00 1E 24 01", .connack(limits())),
    ]

    private static let publishing: [KnownPacket] = [
        KnownPacket("a PUBLISH at QoS 0", .v311, "30 07 00 03 61 2F 62 68 69", .publish(hi())),
        KnownPacket("a PUBLISH at QoS 0", .v5, "30 08 00 03 61 2F 62 00 68 69", .publish(hi())),
        KnownPacket(
            "a retained PUBLISH again", .v311, "3B 09 00 03 61 2F 62 00 07 68 69",
            .publish(hi(.atLeastOnce, 7, again: true))),
        KnownPacket("a PUBLISH at QoS 2", .v5, "34 0A 00 03 61 2F 62 01 02 00 68 69", .publish(hi(.exactlyOnce, 258))),
        KnownPacket(
            "an empty PUBLISH", .v311, "31 05 00 03 61 2F 62",
            .publish(Publish(topic: text("a/b"), payload: [], retain: true))),
        KnownPacket(
            "a PUBLISH with properties", .v5,
            "32 1E 00 03 61 2F 62 00 07 15 02 00 00 02 58 08 00 01 72 09 00 02 00 FF 26 00 01 6B 00 01 76 68",
            .publish(described())),
        KnownPacket("a PUBACK", .v311, "40 02 00 07", .acknowledgement(.puback, Acknowledgement(packetID: 7))),
        KnownPacket("a PUBREC", .v5, "50 02 00 07", .acknowledgement(.pubrec, Acknowledgement(packetID: 7))),
        KnownPacket("a PUBREL", .v311, "62 02 FF FF", .acknowledgement(.pubrel, Acknowledgement(packetID: 0xFFFF))),
        KnownPacket(
            "a PUBCOMP with a reason", .v5, "70 03 00 07 92",
            .acknowledgement(.pubcomp, Acknowledgement(packetID: 7, reasonCode: .packetIdentifierNotFound))),
    ]

    private static let subscribing: [KnownPacket] = [
        KnownPacket("a SUBSCRIBE", .v311, "82 0D 00 0A 00 03 61 2F 2B 01 00 02 23 2F 02", .subscribe(twoFilters())),
        KnownPacket("a SUBSCRIBE with options", .v5, "82 0B 00 0A 02 0B 05 00 03 61 2F 23 2D", .subscribe(options())),
        KnownPacket(
            "a SUBACK", .v311, "90 04 00 0A 01 80",
            .suback(.suback, Suback(packetID: 10, reasonCodes: [ReasonCode(rawValue: 1), .unspecifiedError]))),
        KnownPacket(
            "a SUBACK", .v5, "90 05 00 0A 00 02 8F",
            .suback(.suback, Suback(packetID: 10, reasonCodes: [ReasonCode(rawValue: 2), .topicFilterInvalid]))),
        KnownPacket(
            "an UNSUBSCRIBE", .v311, "A2 07 00 0B 00 03 61 2F 2B",
            .unsubscribe(Unsubscribe(packetID: 11, filters: [text("a/+")]))),
        KnownPacket(
            "an UNSUBSCRIBE", .v5, "A2 08 00 0B 00 00 03 61 2F 2B",
            .unsubscribe(Unsubscribe(packetID: 11, filters: [text("a/+")]))),
        KnownPacket("an UNSUBACK", .v311, "B0 02 00 0B", .suback(.unsuback, Suback(packetID: 11, reasonCodes: []))),
        KnownPacket(
            "an UNSUBACK", .v5, "B0 04 00 0B 00 11",
            .suback(.unsuback, Suback(packetID: 11, reasonCodes: [.noSubscriptionExisted]))),
    ]

    private static let ending: [KnownPacket] = [
        KnownPacket("a PINGREQ", .v311, "C0 00", .ping(.pingreq)),
        KnownPacket("a PINGRESP", .v5, "D0 00", .ping(.pingresp)),
        KnownPacket("a DISCONNECT", .v311, "E0 00", .disconnect(Disconnect())),
        KnownPacket(
            "a DISCONNECT with a reason", .v5, "E0 01 8E", .disconnect(Disconnect(reasonCode: .sessionTakenOver)),
            from: .server),
        KnownPacket(
            "a DISCONNECT that keeps the session", .v5, "E0 07 00 05 11 00 00 0E 10", .disconnect(keepingSession())),
    ]

    private static func smallest(_ version: ProtocolVersion) -> Connect {
        var connect = Connect(version: version)
        connect.keepAlive = 60
        return connect
    }

    private static func full(_ version: ProtocolVersion) -> Connect {
        var connect = Connect(version: version)
        connect.cleanStart = false
        connect.keepAlive = 10
        connect.clientID = text("p")
        connect.will = Connect.Will(topic: text("a/b"), payload: text("hi"), qos: .exactlyOnce, retain: true)
        connect.userName = text("anna")
        connect.password = [0x00, 0xFF, 0x70]
        if version == .v5 {
            connect.properties[number: .sessionExpiryInterval] = 120
            connect.properties[number: .receiveMaximum] = 20
            connect.will?.properties[number: .willDelayInterval] = 5
        }
        return connect
    }

    private static func limits() -> Connack {
        var connack = Connack(reasonCode: .success)
        connack.properties[number: .topicAliasMaximum] = 10
        connack.properties[number: .serverKeepAlive] = 30
        connack.properties[number: .maximumQoS] = 1
        return connack
    }

    private static func hi(_ qos: QoS = .atMostOnce, _ id: UInt16 = 0, again: Bool = false) -> Publish {
        var publish = Publish(topic: text("a/b"), payload: text("hi"), qos: qos, retain: again)
        publish.packetID = id
        publish.duplicate = again
        return publish
    }

    private static func described() -> Publish {
        var publish = Publish(topic: text("a/b"), payload: text("h"), qos: .atLeastOnce)
        publish.packetID = 7
        publish.properties[number: .messageExpiryInterval] = 600
        publish.properties[bytes: .responseTopic] = text("r")
        publish.properties[bytes: .correlationData] = [0x00, 0xFF]
        publish.properties.userProperties = [Properties.UserProperty(name: text("k"), value: text("v"))]
        return publish
    }

    private static func twoFilters() -> Subscribe {
        var bad = Subscribe.Request(filter: text("#/"), qos: .exactlyOnce)
        bad.isValid = false
        return Subscribe(packetID: 10, requests: [Subscribe.Request(filter: text("a/+"), qos: .atLeastOnce), bad])
    }

    private static func options() -> Subscribe {
        var request = Subscribe.Request(filter: text("a/#"), qos: .atLeastOnce)
        request.noLocal = true
        request.retainAsPublished = true
        request.retainHandling = .never
        var subscribe = Subscribe(packetID: 10, requests: [request])
        subscribe.properties.subscriptionIdentifiers = [5]
        return subscribe
    }

    private static func keepingSession() -> Disconnect {
        var disconnect = Disconnect()
        disconnect.properties[number: .sessionExpiryInterval] = 3600
        return disconnect
    }
}

extension KnownPacket: CustomStringConvertible {
    package var description: String { "\(name), \(version)" }
}
