import Bytes

/// A PUBLISH packet that owns its bytes, for senders and for receivers off the hot path.
package struct Publish: Equatable, Sendable {
    package var topic: [UInt8]
    package var payload: [UInt8]
    package var qos: QoS
    package var retain: Bool
    package var duplicate = false
    /// 0 at QoS 0.
    package var packetID: UInt16 = 0
    package var properties = Properties()

    package init(topic: [UInt8], payload: [UInt8], qos: QoS = .atMostOnce, retain: Bool = false) {
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.retain = retain
    }

    /// Reads the PUBLISH packet that `bytes` begins with.
    package init(_ bytes: Span<UInt8>, _ header: FixedHeader, version: ProtocolVersion) throws(DecodeError) {
        let parts = try PublishHeader(bytes, header, version: version)
        topic = [UInt8](copying: bytes, parts.topic)
        payload = [UInt8](copying: bytes, parts.payload)
        qos = parts.qos
        retain = parts.retain
        duplicate = parts.duplicate
        packetID = parts.packetID
        if !parts.properties.isEmpty {
            properties = try Properties(bytes, parts.properties, in: .packet(.publish))
        }
    }

    /// Appends the packet; the topic is at most 65,535 bytes long and a legal name, which the caller has checked.
    package func encode(into output: inout [UInt8], version: ProtocolVersion) {
        var head: [UInt8] = []
        head.append(prefixed: topic)
        if qos != .atMostOnce { head.append(bigEndian: packetID) }
        if version == .v5 { properties.encode(into: &head) }
        output.append(
            PacketType.publish.rawValue << 4 | (duplicate ? 8 : 0) | qos.rawValue << 1 | (retain ? 1 : 0))
        output.append(variableByteInteger: head.count + payload.count)
        output.append(contentsOf: head)
        output.append(contentsOf: payload)
    }
}
