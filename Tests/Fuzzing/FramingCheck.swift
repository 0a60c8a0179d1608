import Bytes
import Framing

/// What must hold for the readers of what is around MQTT: WebSocket, its HTTP request, PROXY, certificates.
enum FramingCheck {
    static let seeds: [[UInt8]] = [
        Array(
            """
            GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
            Sec-WebSocket-Protocol: mqtt\r\nOrigin: http://here\r\n\r\n
            """.utf8),
        [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A, 0x21, 0x11, 0x00, 0x0C]
            + [192, 0, 2, 1, 192, 0, 2, 2, 0xC3, 0x50, 0x07, 0x5B],
        [0x82, 0x85, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x89, 0x81, 1, 2, 3, 4, 5, 0x02, 0x81, 0, 0, 0, 0, 1]
            + [0x80, 0xFE, 0, 4, 1, 1, 1, 1, 5, 5, 5, 5, 0x88, 0x82, 0, 0, 0, 0, 3, 0xE8],
        [0x30, 0x1D, 0x30, 0x1B, 0x30, 0x19, 0x31, 0x17, 0x30, 0x15, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0C, 0x0E]
            + Array("sensor.example".utf8),
    ]

    static func check(_ bytes: [UInt8], portion: Int) throws(Finding) {
        try checkFrames(bytes, portion: portion)
        try checkUpgrade(bytes)
        if let count = try? ProxyHeader.byteCount(bytes.span) {
            try expect(count <= ProxyHeader.longest, "a PROXY header of \(count) bytes")
        }
        _ = try? ProxyHeader(bytes.span)
        _ = try? CertificateNames(bytes.span)
    }

    private static func checkUpgrade(_ bytes: [UInt8]) throws(Finding) {
        switch UpgradeRequest.read(bytes.span, path: "/mqtt", origins: ["http://here"]) {
        case .accept(_, let consumed): try expect(consumed <= bytes.count, "\(consumed) of \(bytes.count) bytes")
        case .incomplete: try expect(bytes.count < UpgradeRequest.longest, "it would wait for ever")
        case .refuse: break
        }
    }

    /// However the frames are cut, the same payload comes out of them.
    private static func checkFrames(_ bytes: [UInt8], portion: Int) throws(Finding) {
        let whole = frames(bytes, portion: max(1, bytes.count))
        try expect(whole.payload.count <= bytes.count, "\(whole.payload.count) bytes of payload in \(bytes.count)")
        let cut = frames(bytes, portion: portion)
        try expect(cut.payload == whole.payload && cut.signals == whole.signals, "cut by \(portion) they differ")
    }

    private static func frames(
        _ bytes: [UInt8], portion: Int
    ) -> (payload: [UInt8], signals: [WebSocketReader.Signal]) {
        var reader = WebSocketReader(maximumFrameSize: 10_000)
        var payload: [UInt8] = []
        var signals: [WebSocketReader.Signal] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + max(1, portion))
            var offset = start
            while offset < end {
                guard let signal = reader.read(bytes.span.extracting(0..<end), from: &offset, into: &payload) else {
                    continue
                }
                signals.append(signal)
                switch signal {
                case .ping: continue
                case .close, .broken: return (payload, signals)
                }
            }
            start = end
        }
        return (payload, signals)
    }
}
