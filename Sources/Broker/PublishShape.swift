import Bytes
import MQTTCodec

/// The sizes and small fields of an outgoing PUBLISH, from which its bytes are laid down in order:
/// `appendStart`, the topic, `appendMiddle`, the properties, the payload.
struct PublishShape {
    var version: ProtocolVersion
    var qos: QoS
    var retain: Bool
    var duplicate = false
    var packetID: UInt16 = 0
    var topicLength: Int
    var propertiesLength: Int
    var payloadLength: Int
    /// Seconds left, or nil.
    var expiry: UInt32?
    /// 0 for none.
    var identifier: UInt32 = 0
    /// 0 for none; with an alias that the client knows, `topicLength` is 0.
    var alias: UInt16 = 0

    var firstByte: UInt8 {
        PacketType.publish.rawValue << 4 | (duplicate ? 8 : 0) | qos.rawValue << 1 | (retain ? 1 : 0)
    }

    /// Where the packet identifier stands, from the start of the packet.
    var packetIDPosition: Int {
        1 + VariableByteInteger.size(remainingLength) + 2 + topicLength
    }

    /// The whole packet in bytes.
    var length: Int { 1 + VariableByteInteger.size(remainingLength) + remainingLength }

    private var ownPropertiesLength: Int {
        guard version == .v5 else { return 0 }
        let identifierLength = identifier == 0 ? 0 : 1 + VariableByteInteger.size(Int(identifier))
        return propertiesLength + (expiry == nil ? 0 : 5) + identifierLength + (alias == 0 ? 0 : 3)
    }

    private var remainingLength: Int {
        let properties = ownPropertiesLength
        let prefix = version == .v5 ? VariableByteInteger.size(properties) : 0
        return 2 + topicLength + (qos == .atMostOnce ? 0 : 2) + prefix + properties + payloadLength
    }

    func appendStart(to output: inout [UInt8]) {
        output.append(firstByte)
        output.append(variableByteInteger: remainingLength)
        output.append(bigEndian: UInt16(clamping: topicLength))
    }

    func appendMiddle(to output: inout [UInt8]) {
        if qos != .atMostOnce { output.append(bigEndian: packetID) }  // [MQTT-2.2.1-2] (3.1.1: [MQTT-2.3.1-5])
        guard version == .v5 else { return }
        output.append(variableByteInteger: ownPropertiesLength)
        if let expiry {
            output.append(Property.messageExpiryInterval.rawValue)
            output.append(bigEndian: expiry)
        }
        if alias != 0 {
            output.append(Property.topicAlias.rawValue)
            output.append(bigEndian: alias)
        }
        if identifier != 0 {
            output.append(Property.subscriptionIdentifier.rawValue)
            output.append(variableByteInteger: Int(identifier))
        }
    }
}
