import Bytes

/// PUBACK, PUBREC, PUBREL or PUBCOMP: four packets of one shape. [MQTT 5, sections 3.4 to 3.7]
package struct Acknowledgement: Equatable, Sendable {
    package var packetID: UInt16
    package var reasonCode: ReasonCode

    package init(packetID: UInt16, reasonCode: ReasonCode = .success) {
        self.packetID = packetID
        self.reasonCode = reasonCode
    }

    /// Reads the packet that `bytes` begins with.
    ///
    /// Reason string and user properties are checked and left out.
    package init(_ bytes: Span<UInt8>, _ header: FixedHeader, version: ProtocolVersion) throws(DecodeError) {
        var reader = try header.body(of: bytes)
        packetID = try reader.packetID()
        reasonCode = .success
        guard version == .v5 else {
            try reader.end()
            return
        }
        // Two bytes mean success, three a code without properties. [MQTT 5, section 3.4.2.1]
        if reader.remaining > 0 { reasonCode = ReasonCode(rawValue: try reader.byte()) }
        if reader.remaining > 0 {
            _ = try Properties(reading: &reader, of: bytes, in: .packet(header.type))
        }
        try reader.end()
    }

    /// Appends the packet, in its shortest form.
    ///
    /// No reason string or user property goes with it, so that none is too much or unwanted. [MQTT-3.4.2-2]
    /// [MQTT-3.4.2-3] [MQTT-3.5.2-2] [MQTT-3.5.2-3] [MQTT-3.6.2-2] [MQTT-3.6.2-3] [MQTT-3.7.2-2] [MQTT-3.7.2-3]
    package func encode(_ type: PacketType, into output: inout [UInt8], version: ProtocolVersion) {
        let isShort = version != .v5 || reasonCode == .success
        output.append(type.firstByte)
        output.append(isShort ? 2 : 3)
        output.append(bigEndian: packetID)
        if !isShort { output.append(reasonCode.rawValue) }
    }
}
