import Bytes
import Testing

@testable import MQTTCodec

struct PropertyTests {
    /// Where each property may stand, from table 2-4 of the standard; "W" is the will.
    private static let table: [(Property, [UInt8], String)] = [
        (.payloadFormatIndicator, [1], "PUBLISH W"), (.messageExpiryInterval, [0, 0, 0, 1], "PUBLISH W"),
        (.contentType, [0, 1, 0x61], "PUBLISH W"), (.responseTopic, [0, 1, 0x61], "PUBLISH W"),
        (.correlationData, [0, 1, 0], "PUBLISH W"), (.subscriptionIdentifier, [1], "PUBLISH SUBSCRIBE"),
        (.sessionExpiryInterval, [0, 0, 0, 1], "CONNECT CONNACK DISCONNECT"),
        (.assignedClientIdentifier, [0, 1, 0x61], "CONNACK"), (.serverKeepAlive, [0, 1], "CONNACK"),
        (.authenticationMethod, [0, 1, 0x61], "CONNECT CONNACK AUTH"),
        (.authenticationData, [0, 1, 0], "CONNECT CONNACK AUTH"), (.requestProblemInformation, [1], "CONNECT"),
        (.willDelayInterval, [0, 0, 0, 1], "W"), (.requestResponseInformation, [1], "CONNECT"),
        (.responseInformation, [0, 1, 0x61], "CONNACK"), (.serverReference, [0, 1, 0x61], "CONNACK DISCONNECT"),
        (
            .reasonString, [0, 1, 0x61],
            "CONNACK PUBACK PUBREC PUBREL PUBCOMP SUBACK UNSUBACK DISCONNECT AUTH"
        ),
        (.receiveMaximum, [0, 1], "CONNECT CONNACK"), (.topicAliasMaximum, [0, 1], "CONNECT CONNACK"),
        (.topicAlias, [0, 1], "PUBLISH"), (.maximumQoS, [1], "CONNACK"), (.retainAvailable, [1], "CONNACK"),
        (
            .userProperty, [0, 1, 0x61, 0, 0],
            "CONNECT CONNACK PUBLISH W PUBACK PUBREC PUBREL PUBCOMP SUBSCRIBE SUBACK UNSUBSCRIBE UNSUBACK DISCONNECT AUTH"
        ),
        (.maximumPacketSize, [0, 0, 0, 1], "CONNECT CONNACK"), (.wildcardSubscriptionAvailable, [1], "CONNACK"),
        (.subscriptionIdentifiersAvailable, [1], "CONNACK"), (.sharedSubscriptionAvailable, [1], "CONNACK"),
    ]

    private static let places: [(name: String, place: Property.Place)] =
        [("W", .will)]
        + PacketType.allCases.filter { $0 != .pingreq && $0 != .pingresp }
        .map { ("\($0)".uppercased(), .packet($0)) }

    private func refusal(_ bytes: [UInt8], _ place: Property.Place) -> DecodeError.Reason? {
        do throws(DecodeError) {
            _ = try Properties(bytes.span, 0..<bytes.count, in: place)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test func `the table has every property`() {
        #expect(Set(Self.table.map(\.0)) == Set(Property.allCases))
    }

    @Test func `each property stands where the standard allows it and nowhere else`() {
        for (property, value, allowed) in Self.table {
            for (name, place) in Self.places {
                let expected: DecodeError.Reason? =
                    allowed.split(separator: " ").contains(Substring(name)) ? nil : .propertyNotAllowed
                #expect(refusal([property.rawValue] + value, place) == expected, "\(property) in \(name)")
            }
        }
    }

    @Test func `only user properties, and a PUBLISH's subscription identifiers, may repeat`() {
        for (property, value, allowed) in Self.table {
            for (name, place) in Self.places where allowed.split(separator: " ").contains(Substring(name)) {
                let one = [property.rawValue] + value
                let mayRepeat = property == .userProperty || (property == .subscriptionIdentifier && name == "PUBLISH")
                #expect(refusal(one + one, place) == (mayRepeat ? nil : .propertyTwice), "\(property) in \(name)")
            }
        }
    }

    @Test func `a property that is cut is refused`() {
        for (property, value, allowed) in Self.table {
            for (name, place) in Self.places where allowed.split(separator: " ").contains(Substring(name)) {
                for length in 0..<value.count {
                    #expect(refusal([property.rawValue] + value.prefix(length), place) == .endsEarly)
                }
            }
        }
    }

    @Test func `numbers out of their bounds are refused`() {
        let connack = Property.Place.packet(.connack)
        for property in [Property.maximumQoS, .retainAvailable, .wildcardSubscriptionAvailable] {
            #expect(refusal([property.rawValue, 2], connack) == .propertyValue)
        }
        #expect(refusal([Property.receiveMaximum.rawValue, 0, 0], connack) == .propertyValue)
        #expect(refusal([Property.maximumPacketSize.rawValue, 0, 0, 0, 0], connack) == .propertyValue)
        #expect(refusal([Property.requestProblemInformation.rawValue, 2], .packet(.connect)) == .propertyValue)
        #expect(refusal([Property.payloadFormatIndicator.rawValue, 2], .will) == .propertyValue)
    }

    @Test func `an unknown property is refused`() {
        for identifier: UInt8 in [0x00, 0x04, 0x7F, 0xFF] {
            #expect(refusal([identifier, 0], .packet(.connect)) == .unknownProperty)
        }
    }

    @Test func `texts in properties are checked, binary data is not`() {
        #expect(refusal([Property.reasonString.rawValue, 0, 1, 0xFF], .packet(.connack)) == .invalidUTF8)
        #expect(refusal([Property.userProperty.rawValue, 0, 1, 0x61, 0, 1, 0x00], .packet(.connect)) == .invalidUTF8)
        #expect(refusal([Property.correlationData.rawValue, 0, 2, 0x00, 0xFF], .packet(.publish)) == nil)
    }

    @Test func `what belongs to the hop is left out when a message is passed on`() throws {
        let bytes: [UInt8] = [
            0x30, 0x1A, 0, 1, 0x61, 0x15, 0x02, 0, 0, 0, 9, 0x26, 0, 1, 0x6B, 0, 1, 0x76, 0x23, 0, 1, 0x0B, 1, 0x03, 0,
            1,
            0x74, 0x78,
        ]
        let header = try #require(try FixedHeader.parse(bytes.span))
        let publish = try PublishHeader(bytes.span, header, version: .v5)
        #expect(publish.messageExpiry == 9 && publish.topicAlias == 1 && publish.hasSubscriptionIdentifier)
        var forwarded: [UInt8] = []
        publish.appendForwardable(from: bytes.span, to: &forwarded)
        #expect(forwarded == [0x26, 0, 1, 0x6B, 0, 1, 0x76, 0x03, 0, 1, 0x74])
    }
}
