import Bytes
import Testing

@testable import Framing

@Suite struct UpgradeRequestTests {
    /// The request in RFC 6455, with MQTT's subprotocol; a field's new value replaces it, an empty one drops it.
    private static func request(_ line: String = "GET /mqtt HTTP/1.1", _ changes: [String: String] = [:]) -> String {
        var fields = [
            "Host": "server.example.com", "Upgrade": "websocket", "Connection": "Upgrade",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Protocol": "mqtt",
        ]
        fields.merge(changes) { $1 }
        let lines = fields.filter { !$0.value.isEmpty }.map { "\($0): \($1)\r\n" }.sorted()
        return line + "\r\n" + lines.joined() + "\r\n"
    }

    private static func read(_ text: String, origins: [String]? = nil) -> UpgradeRequest.Outcome {
        UpgradeRequest.read(Array(text.utf8).span, path: "/mqtt", origins: origins)
    }

    /// The text of what is sent, whether accepted or not.
    private static func answer(_ outcome: UpgradeRequest.Outcome) -> String {
        switch outcome {
        case .incomplete: ""
        case .accept(let response, _), .refuse(let response, _): String(decoding: response, as: UTF8.self)
        }
    }

    @Test func `the standard's own example is answered with its key, and with the subprotocol`() {
        let outcome = Self.read(Self.request() + "frames")
        let expected = [
            "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "Sec-WebSocket-Protocol: mqtt", "", "",
        ]
        #expect(
            outcome
                == .accept(
                    response: Array(expected.joined(separator: "\r\n").utf8), consumed: Self.request().utf8.count))
    }

    @Test(arguments: [
        ("mqtt", "mqtt"), ("mqttv3.1", "mqttv3.1"), ("mqttv3.1, mqtt", "mqtt"), ("chat ,mqttv3.1", "mqttv3.1"),
    ])
    func `the subprotocol is answered exactly`(offered: String, answered: String) {
        let answer = Self.answer(Self.read(Self.request(["Sec-WebSocket-Protocol": offered])))
        #expect(answer.contains("\r\nSec-WebSocket-Protocol: \(answered)\r\n"))
    }

    private static func request(_ changes: [String: String]) -> String { request("GET /mqtt HTTP/1.1", changes) }

    private static let refused: [(String, Int)] = [
        (request("GET /other HTTP/1.1"), 404), (request("GET / HTTP/1.1"), 404), (request("POST /mqtt HTTP/1.1"), 405),
        (request("GET /mqtt HTTP/1.0"), 400), (request("nonsense"), 400), (request(["Upgrade": ""]), 426),
        (request(["Connection": "close"]), 426), (request(["Sec-WebSocket-Version": "8"]), 426),
        (request(["Sec-WebSocket-Key": ""]), 400), (request(["Sec-WebSocket-Key": "short"]), 400),
        (request(["Sec-WebSocket-Protocol": ""]), 400), (request(["Sec-WebSocket-Protocol": "MQTT"]), 400),
        (request(["Origin": "https://evil.example"]), 403), (request(["Bad Name": "x"]), 400),
        (request(["Long": String(repeating: "x", count: 9_000)]), 431), ("\u{16}\u{03}\u{01}", 400),
        (String(repeating: "A", count: 9_000), 431), ("\u{10}\u{0C}\u{00}\u{04}MQTT", 400),
    ]

    @Test(arguments: refused)
    func `what is no upgrade is refused with a code and a short body`(text: String, code: Int) throws {
        let outcome = Self.read(text, origins: ["https://panel.example"])
        guard case .refuse(let response, let why) = outcome else {
            Issue.record("accepted")
            return
        }
        let answer = String(decoding: response, as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 \(code) "))
        #expect(response.count < 500 && why.utf8.count < 300)
        let parts = answer.split(separator: "\r\n\r\n")
        #expect(answer.contains("Content-Length: \(parts[1].utf8.count)\r\n"))
    }

    @Test func `pages that are allowed, and clients that are no pages, may connect`() {
        for origin in ["https://panel.example", ""] {
            let outcome = Self.read(Self.request(["Origin": origin]), origins: ["https://panel.example"])
            #expect(Self.answer(outcome).hasPrefix("HTTP/1.1 101"))
        }
    }

    @Test func `a query is not part of the path, and words of fields have no case`() {
        let text = Self.request(
            "GET /mqtt?x=1 HTTP/1.1", ["Upgrade": "WebSocket", "Connection": "keep-alive, UPGRADE"])
        #expect(Self.answer(Self.read(text)).hasPrefix("HTTP/1.1 101"))
    }

    @Test func `cut anywhere, it waits for the rest`() {
        let bytes = Array(Self.request().utf8)
        for count in 0..<bytes.count {
            #expect(UpgradeRequest.read(Array(bytes[..<count]).span, path: "/mqtt", origins: nil) == .incomplete)
        }
    }

    @Test func `mutated requests are answered or waited for`() {
        var noise = Noise(seed: 4)
        let seed = Array(Self.request(["Origin": "https://panel.example"]).utf8)
        for _ in 0..<5_000 {
            let bytes = noise.mutate(seed)
            if case .accept(_, let consumed) = UpgradeRequest.read(bytes.span, path: "/mqtt", origins: nil) {
                #expect(consumed <= bytes.count)
            }
        }
    }

    @Test func `SHA-1 gives what its standard says`() {
        let digest = SHA1.digest(Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8))
        #expect(Hex.text(digest) == "84 98 3E 44 1C 3B D2 6E BA AE 4A A1 F9 51 29 E5 E5 46 70 F1")
    }
}
