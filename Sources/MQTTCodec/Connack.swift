import Bytes

/// The server's answer to CONNECT. [MQTT 5, section 3.2]
package struct Connack: Equatable, Sendable {
    package var sessionPresent: Bool
    /// In 3.1.1 the return code 0 to 5 is mapped to and from the nearest reason code.
    package var reasonCode: ReasonCode
    package var properties = Properties()

    package init(sessionPresent: Bool = false, reasonCode: ReasonCode) {
        self.sessionPresent = sessionPresent
        self.reasonCode = reasonCode
    }

    /// Reads the CONNACK packet that `bytes` begins with.
    package init(_ bytes: Span<UInt8>, _ header: FixedHeader, version: ProtocolVersion) throws(DecodeError) {
        var reader = try header.body(of: bytes)
        let flags = try reader.byte()
        guard flags <= 1 else { throw DecodeError(.reservedBits, at: header.bodyStart) }
        sessionPresent = flags == 1
        let code = try reader.byte()
        reasonCode = version == .v5 ? ReasonCode(rawValue: code) : Self.reasonCode(returnCode: code)
        if version == .v5, code == 1, reader.remaining == 0 {
            // A server that knows only 3.1.1 says so in its own form. [MQTT-3.1.2-2]
            reasonCode = .unsupportedProtocolVersion
        } else if version == .v5 {
            properties = try Properties(reading: &reader, of: bytes, in: .packet(.connack))
        }
        try reader.end()
    }

    /// Appends the packet.
    package func encode(into output: inout [UInt8], version: ProtocolVersion) {
        // [MQTT-3.2.2-1]; 3.1 has no Session Present, its byte is reserved.
        var body: [UInt8] = [sessionPresent && version != .v31 ? 1 : 0]
        body.append(version == .v5 ? reasonCode.rawValue : returnCode)
        if version == .v5 { properties.encode(into: &body) }
        output.append(packet: .connack, body: body)
    }

    /// 3.1.1's return code, table 3.1.
    private var returnCode: UInt8 {
        switch reasonCode {
        case .success: 0
        case .unsupportedProtocolVersion: 1
        case .clientIdentifierNotValid: 2
        case .badUserNameOrPassword: 4
        case .notAuthorized, .banned: 5
        default: 3
        }
    }

    private static func reasonCode(returnCode: UInt8) -> ReasonCode {
        switch returnCode {
        case 0: .success
        case 1: .unsupportedProtocolVersion
        case 2: .clientIdentifierNotValid
        case 3: .serverUnavailable
        case 4: .badUserNameOrPassword
        case 5: .notAuthorized
        default: .unspecifiedError
        }
    }
}
