import Bytes
import Client
import KnownPackets
import MQTTCodec

/// What must hold for a client, whatever its server sends.
enum ClientCheck {
    static func check(_ bytes: [UInt8], _ version: ProtocolVersion, portion: Int, answersFirst: Bool) throws(Finding) {
        var settings = ClientSettings(clientID: [0x63])
        settings.version = version
        let now = ContinuousClock.Instant.now
        var client = ClientState(settings, now: now)
        client.transportOpened(now: now)
        if answersFirst {
            let connack: [UInt8] = version == .v5 ? [0x20, 3, 0, 0, 0] : [0x20, 2, 0, 0]
            client.received(connack.span, now: now)
            try expect(client.isConnected, "CONNACK was not understood")
        }
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + max(1, portion))
            client.received(bytes.span.extracting(start..<end), now: now)
            start = end
        }
        try checkEnd(of: client.takeEvents(), client.isConnected || !answersFirst)
        let output = client.takeOutput(now: now)
        try checkOutput(output, version)
    }

    private static func checkEnd(of events: [ClientEvent], _ isOpen: Bool) throws(Finding) {
        var closed = 0
        for case .closed(_) in events { closed += 1 }
        try expect(closed <= 1, "the connection ended \(closed) times")
        try expect(isOpen || closed == 1, "the connection ended and nobody was told")
    }

    private static func checkOutput(_ bytes: [UInt8], _ version: ProtocolVersion) throws(Finding) {
        var start = 0
        while start < bytes.count {
            guard let header = try? FixedHeader.parse(bytes.span, at: start, version: version),
                header.length <= bytes.count - start,
                (try? Packet(Array(bytes[start..<(start + header.length)]), version)) != nil
            else { throw Finding("the client wrote \(Hex.text(bytes)), which is no MQTT") }
            start += header.length
        }
    }
}
