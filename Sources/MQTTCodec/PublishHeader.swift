import Bytes

/// A PUBLISH packet, taken apart but not copied: ranges into the bytes it was read from. [MQTT 5, section 3.3]
///
/// This is the hot path: no allocation and no String.
package struct PublishHeader: Equatable, Sendable {
    package var qos: QoS
    package var retain: Bool
    package var duplicate: Bool
    /// 0 at QoS 0.
    package var packetID: UInt16 = 0
    /// Counted from the first byte of the packet, as are the other ranges.
    ///
    /// Empty only in version 5 (a topic alias).
    package var topic: Range<Int>
    /// The properties without their length; checked.
    ///
    /// Empty in 3.1.1.
    package var properties: Range<Int>
    package var payload: Range<Int>
    /// In seconds.
    package var messageExpiry: UInt32?
    package var topicAlias: UInt16?
    /// Whether all properties may be passed on as they are; if not, use `PublishHeader.appendForwardable`.
    package var forwardsAllProperties = true
    package var hasSubscriptionIdentifier = false
    /// Whether the publisher says that the payload is UTF-8 text. [MQTT-3.3.2-4]
    package var payloadIsText = false

    /// Reads the PUBLISH packet that `bytes` begins with.
    package init(_ bytes: Span<UInt8>, _ header: FixedHeader, version: ProtocolVersion) throws(DecodeError) {
        var reader = try header.body(of: bytes)
        // [MQTT-3.3.1-4]
        guard let qos = QoS(rawValue: header.flags >> 1 & 3) else { throw DecodeError(.qosThree, at: 0) }
        self.qos = qos
        retain = header.flags & 1 == 1
        duplicate = header.flags & 8 == 8
        if duplicate, qos == .atMostOnce { throw DecodeError(.duplicateWithoutQoS, at: 0) }  // [MQTT-3.3.1-2]
        topic = try reader.prefixedRange()  // [MQTT-3.3.2-1]
        if !Topic.isValidName(bytes, topic) { try Self.checkName(bytes, topic, version) }
        if qos != .atMostOnce { packetID = try reader.packetID() }
        properties = reader.offset..<reader.offset
        if version == .v5 {
            let length = try reader.variableByteInteger()
            properties = try reader.range(length)
        }
        payload = reader.offset..<header.length
        if !properties.isEmpty { try readProperties(bytes) }
        if topic.isEmpty, topicAlias == nil { throw DecodeError(.propertyValue, at: topic.lowerBound) }
    }

    /// Why the name was refused; an empty one is legal in version 5, where an alias may stand for it.
    private static func checkName(
        _ bytes: Span<UInt8>, _ topic: Range<Int>, _ version: ProtocolVersion
    ) throws(DecodeError) {
        if topic.isEmpty {
            guard version == .v5 else { throw DecodeError(.topicEmpty, at: topic.lowerBound) }
            return
        }
        let isText = UTF8Text.isValid(bytes, topic)
        throw DecodeError(isText ? .topicHasWildcard : .invalidUTF8, at: topic.lowerBound)
    }

    private mutating func readProperties(_ bytes: Span<UInt8>) throws(DecodeError) {
        var items = PropertyReader(bytes, properties, in: .packet(.publish))
        while let item = try items.next() {
            switch item.property {
            case .messageExpiryInterval:
                messageExpiry = item.number
                forwardsAllProperties = false
            case .topicAlias:
                topicAlias = UInt16(truncatingIfNeeded: item.number)
                forwardsAllProperties = false
            case .subscriptionIdentifier:
                hasSubscriptionIdentifier = true
                forwardsAllProperties = false
            case .payloadFormatIndicator: payloadIsText = item.number == 1
            case .responseTopic:
                // [MQTT-3.3.2-14]
                guard Topic.isValidName(bytes, item.first) else {
                    throw DecodeError(.propertyValue, at: item.first.lowerBound)
                }
            default: break
            }
        }
    }

    /// Appends the properties that belong to the message and not to the hop: all but expiry (which is counted
    /// down), topic alias and subscription identifiers. [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16]
    /// [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20]
    package func appendForwardable(from bytes: Span<UInt8>, to output: inout [UInt8]) {
        guard !forwardsAllProperties else {
            output.append(copying: bytes.extracting(properties))
            return
        }
        var items = PropertyReader(bytes, properties, in: .packet(.publish))
        // Read once already without an error, so the loop ends at the end.
        while let item = try? items.next() {
            switch item.property {
            case .messageExpiryInterval, .topicAlias, .subscriptionIdentifier: break
            default: output.append(copying: bytes.extracting(item.whole))
            }
        }
    }
}
