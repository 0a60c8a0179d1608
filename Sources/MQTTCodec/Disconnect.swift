import Bytes

/// The last packet of a connection, from either side in version 5. [MQTT 5, section 3.14]
package struct Disconnect: Equatable, Sendable {
    package var reasonCode: ReasonCode
    package var properties = Properties()

    package init(reasonCode: ReasonCode = .success) {
        self.reasonCode = reasonCode
    }

    /// Reads the DISCONNECT packet that `bytes` begins with.
    ///
    /// Without a body it means success.
    package init(_ bytes: Span<UInt8>, _ header: FixedHeader, version: ProtocolVersion) throws(DecodeError) {
        var reader = try header.body(of: bytes)
        reasonCode = .success
        guard version == .v5 else {
            try reader.end()
            return
        }
        if reader.remaining > 0 { reasonCode = ReasonCode(rawValue: try reader.byte()) }
        if reader.remaining > 0 {
            properties = try Properties(reading: &reader, of: bytes, in: .packet(.disconnect))
        }
        try reader.end()
    }

    /// Appends the packet.
    package func encode(into output: inout [UInt8], version: ProtocolVersion) {
        var body: [UInt8] = []
        if version == .v5, reasonCode != .success || !properties.isEmpty {
            body.append(reasonCode.rawValue)
            if !properties.isEmpty { properties.encode(into: &body) }
        }
        output.append(packet: .disconnect, body: body)
    }
}

/// PINGREQ and PINGRESP have no body.
package enum Ping {
    package static func encode(_ type: PacketType, into output: inout [UInt8]) {
        output.append(type.firstByte)
        output.append(0)
    }

    package static func check(_ header: FixedHeader) throws(DecodeError) {
        guard header.length == header.bodyStart else { throw DecodeError(.trailingBytes, at: header.bodyStart) }
    }
}
