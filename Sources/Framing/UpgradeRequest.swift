import Bytes

/// The HTTP request with which a WebSocket begins, and what is answered to it. [RFC 6455, 4.2]
package enum UpgradeRequest {
    package enum Outcome: Equatable, Sendable {
        /// The request has not ended yet.
        case incomplete
        /// Send this; what stands behind `consumed` bytes are frames already.
        case accept(response: [UInt8], consumed: Int)
        /// Send this and close.
        case refuse(response: [UInt8], why: String)
    }

    package static let longest = 8_192

    /// Looks at what has arrived from the first byte on.
    ///
    /// `origins` are the web pages that may connect, nil for all.
    package static func read(_ bytes: Span<UInt8>, path: String, origins: [String]?) -> Outcome {
        guard let end = headEnd(bytes) else {
            if let refusal = early(bytes) { return refusal.outcome }
            return bytes.count < longest ? .incomplete : Refusal(431, "the request is too long").outcome
        }
        guard end <= longest else { return Refusal(431, "the request is too long").outcome }
        let text = [UInt8](copying: bytes, 0..<end)
        do throws(Refusal) {
            guard let head = String(validating: text, as: UTF8.self) else { throw Refusal(400, "unreadable text") }
            let request = try HTTPRequest(head)
            let response = try answer(request, path, origins)
            return .accept(response: response, consumed: end)
        } catch {
            return error.outcome
        }
    }

    /// Something else than HTTP is known by its first bytes; it need not be waited for.
    private static func early(_ bytes: Span<UInt8>) -> Refusal? {
        guard bytes.count > 0 else { return nil }
        if bytes[0] == 0x10 { return Refusal(400, "a client speaks MQTT without WebSocket on this WebSocket port") }
        if bytes[0] == 0x16 { return Refusal(400, "a client speaks TLS on this port, which has none") }
        let isLetter = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(bytes[0])
        return isLetter ? nil : Refusal(400, "this is not HTTP")
    }

    private static func headEnd(_ bytes: Span<UInt8>) -> Int? {
        guard bytes.count >= 4 else { return nil }
        let limit = min(bytes.count, longest + 4)
        for index in 3..<limit where bytes[index] == 0x0A {
            guard bytes[index - 1] == 0x0D, bytes[index - 2] == 0x0A, bytes[index - 3] == 0x0D else { continue }
            return index + 1
        }
        return nil
    }

    private static func answer(
        _ request: HTTPRequest, _ path: String, _ origins: [String]?
    ) throws(Refusal) -> [UInt8] {
        guard request.method == "GET" else { throw Refusal(405, "WebSocket begins with GET") }
        guard request.path == path else { throw Refusal(404, "there is nothing at \(request.path)") }
        guard request.lists("upgrade", "websocket"), request.lists("connection", "upgrade") else {
            throw Refusal(426, "this is MQTT over WebSocket: upgrade to it")
        }
        guard request["sec-websocket-version"] == "13" else {
            throw Refusal(426, "WebSocket version 13 is spoken here")
        }
        guard let key = request["sec-websocket-key"], WebSocketKey.isWellFormed(key) else {
            throw Refusal(400, "Sec-WebSocket-Key is missing or malformed")
        }
        // Browsers name the page; other clients name none.
        if let origins, let origin = request["origin"], !origins.contains(origin) {
            throw Refusal(403, "pages from \(origin) may not connect")
        }
        guard let name = ["mqtt", "mqttv3.1"].first(where: { request.lists("sec-websocket-protocol", exactly: $0) })
        else {
            throw Refusal(400, "say Sec-WebSocket-Protocol: mqtt")  // [MQTT-6.0.0-3]
        }
        let lines = [  // [MQTT-6.0.0-4]
            "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Accept: \(WebSocketKey.accept(key))", "Sec-WebSocket-Protocol: \(name)", "", "",
        ]
        return Array(lines.joined(separator: "\r\n").utf8)
    }
}

/// Why a request is refused: a status code, and a sentence for the log and for whoever tries it by hand.
struct Refusal: Error {
    let code: Int
    let why: String

    init(_ code: Int, _ why: String) {
        self.code = code
        self.why = why
    }

    var outcome: UpgradeRequest.Outcome {
        let body = printable + "\n"
        var lines = [
            "HTTP/1.1 \(code) \(phrase)", "Content-Type: text/plain; charset=utf-8",
            "Content-Length: \(body.utf8.count)", "Connection: close",
        ]
        if code == 426 { lines += ["Upgrade: websocket", "Sec-WebSocket-Version: 13"] }
        if code == 405 { lines.append("Allow: GET") }
        let response = lines.joined(separator: "\r\n") + "\r\n\r\n" + body
        return .refuse(response: Array(response.utf8), why: "\(printable) (HTTP \(code))")
    }

    /// What came from the client goes into a log: no control characters, and not too much.
    private var printable: String {
        String(String.UnicodeScalarView(why.unicodeScalars.prefix(200).map { $0.value < 0x20 ? "?" : $0 }))
    }

    private var phrase: String {
        switch code {
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 426: "Upgrade Required"
        case 431: "Request Header Fields Too Large"
        default: "Bad Request"
        }
    }
}

/// The head of an HTTP/1.1 request, as strictly as RFC 9112 lets a server read it.
struct HTTPRequest {
    let method: String
    /// Without the query.
    let path: String
    private var fields: [(name: String, value: String)] = []

    /// `head` ends with its empty line.
    init(_ head: String) throws(Refusal) {
        var lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)[...]
        guard let requestLine = lines.popFirst() else { throw Refusal(400, "this is not HTTP") }
        let parts = requestLine.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[2] == "HTTP/1.1" else { throw Refusal(400, "this is not an HTTP/1.1 request") }
        method = String(parts[0])
        path = String(parts[1].prefix { $0 != "?" })
        for line in lines where !line.isEmpty {
            guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else {
                throw Refusal(400, "a malformed header field")
            }
            let name = line[..<colon]
            // No blanks in names, no continued lines. [RFC 9112, 5.1 and 5.2]
            guard name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw Refusal(400, "a malformed header field")
            }
            let value = line[line.index(after: colon)...]
            fields.append((name.lowercased(), Self.trimmed(value)))
        }
    }

    /// The field's value; nil if it is missing or there more than once.
    subscript(_ name: String) -> String? {
        let found = fields.filter { $0.name == name }
        return found.count == 1 ? found[0].value : nil
    }

    /// Whether a list field has the word, in any case.
    func lists(_ name: String, _ word: String) -> Bool {
        items(name).contains { $0.lowercased() == word }
    }

    func lists(_ name: String, exactly word: String) -> Bool {
        items(name).contains(word)
    }

    private func items(_ name: String) -> [String] {
        fields.filter { $0.name == name }.flatMap { field in
            field.value.split(separator: ",").map { Self.trimmed($0) }
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        var text = text.drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return String(text)
    }
}
