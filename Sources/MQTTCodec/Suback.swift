import Bytes

/// SUBACK and UNSUBACK: one reason code per filter, in order. [MQTT 5, sections 3.9 and 3.11]
package struct Suback: Equatable, Sendable {
    package var packetID: UInt16
    /// Granted QoS 0 to 2, or an error.
    ///
    /// Empty in 3.1.1's UNSUBACK, which carries none.
    package var reasonCodes: [ReasonCode]

    package init(packetID: UInt16, reasonCodes: [ReasonCode]) {
        self.packetID = packetID
        self.reasonCodes = reasonCodes
    }

    /// Reads the SUBACK or UNSUBACK packet that `bytes` begins with.
    package init(_ bytes: Span<UInt8>, _ header: FixedHeader, version: ProtocolVersion) throws(DecodeError) {
        var reader = try header.body(of: bytes)
        packetID = try reader.packetID()
        if version == .v5 {
            _ = try Properties(reading: &reader, of: bytes, in: .packet(header.type))
        }
        reasonCodes = []
        while reader.remaining > 0 {
            reasonCodes.append(ReasonCode(rawValue: try reader.byte()))
        }
    }

    /// Appends the packet.
    ///
    /// In 3.1.1 every failure of SUBACK is 0x80 [MQTT-3.9.3-2], and UNSUBACK has no codes.
    package func encode(_ type: PacketType, into output: inout [UInt8], version: ProtocolVersion) {
        var body: [UInt8] = []
        body.append(bigEndian: packetID)
        // No properties. [MQTT-3.9.2-1] [MQTT-3.9.2-2] [MQTT-3.11.2-1] [MQTT-3.11.2-2]
        if version == .v5 { body.append(0) }
        if version == .v5 || type == .suback {
            for code in reasonCodes {
                body.append(version != .v5 && code.isError ? 0x80 : code.rawValue)
            }
        }
        output.append(packet: type, body: body)
    }
}
