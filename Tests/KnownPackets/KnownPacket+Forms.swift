import MQTTCodec

/// Packets that others write in another form than we do, or with properties that our reader checks and leaves out.
extension KnownPacket {
    static let inOtherForms: [KnownPacket] = [
        KnownPacket(
            "a CONNECT of a mosquitto bridge", .v31, "10 0F 00 06 4D 51 49 73 64 70 83 02 00 3C 00 01 70",
            .connect(bridge(.v31))),
        KnownPacket(
            "a CONNECT of a mosquitto bridge", .v311, "10 0D 00 04 4D 51 54 54 84 02 00 3C 00 01 70",
            .connect(bridge(.v311))),
        KnownPacket(
            "a CONNECT with a password alone", .v5, "10 11 00 04 4D 51 54 54 05 42 00 3C 00 00 01 70 00 01 70",
            .connect(secretive())),
        KnownPacket(
            "an empty PUBLISH", .v5, "31 06 00 03 61 2F 62 00",
            .publish(Publish(topic: text("a/b"), payload: [], retain: true))),
        KnownPacket("a PUBACK that nobody matched", .v5, "40 03 00 07 10", acknowledged(.puback, 0x10)),
        KnownPacket(read: "a PUBACK with a needless code", .v5, "40 03 00 07 00", acknowledged(.puback, 0)),
        KnownPacket(
            read: "a PUBACK with a needless property length", .v5, "40 04 00 07 00 00", acknowledged(.puback, 0)),
        KnownPacket(
            read: "a PUBACK with every property", .v5,
            "40 17 00 07 00 13 1F 00 03 77 68 79 26 00 01 6B 00 01 76 26 00 01 6B 00 00", acknowledged(.puback, 0)),
        KnownPacket(
            read: "a PUBREC with every property", .v5,
            "50 17 00 07 97 13 1F 00 03 77 68 79 26 00 01 6B 00 01 76 26 00 01 6B 00 00", acknowledged(.pubrec, 0x97)),
        KnownPacket(
            read: "a PUBREL with every property", .v5,
            "62 17 00 07 92 13 1F 00 03 77 68 79 26 00 01 6B 00 01 76 26 00 01 6B 00 00", acknowledged(.pubrel, 0x92)),
        KnownPacket(
            read: "a PUBCOMP with user properties", .v5, "70 11 00 07 00 0D 26 00 01 6B 00 01 76 26 00 01 6B 00 00",
            acknowledged(.pubcomp, 0)),
        KnownPacket(
            read: "a SUBACK with every property", .v5,
            "90 18 00 0A 13 1F 00 03 77 68 79 26 00 01 6B 00 01 76 26 00 01 6B 00 00 02 87",
            .suback(.suback, Suback(packetID: 10, reasonCodes: [ReasonCode(rawValue: 2), .notAuthorized]))),
        KnownPacket(
            read: "an UNSUBSCRIBE with user properties", .v5,
            "A2 18 00 0B 0D 26 00 01 6B 00 01 76 26 00 01 6B 00 00 00 03 61 2F 2B 00 01 62",
            .unsubscribe(Unsubscribe(packetID: 11, filters: [text("a/+"), text("b")]))),
        KnownPacket(
            read: "an UNSUBACK with every property", .v5,
            "B0 18 00 0B 13 1F 00 03 77 68 79 26 00 01 6B 00 01 76 26 00 01 6B 00 00 00 11",
            .suback(.unsuback, Suback(packetID: 11, reasonCodes: [.success, .noSubscriptionExisted]))),
        KnownPacket(read: "a DISCONNECT with a needless code", .v5, "E0 01 00", .disconnect(Disconnect())),
        KnownPacket(
            read: "a DISCONNECT with a needless property length", .v5, "E0 02 00 00", .disconnect(Disconnect())),
        KnownPacket("a PINGREQ", .v5, "C0 00", .ping(.pingreq)),
        KnownPacket("a PINGRESP", .v311, "D0 00", .ping(.pingresp)),
        KnownPacket("a PUBREL", .v5, "62 02 FF FF", .acknowledgement(.pubrel, Acknowledgement(packetID: 0xFFFF))),
        KnownPacket("a PUBREC", .v311, "50 02 00 07", acknowledged(.pubrec, 0)),
        KnownPacket("a PUBCOMP", .v311, "70 02 00 07", acknowledged(.pubcomp, 0)),
        KnownPacket("a CONNACK of an old server", .v31, "20 02 00 00", .connack(Connack(reasonCode: .success))),
    ]

    private static func bridge(_ version: ProtocolVersion) -> Connect {
        var connect = Connect(version: version)
        connect.isBridge = true
        connect.keepAlive = 60
        connect.clientID = text("p")
        return connect
    }

    private static func secretive() -> Connect {
        var connect = Connect(version: .v5)
        connect.keepAlive = 60
        connect.clientID = text("p")
        connect.password = text("p")
        return connect
    }

    private static func acknowledged(_ type: PacketType, _ code: UInt8) -> Packet {
        .acknowledgement(type, Acknowledgement(packetID: 7, reasonCode: ReasonCode(rawValue: code)))
    }
}
