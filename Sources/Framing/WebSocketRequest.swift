/// A WebSocket client's side of the opening handshake. [RFC 6455, 4.1]
package struct WebSocketRequest: Sendable {
    private static let longestAnswer = 16_384

    /// What the server's answer means.
    package enum Answer: Equatable, Sendable {
        /// More must arrive.
        case incomplete
        /// The connection is open; frames begin at this offset of what arrived.
        case open(frames: Int)
        /// A sentence for the log.
        case refused(String)
    }

    private let key: String
    /// What to send.
    package let bytes: [UInt8]

    /// `nonce` is sixteen random bytes, `host` with its port where it is not the usual one.
    package init(host: String, path: String, nonce: [UInt8]) {
        key = WebSocketKey.base64(Array(nonce.prefix(16)) + Array(repeating: 0, count: max(0, 16 - nonce.count)))
        let lines = [
            "GET \(path) HTTP/1.1", "Host: \(host)", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Key: \(key)", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: mqtt",  // [MQTT-6.0.0-3]
            "", "",
        ]
        bytes = Array(lines.joined(separator: "\r\n").utf8)
    }

    /// Reads all that arrived so far.
    package func answer(_ received: [UInt8]) -> Answer {
        let end = Array("\r\n\r\n".utf8)
        guard let place = received.indices.first(where: { received[$0...].starts(with: end) }) else {
            return received.count > Self.longestAnswer ? .refused("its answer is not HTTP") : .incomplete
        }
        let text = String(decoding: received[..<place], as: UTF8.self)
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        let status = lines.first ?? ""
        guard status.hasPrefix("HTTP/1.1 101") else {
            return .refused("it answered '\(status.prefix(60))'; is the path of the url right?")
        }
        guard value("sec-websocket-accept", lines) == WebSocketKey.accept(key) else {
            return .refused("it did not answer the WebSocket key")
        }
        guard value("sec-websocket-protocol", lines)?.lowercased().hasPrefix("mqtt") == true else {
            return .refused("it speaks WebSocket, but not MQTT")
        }
        return .open(frames: place + end.count)
    }

    private func value(_ name: String, _ lines: [Substring]) -> String? {
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            return String(value.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
        }
        return nil
    }
}

extension WebSocketFrame {
    /// A frame as a client sends it, with a mask. [RFC 6455, 5.3]
    package static func masked(_ opcode: UInt8, _ payload: [UInt8], key: UInt32) -> [UInt8] {
        var frame: [UInt8] = []
        appendBinaryHeader(payload.count, to: &frame)
        frame[0] = 0x80 | opcode
        frame[1] |= 0x80
        for shift in [0, 8, 16, 24] { frame.append(UInt8(truncatingIfNeeded: key >> UInt32(shift))) }
        let start = frame.count
        frame += payload
        Masking.apply(key, to: &frame, from: start)
        return frame
    }
}
