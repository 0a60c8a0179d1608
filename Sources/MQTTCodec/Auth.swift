import Bytes

/// One step of an authentication that takes more than a password. [MQTT 5, section 3.15]
package struct Auth: Equatable, Sendable {
    /// Success, continue authentication, or re-authenticate.
    package var reasonCode: ReasonCode
    package var properties = Properties()

    package init(reasonCode: ReasonCode = .success) {
        self.reasonCode = reasonCode
    }

    /// Reads the AUTH packet that `bytes` begins with.
    ///
    /// Without a body it means success.
    package init(_ bytes: Span<UInt8>, _ header: FixedHeader) throws(DecodeError) {
        var reader = try header.body(of: bytes)
        reasonCode = .success
        if reader.remaining > 0 { reasonCode = ReasonCode(rawValue: try reader.byte()) }
        if reader.remaining > 0 {
            properties = try Properties(reading: &reader, of: bytes, in: .packet(.auth))
        }
        try reader.end()
    }

    /// Appends the packet.
    package func encode(into output: inout [UInt8]) {
        var body: [UInt8] = []
        if reasonCode != .success || !properties.isEmpty {
            body.append(reasonCode.rawValue)
            properties.encode(into: &body)
        }
        output.append(packet: .auth, body: body)
    }
}
