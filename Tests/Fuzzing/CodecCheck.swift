import KnownPackets
package import MQTTCodec

/// What must hold for the packet reader, whatever the bytes are.
package enum CodecCheck {
    package static func check(_ bytes: [UInt8], _ version: ProtocolVersion) throws(Finding) {
        guard let packet = try? Packet(bytes, version) else { return }
        try expect(bytes.count >= 2, "a packet of \(bytes.count) bytes")
        try checkRewriting(packet, version)
    }

    /// What was understood can be said again, and means the same then.
    private static func checkRewriting(_ packet: Packet, _ version: ProtocolVersion) throws(Finding) {
        var version = version
        switch packet {
        case .connect(let connect): version = connect.version
        // Before version 5 there are fewer words than were read into it: codes are mapped to the nearest.
        case .connack, .suback: return
        default: break
        }
        let written = packet.bytes(version)
        let again = try? Packet(written, version)
        try expect(again == packet, "\(packet) was written as \(written), which means something else")
    }

    /// Cut anywhere, a packet is not understood; and what is refused early is refused when it is whole.
    package static func checkCuts(_ bytes: [UInt8], _ version: ProtocolVersion) throws(Finding) {
        let whole = outcome(bytes, version)
        let end = whole.length ?? bytes.count
        for count in 0..<min(end, bytes.count) {
            let part = outcome(Array(bytes[..<count]), version)
            try expect(!part.isPacket, "the first \(count) bytes are taken for a packet")
            if let error = part.error { try expect(whole.error == error, "\(error) after \(count) bytes") }
        }
    }

    private struct Outcome {
        var isPacket = false
        var length: Int?
        var error: DecodeError?
    }

    private static func outcome(_ bytes: [UInt8], _ version: ProtocolVersion) -> Outcome {
        do throws(DecodeError) {
            let header = try FixedHeader.parse(bytes.span, version: version)
            let packet = try Packet(bytes, version)
            return Outcome(isPacket: packet != nil, length: header?.length)
        } catch {
            return Outcome(error: error)
        }
    }
}
