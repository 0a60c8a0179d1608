import Bytes
package import MQTTCodec

/// Bytes that are no packet, and why not: the reason, and the place counted from the packet's first byte.
package struct RefusedPacket: Sendable {
    package var name: String
    package var versions: [ProtocolVersion]
    package var hex: String
    package var error: DecodeError

    init(_ name: String, _ versions: [ProtocolVersion], _ hex: String, _ reason: DecodeError.Reason, at offset: Int) {
        self.name = name
        self.versions = versions
        self.hex = hex
        error = DecodeError(reason, at: offset)
    }

    package var bytes: [UInt8] { Hex.bytes(hex) ?? [] }

    /// Who would send such a packet.
    package var sender: KnownPacket.Sender { PacketType(rawValue: bytes[0] >> 4)?.sender ?? .both }

    package static let all = connecting + publishing + acknowledging + subscribing + ending

    private static let connecting: [RefusedPacket] = [
        RefusedPacket(
            "another protocol [MQTT-3.1.2-1]", [.v311], "10 0C 00 04 4D 51 54 51 04 02 00 3C 00 00",
            .unknownProtocolName, at: 4),
        RefusedPacket(
            "a level of the future [MQTT-3.1.2-2]", [.v5], "10 0C 00 04 4D 51 54 54 06 02 00 3C 00 00",
            .unsupportedProtocolLevel, at: 8),
        RefusedPacket(
            "the reserved flag [MQTT-3.1.2-3]", [.v311], "10 0C 00 04 4D 51 54 54 04 03 00 3C 00 00", .reservedBits,
            at: 9),
        RefusedPacket(
            "a QoS without a will [MQTT-3.1.2-11]", [.v311], "10 0C 00 04 4D 51 54 54 04 0A 00 3C 00 00", .willFlags,
            at: 9),
        RefusedPacket(
            "a will at QoS 3 [MQTT-3.1.2-12]", [.v5], "10 0D 00 04 4D 51 54 54 05 1E 00 3C 00 00 00", .willFlags, at: 9),
        RefusedPacket(
            "a password without a name [MQTT-3.1.2-22]", [.v311], "10 0F 00 04 4D 51 54 54 04 42 00 3C 00 00 00 01 70",
            .passwordWithoutUserName, at: 9),
        RefusedPacket(
            "a client id that is no text [MQTT-3.1.3-4]", [.v311], "10 0D 00 04 4D 51 54 54 04 02 00 3C 00 01 FF",
            .invalidUTF8, at: 14),
        RefusedPacket(
            "bytes after the last field", [.v311], "10 0D 00 04 4D 51 54 54 04 02 00 3C 00 00 00", .trailingBytes,
            at: 14),
        RefusedPacket(
            "a property twice [MQTT-3.1.2-11]", [.v5], "10 13 00 04 4D 51 54 54 05 02 00 3C 06 21 00 14 21 00 14 00 00",
            .propertyTwice, at: 16),
        RefusedPacket(
            "a Receive Maximum of 0", [.v5], "10 10 00 04 4D 51 54 54 05 02 00 3C 03 21 00 00 00 00", .propertyValue,
            at: 13),
        RefusedPacket(
            "a property of another packet", [.v5], "10 10 00 04 4D 51 54 54 05 02 00 3C 03 13 00 14 00 00",
            .propertyNotAllowed, at: 13),
        RefusedPacket(
            "a property that does not exist", [.v5], "10 10 00 04 4D 51 54 54 05 02 00 3C 03 7F 00 14 00 00",
            .unknownProperty, at: 13),
        RefusedPacket("a cut CONNECT", [.v5], "10 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 05 70", .endsEarly, at: 15),
        RefusedPacket(
            "a will topic with a wildcard", [.v311],
            "10 14 00 04 4D 51 54 54 04 06 00 3C 00 01 70 00 03 61 2F 23 00 00", .topicHasWildcard, at: 17),
        RefusedPacket(
            "an empty will topic", [.v311], "10 11 00 04 4D 51 54 54 04 06 00 3C 00 01 70 00 00 00 00", .topicEmpty,
            at: 17),
        RefusedPacket(
            "a wildcard in a will's response topic", [.v5],
            "10 18 00 04 4D 51 54 54 05 06 00 3C 00 00 01 70 04 08 00 01 2B 00 01 77 00 00", .propertyValue, at: 21),
        RefusedPacket(
            "a user name that is no text [MQTT-3.1.3-12]", [.v5],
            "10 12 00 04 4D 51 54 54 05 82 00 3C 00 00 01 70 00 02 C0 80", .invalidUTF8, at: 18),
        RefusedPacket(
            "NUL in a client id [MQTT-1.5.4-2]", [.v31], "10 10 00 06 4D 51 49 73 64 70 03 02 00 3C 00 02 61 00",
            .invalidUTF8, at: 16),
        RefusedPacket(
            "3.1's name with 3.1.1's level", [.v311], "10 0F 00 06 4D 51 49 73 64 70 04 02 00 3C 00 01 70",
            .unsupportedProtocolLevel, at: 10),
        RefusedPacket(
            "an extended will delay in CONNECT", [.v5],
            "10 13 00 04 4D 51 54 54 05 02 00 3C 05 18 00 00 00 01 00 01 70", .propertyNotAllowed, at: 13),
        RefusedPacket(
            "a Maximum Packet Size of 0", [.v5], "10 13 00 04 4D 51 54 54 05 02 00 3C 05 27 00 00 00 00 00 01 70",
            .propertyValue, at: 13),
        RefusedPacket(
            "Request Problem Information of 2", [.v5], "10 10 00 04 4D 51 54 54 05 02 00 3C 02 17 02 00 01 70",
            .propertyValue, at: 13),
        RefusedPacket(
            "a CONNACK with reserved flags [MQTT-3.2.2-1]", [.v31, .v311], "20 02 02 00", .reservedBits, at: 2),
        RefusedPacket("half a CONNACK", [.v31, .v311, .v5], "20 01 00", .endsEarly, at: 3),
        RefusedPacket("a CONNACK with more than 3.1.1 has", [.v31, .v311], "20 03 00 00 00", .trailingBytes, at: 4),
        RefusedPacket("a CONNACK with reserved flags [MQTT-3.2.2-1]", [.v5], "20 03 02 00 00", .reservedBits, at: 2),
        RefusedPacket(
            "a CONNACK with a property twice", [.v5], "20 09 00 00 06 21 00 01 21 00 01", .propertyTwice, at: 8),
        RefusedPacket("a CONNACK with Maximum QoS 2", [.v5], "20 05 00 00 02 24 02", .propertyValue, at: 5),
    ]

    private static let publishing: [RefusedPacket] = [
        RefusedPacket("QoS 3 [MQTT-3.3.1-4]", [.v31, .v311], "36 07 00 03 61 2F 62 00 07", .qosThree, at: 0),
        RefusedPacket(
            "a repetition at QoS 0 [MQTT-3.3.1-2]", [.v31, .v311], "38 05 00 03 61 2F 62", .duplicateWithoutQoS, at: 0),
        RefusedPacket(
            "a wildcard in a name [MQTT-3.3.2-2]", [.v31, .v311], "30 05 00 03 61 2F 2B", .topicHasWildcard, at: 4),
        RefusedPacket("a name that is no text", [.v31, .v311], "30 05 00 03 61 C0 80", .invalidUTF8, at: 4),
        RefusedPacket(
            "a surrogate in a name [MQTT-1.5.4-1]", [.v31, .v311], "30 05 00 03 ED A0 80", .invalidUTF8, at: 4),
        RefusedPacket(
            "packet identifier 0 [MQTT-2.3.1-1]", [.v31, .v311], "32 07 00 03 61 2F 62 00 00", .packetIDZero, at: 7),
        RefusedPacket("a name longer than the packet", [.v31, .v311, .v5], "30 05 00 09 61 2F 62", .endsEarly, at: 4),
        RefusedPacket("no packet identifier", [.v31, .v311, .v5], "32 05 00 03 61 2F 62", .endsEarly, at: 7),
        RefusedPacket(
            "a length of five bytes", [.v31, .v311, .v5], "30 FF FF FF FF 01", .remainingLengthTooLong, at: 4),
        RefusedPacket(
            "a length that is too long [MQTT-1.5.5-1]", [.v31, .v311, .v5], "30 80 00", .variableLengthNotMinimal, at: 2
        ),
        RefusedPacket("an empty name [MQTT-4.7.3-1]", [.v31, .v311], "30 02 00 00", .topicEmpty, at: 4),
        RefusedPacket("QoS 3 [MQTT-3.3.1-4]", [.v5], "36 08 00 03 61 2F 62 00 07 00", .qosThree, at: 0),
        RefusedPacket(
            "a repetition at QoS 0 [MQTT-3.3.1-2]", [.v5], "38 06 00 03 61 2F 62 00", .duplicateWithoutQoS, at: 0),
        RefusedPacket(
            "a wildcard in a name [MQTT-3.3.2-2]", [.v5], "30 06 00 03 61 2F 2B 00", .topicHasWildcard, at: 4),
        RefusedPacket("a name that is no text", [.v5], "30 06 00 03 61 C0 80 00", .invalidUTF8, at: 4),
        RefusedPacket("a surrogate in a name [MQTT-1.5.4-1]", [.v5], "30 06 00 03 ED A0 80 00", .invalidUTF8, at: 4),
        RefusedPacket(
            "packet identifier 0 [MQTT-2.3.1-1]", [.v5], "32 08 00 03 61 2F 62 00 00 00", .packetIDZero, at: 7),
        RefusedPacket("an empty name without an alias", [.v5], "30 03 00 00 00", .propertyValue, at: 4),
        RefusedPacket("properties longer than the packet", [.v5], "30 06 00 03 61 2F 62 09", .endsEarly, at: 8),
        RefusedPacket("no property length", [.v5], "30 05 00 03 61 2F 62", .endsEarly, at: 7),
        RefusedPacket(
            "a property length that is too long [MQTT-1.5.5-1]", [.v5], "30 07 00 03 61 2F 62 80 00",
            .variableLengthNotMinimal, at: 7),
        RefusedPacket(
            "a topic alias of 0 [MQTT-3.3.2-8]", [.v5], "30 09 00 03 61 2F 62 03 23 00 00", .topicAliasZero, at: 8),
        RefusedPacket(
            "a topic alias twice", [.v5], "30 0C 00 03 61 2F 62 06 23 00 01 23 00 01", .propertyTwice, at: 11),
        RefusedPacket(
            "a wildcard in a response topic [MQTT-3.3.2-14]", [.v5], "30 08 00 01 61 04 08 00 01 23", .propertyValue,
            at: 9),
        RefusedPacket("a payload format of 2", [.v5], "30 06 00 01 61 02 01 02", .propertyValue, at: 6),
        RefusedPacket(
            "a content type that is no text [MQTT-3.3.2-19]", [.v5], "30 08 00 01 61 04 03 00 01 FF", .invalidUTF8,
            at: 9),
        RefusedPacket(
            "a user property that is no text [MQTT-1.5.7-1]", [.v5], "30 0B 00 01 61 07 26 00 01 6B 00 01 FF",
            .invalidUTF8, at: 12),
        RefusedPacket(
            "a property of another packet", [.v5], "30 09 00 01 61 05 11 00 00 00 01", .propertyNotAllowed, at: 6),
        RefusedPacket("a property that does not exist", [.v5], "30 06 00 01 61 02 7F 01", .unknownProperty, at: 6),
    ]

    private static let subscribing: [RefusedPacket] = [
        RefusedPacket("a SUBSCRIBE for nothing [MQTT-3.8.3-2]", [.v31, .v311], "82 02 00 0A", .noFilter, at: 4),
        RefusedPacket(
            "a SUBSCRIBE at QoS 3 [MQTT-3.8.3-4]", [.v31, .v311], "82 06 00 0A 00 01 61 03", .qosThree, at: 7),
        RefusedPacket(
            "a SUBSCRIBE without flags [MQTT-3.8.1-1]", [.v31, .v311], "80 06 00 0A 00 01 61 00", .wrongFlags, at: 0),
        RefusedPacket(
            "a SUBSCRIBE with packet identifier 0", [.v31, .v311], "82 06 00 00 00 01 61 00", .packetIDZero, at: 2),
        RefusedPacket("a SUBSCRIBE without options", [.v31, .v311], "82 05 00 0A 00 01 61", .endsEarly, at: 7),
        RefusedPacket(
            "a filter that is no text [MQTT-3.8.3-1]", [.v31, .v311], "82 06 00 0A 00 01 FF 00", .invalidUTF8, at: 6),
        RefusedPacket("an UNSUBSCRIBE from nothing [MQTT-3.10.3-2]", [.v31, .v311], "A2 02 00 0A", .noFilter, at: 4),
        RefusedPacket(
            "an UNSUBSCRIBE without flags [MQTT-3.10.1-1]", [.v31, .v311], "A0 05 00 0A 00 01 61", .wrongFlags, at: 0),
        RefusedPacket("a SUBACK of packet 0", [.v31, .v311], "90 03 00 00 00", .packetIDZero, at: 2),
        RefusedPacket("an UNSUBACK with flags", [.v31, .v311, .v5], "B2 02 00 07", .wrongFlags, at: 0),
        RefusedPacket(
            "options that 3.1.1 lacks [MQTT-3.8.3-4]", [.v31, .v311], "82 06 00 0A 00 01 61 04", .reservedBits, at: 7),
        RefusedPacket("a SUBSCRIBE for nothing [MQTT-3.8.3-2]", [.v5], "82 03 00 0A 00", .noFilter, at: 5),
        RefusedPacket("a SUBSCRIBE at QoS 3 [MQTT-3.8.3-4]", [.v5], "82 07 00 0A 00 00 01 61 03", .qosThree, at: 8),
        RefusedPacket(
            "a SUBSCRIBE without flags [MQTT-3.8.1-1]", [.v5], "80 07 00 0A 00 00 01 61 00", .wrongFlags, at: 0),
        RefusedPacket(
            "a SUBSCRIBE with packet identifier 0", [.v5], "82 07 00 00 00 00 01 61 00", .packetIDZero, at: 2),
        RefusedPacket("a SUBSCRIBE without options", [.v5], "82 06 00 0A 00 00 01 61", .endsEarly, at: 8),
        RefusedPacket(
            "a filter that is no text [MQTT-3.8.3-1]", [.v5], "82 07 00 0A 00 00 01 FF 00", .invalidUTF8, at: 7),
        RefusedPacket("an UNSUBSCRIBE from nothing [MQTT-3.10.3-2]", [.v5], "A2 03 00 0A 00", .noFilter, at: 5),
        RefusedPacket(
            "an UNSUBSCRIBE without flags [MQTT-3.10.1-1]", [.v5], "A0 06 00 0A 00 00 01 61", .wrongFlags, at: 0),
        RefusedPacket("a SUBACK of packet 0", [.v5], "90 04 00 00 00 00", .packetIDZero, at: 2),
        RefusedPacket(
            "a subscription identifier of 0", [.v5], "82 09 00 0A 02 0B 00 00 01 61 00", .propertyValue, at: 5),
        RefusedPacket(
            "two subscription identifiers in a SUBSCRIBE", [.v5], "82 0B 00 0A 04 0B 01 0B 02 00 01 61 00",
            .propertyTwice, at: 7),
        RefusedPacket("reserved options [MQTT-3.8.3-5]", [.v5], "82 07 00 0A 00 00 01 61 40", .reservedBits, at: 8),
        RefusedPacket("retain handling 3 [MQTT-3.8.3-5]", [.v5], "82 07 00 0A 00 00 01 61 30", .reservedBits, at: 8),
        RefusedPacket("a SUBACK without property length", [.v5], "90 02 00 07", .endsEarly, at: 4),
    ]

    private static let acknowledging: [RefusedPacket] = [
        RefusedPacket("an acknowledgement of packet 0", [.v31, .v311, .v5], "40 02 00 00", .packetIDZero, at: 2),
        RefusedPacket("half an acknowledgement", [.v31, .v311, .v5], "50 01 07", .endsEarly, at: 2),
        RefusedPacket("a PUBREL without flags [MQTT-3.6.1-1]", [.v31, .v311, .v5], "60 02 00 07", .wrongFlags, at: 0),
        RefusedPacket("a PUBCOMP with flags", [.v31, .v311, .v5], "72 02 00 07", .wrongFlags, at: 0),
        RefusedPacket(
            "an acknowledgement with more than 3.1.1 has", [.v31, .v311], "40 03 00 07 00", .trailingBytes, at: 4),
        RefusedPacket(
            "a PUBACK with a property of another packet", [.v5], "40 06 00 07 00 02 01 01", .propertyNotAllowed, at: 6),
        RefusedPacket(
            "a PUBACK with two reason strings", [.v5], "40 0C 00 07 00 08 1F 00 01 61 1F 00 01 61", .propertyTwice,
            at: 10),
        RefusedPacket(
            "a PUBACK with bytes behind its properties", [.v5], "40 05 00 07 00 00 00", .trailingBytes, at: 6),
    ]

    private static let ending: [RefusedPacket] = [
        RefusedPacket("a ping with a body", [.v31, .v311, .v5], "C0 01 00", .trailingBytes, at: 2),
        RefusedPacket("a ping with flags", [.v31, .v311, .v5], "C1 00", .wrongFlags, at: 0),
        RefusedPacket("a DISCONNECT with flags [MQTT-3.14.1-1]", [.v31, .v311, .v5], "E1 00", .wrongFlags, at: 0),
        RefusedPacket("packet type 0", [.v31, .v311, .v5], "00 00", .reservedPacketType, at: 0),
        RefusedPacket("an answer with a body", [.v31, .v311, .v5], "D0 01 00", .trailingBytes, at: 2),
        RefusedPacket("a DISCONNECT with a body", [.v31, .v311], "E0 01 00", .trailingBytes, at: 2),
        RefusedPacket(
            "a DISCONNECT with a property of another packet", [.v5], "E0 05 00 03 21 00 01", .propertyNotAllowed, at: 4),
        RefusedPacket("a DISCONNECT with bytes behind its properties", [.v5], "E0 03 00 00 00", .trailingBytes, at: 4),
        RefusedPacket("an AUTH with flags [MQTT-3.15.1-1]", [.v5], "F1 00", .wrongFlags, at: 0),
        RefusedPacket(
            "an AUTH with a property of another packet", [.v5], "F0 05 18 03 21 00 01", .propertyNotAllowed, at: 4),
        RefusedPacket("an AUTH with a method that is no text", [.v5], "F0 06 18 04 15 00 01 FF", .invalidUTF8, at: 7),
    ]
}

extension RefusedPacket: CustomStringConvertible {
    package var description: String { name }
}
