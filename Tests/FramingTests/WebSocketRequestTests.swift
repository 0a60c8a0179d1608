import Bytes
import Testing

@testable import Framing

@Suite struct WebSocketRequestTests {
    /// The key and its answer of RFC 6455, 1.3.
    private let request = WebSocketRequest(
        host: "example.org:8080", path: "/mqtt", nonce: Array("the sample nonce".utf8))

    private func answer(_ text: String) -> WebSocketRequest.Answer { request.answer(Array(text.utf8)) }

    private let good =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "sec-websocket-ACCEPT:  s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"

    @Test func `asks for MQTT in a WebSocket`() {
        let text = String(decoding: request.bytes, as: UTF8.self)
        #expect(text.hasPrefix("GET /mqtt HTTP/1.1\r\nHost: example.org:8080\r\n"))
        #expect(text.contains("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"))
        #expect(text.contains("Sec-WebSocket-Protocol: mqtt\r\n"))
        #expect(text.hasSuffix("\r\n\r\n"))
    }

    @Test func `a good answer opens it, and frames may follow at once`() {
        #expect(answer(good) == .open(frames: good.utf8.count))
        #expect(answer(good + "xyz") == .open(frames: good.utf8.count))
        for length in 0..<good.utf8.count { #expect(request.answer(Array(good.utf8.prefix(length))) == .incomplete) }
    }

    @Test func `other answers are told in words`() {
        #expect(
            answer("HTTP/1.1 404 Not Found\r\n\r\n")
                == .refused("it answered 'HTTP/1.1 404 Not Found'; is the path of the url right?"))
        #expect(answer(good.replacing("s3pP", with: "s3pQ")) == .refused("it did not answer the WebSocket key"))
        #expect(answer(good.replacing("mqtt", with: "chat")) == .refused("it speaks WebSocket, but not MQTT"))
        #expect(answer(String(repeating: "x", count: 20_000)) == .refused("its answer is not HTTP"))
    }

    @Test(arguments: [0, 1, 125, 126, 65_535, 65_536])
    func `a server reads what a client frames`(count: Int) {
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let frame = WebSocketFrame.masked(2, payload, key: 0x3D21_FA37)
        var reader = WebSocketReader(maximumFrameSize: 1_000_000)
        var (read, offset): ([UInt8], Int) = ([], 0)
        #expect(reader.read(frame.span, from: &offset, into: &read) == nil)
        #expect(read == payload)
    }

    @Test func `a client reads frames without a mask, and no others`() {
        var frame: [UInt8] = []
        WebSocketFrame.appendBinaryHeader(300, to: &frame)
        frame += Array(repeating: 7, count: 300)
        var reader = WebSocketReader(maximumFrameSize: 1_000, isMasked: false)
        var (read, offset): ([UInt8], Int) = ([], 0)
        #expect(reader.read(frame.span, from: &offset, into: &read) == nil)
        #expect(read == Array(repeating: 7, count: 300))
        let masked = WebSocketFrame.masked(2, [1], key: 1)
        offset = 0
        #expect(reader.read(masked.span, from: &offset, into: &read) == .broken(.masked))
    }
}
