import Bytes

/// A request to end subscriptions. [MQTT 5, section 3.10]
package struct Unsubscribe: Equatable, Sendable {
    package var packetID: UInt16
    package var filters: [[UInt8]]

    package init(packetID: UInt16, filters: [[UInt8]]) {
        self.packetID = packetID
        self.filters = filters
    }

    /// Reads the UNSUBSCRIBE packet that `bytes` begins with.
    package init(_ bytes: Span<UInt8>, _ header: FixedHeader, version: ProtocolVersion) throws(DecodeError) {
        var reader = try header.body(of: bytes)
        packetID = try reader.packetID()
        if version == .v5 {
            _ = try Properties(reading: &reader, of: bytes, in: .packet(.unsubscribe))
        }
        filters = []
        guard reader.remaining > 0 else { throw DecodeError(.noFilter, at: reader.offset) }  // [MQTT-3.10.3-2]
        while reader.remaining > 0 {
            filters.append([UInt8](copying: bytes, try reader.text(of: bytes)))  // [MQTT-3.10.3-1]
        }
    }

    /// Appends the packet.
    package func encode(into output: inout [UInt8], version: ProtocolVersion) {
        var body: [UInt8] = []
        body.append(bigEndian: packetID)
        if version == .v5 { body.append(0) }
        for filter in filters { body.append(prefixed: filter) }
        output.append(packet: .unsubscribe, body: body)
    }
}
