/// Why bytes are not an MQTT packet, and where.
package struct DecodeError: Error, Equatable, Sendable {
    package enum Reason: Equatable, Sendable {
        case endsEarly
        case trailingBytes
        case remainingLengthTooLong
        case variableLengthNotMinimal
        case reservedPacketType
        case wrongFlags
        case qosThree
        case duplicateWithoutQoS
        case packetIDZero
        case invalidUTF8
        case topicEmpty
        case topicHasWildcard
        case filterInvalid
        case noFilter
        case reservedBits
        case unknownProperty
        case propertyNotAllowed
        case propertyTwice
        case propertyValue
        case topicAliasZero
        case unknownProtocolName
        case unsupportedProtocolLevel
        case willFlags
        case passwordWithoutUserName
        case unknownReasonCode
        case packetTooLarge
    }

    package var reason: Reason
    /// Counted from the first byte of the packet.
    package var offset: Int

    package init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    /// What an MQTT 5 peer is told. [MQTT 5, section 4.13]
    package var reasonCode: ReasonCode {
        switch reason {
        case .propertyTwice, .propertyValue, .propertyNotAllowed, .noFilter: .protocolError
        case .topicHasWildcard, .topicEmpty: .topicNameInvalid
        case .filterInvalid: .topicFilterInvalid
        case .topicAliasZero: .topicAliasInvalid  // [MQTT-3.3.2-8]
        case .unsupportedProtocolLevel, .unknownProtocolName: .unsupportedProtocolVersion
        case .packetTooLarge: .packetTooLarge
        default: .malformedPacket
        }
    }
}

extension DecodeError: CustomStringConvertible {
    package var description: String { "\(reason) at byte \(offset)" }
}
