import Bytes
import Testing

@testable import MQTTCodec

/// Bytes that are no packet, and why not.
@Suite struct RefusalTests {
    struct Refused: CustomTestStringConvertible {
        var name: String
        var version: ProtocolVersion
        var hex: String
        var error: DecodeError

        var testDescription: String { name }

        init(_ name: String, _ version: ProtocolVersion, _ hex: String, _ reason: DecodeError.Reason, at offset: Int) {
            self.name = name
            self.version = version
            self.hex = hex
            error = DecodeError(reason, at: offset)
        }
    }

    static let connects: [Refused] = [
        Refused(
            "another protocol [MQTT-3.1.2-1]", .v311, "10 0C 00 04 4D 51 54 51 04 02 00 3C 00 00", .unknownProtocolName,
            at: 4),
        Refused(
            "a level of the future [MQTT-3.1.2-2]", .v5, "10 0C 00 04 4D 51 54 54 06 02 00 3C 00 00",
            .unsupportedProtocolLevel, at: 8),
        Refused(
            "the reserved flag [MQTT-3.1.2-3]", .v311, "10 0C 00 04 4D 51 54 54 04 03 00 3C 00 00", .reservedBits, at: 9
        ),
        Refused(
            "a QoS without a will [MQTT-3.1.2-11]", .v311, "10 0C 00 04 4D 51 54 54 04 0A 00 3C 00 00", .willFlags,
            at: 9),
        Refused(
            "a will at QoS 3 [MQTT-3.1.2-12]", .v5, "10 0D 00 04 4D 51 54 54 05 1E 00 3C 00 00 00", .willFlags, at: 9),
        Refused(
            "a password without a name [MQTT-3.1.2-22]", .v311, "10 0F 00 04 4D 51 54 54 04 42 00 3C 00 00 00 01 70",
            .passwordWithoutUserName, at: 9),
        Refused(
            "a client id that is no text [MQTT-3.1.3-4]", .v311, "10 0D 00 04 4D 51 54 54 04 02 00 3C 00 01 FF",
            .invalidUTF8, at: 14),
        Refused(
            "bytes after the last field", .v311, "10 0D 00 04 4D 51 54 54 04 02 00 3C 00 00 00", .trailingBytes, at: 14),
        Refused(
            "a property twice [MQTT-3.1.2-11]", .v5, "10 13 00 04 4D 51 54 54 05 02 00 3C 06 21 00 14 21 00 14 00 00",
            .propertyTwice, at: 16),
        Refused(
            "a Receive Maximum of 0", .v5, "10 10 00 04 4D 51 54 54 05 02 00 3C 03 21 00 00 00 00", .propertyValue,
            at: 13),
        Refused(
            "a property of another packet", .v5, "10 10 00 04 4D 51 54 54 05 02 00 3C 03 13 00 14 00 00",
            .propertyNotAllowed, at: 13),
        Refused(
            "a property that does not exist", .v5, "10 10 00 04 4D 51 54 54 05 02 00 3C 03 7F 00 14 00 00",
            .unknownProperty, at: 13),
    ]

    static let others: [Refused] = [
        Refused("QoS 3 [MQTT-3.3.1-4]", .v311, "36 07 00 03 61 2F 62 00 07", .qosThree, at: 0),
        Refused("a repetition at QoS 0 [MQTT-3.3.1-2]", .v311, "38 05 00 03 61 2F 62", .duplicateWithoutQoS, at: 0),
        Refused("a wildcard in a name [MQTT-3.3.2-2]", .v311, "30 05 00 03 61 2F 2B", .topicHasWildcard, at: 4),
        Refused("a name that is no text", .v311, "30 05 00 03 61 C0 80", .invalidUTF8, at: 4),
        Refused("an empty name [MQTT-4.7.3-1]", .v311, "30 02 00 00", .topicEmpty, at: 4),
        Refused("an empty name without an alias", .v5, "30 03 00 00 00", .propertyValue, at: 4),
        Refused("packet identifier 0 [MQTT-2.3.1-1]", .v311, "32 07 00 03 61 2F 62 00 00", .packetIDZero, at: 7),
        Refused("a name longer than the packet", .v311, "30 05 00 09 61 2F 62", .endsEarly, at: 4),
        Refused("properties longer than the packet", .v5, "30 06 00 03 61 2F 62 09", .endsEarly, at: 8),
        Refused("a topic alias of 0 [MQTT-3.3.2-8]", .v5, "30 09 00 03 61 2F 62 03 23 00 00", .topicAliasZero, at: 8),
        Refused("a SUBSCRIBE for nothing [MQTT-3.8.3-2]", .v311, "82 02 00 0A", .noFilter, at: 4),
        Refused("a SUBSCRIBE at QoS 3 [MQTT-3.8.3-4]", .v311, "82 06 00 0A 00 01 61 03", .qosThree, at: 7),
        Refused("options that 3.1.1 lacks [MQTT-3.8.3-4]", .v311, "82 06 00 0A 00 01 61 04", .reservedBits, at: 7),
        Refused("retain handling 3 [MQTT-3.8.3-5]", .v5, "82 07 00 0A 00 00 01 61 30", .reservedBits, at: 8),
        Refused("an UNSUBSCRIBE from nothing [MQTT-3.10.3-2]", .v311, "A2 02 00 0A", .noFilter, at: 4),
        Refused("an acknowledgement of packet 0", .v311, "40 02 00 00", .packetIDZero, at: 2),
        Refused("an acknowledgement with more than 3.1.1 has", .v311, "40 03 00 07 00", .trailingBytes, at: 4),
        Refused("a CONNACK with reserved flags [MQTT-3.2.2-1]", .v311, "20 02 02 00", .reservedBits, at: 2),
        Refused("a ping with a body", .v311, "C0 01 00", .trailingBytes, at: 2),
        Refused("packet type 0", .v311, "00 00", .reservedPacketType, at: 0),
    ]

    @Test(arguments: connects + others)
    func `what the standard forbids is refused with its reason and place`(refused: Refused) throws {
        let bytes = try #require(Hex.bytes(refused.hex))
        #expect(throws: refused.error) { try Packet(bytes, refused.version) }
    }

    @Test func `an MQTT 5 password needs no name`() throws {
        let bytes = try #require(Hex.bytes("10 10 00 04 4D 51 54 54 05 42 00 3C 00 00 00 00 01 70"))
        let packet = try Packet(bytes, .v5)
        guard case .connect(let connect) = packet else { return #expect(packet != nil, "a CONNECT") }
        #expect(connect.password == [0x70] && connect.userName == nil)
    }
}
