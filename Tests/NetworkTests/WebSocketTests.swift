import Broker
import Framing
import MQTTCodec
import Testing

@testable import Network

@Suite(.timeLimit(.minutes(2)))
struct WebSocketTests {
    private func server(
        connectTimeout: Duration = .seconds(60), _ change: (inout WebSocketListenerSettings) -> Void = { _ in }
    ) throws -> SecureServer {
        var webSocket = WebSocketListenerSettings()
        change(&webSocket)
        return try SecureServer(certificates: TestCertificates(), connectTimeout: connectTimeout) { settings, _ in
            settings.tls = nil
            settings.webSocket = webSocket
        }
    }

    /// A client's frame.
    private func frame(_ payload: [UInt8], opcode: UInt8 = 2, isFinal: Bool = true) -> [UInt8] {
        let key: [UInt8] = [1, 2, 3, 4]
        let length: [UInt8] =
            payload.count < 126 ? [UInt8(payload.count)] : [126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        return [(isFinal ? 0x80 : 0) | opcode, 0x80 | length[0]] + length.dropFirst() + key
            + payload.enumerated().map { $1 ^ key[$0 % 4] }
    }

    /// A client past its upgrade.
    private func upgraded(_ server: SecureServer) throws -> RawClient {
        let client = try RawClient(port: server.port)
        client.send(Packets.upgrade)
        let answer = client.take(through: "\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 101 "))
        #expect(answer.contains("\r\nSec-WebSocket-Protocol: mqtt\r\n"))
        return client
    }

    /// The payload of binary frames, until there is so much of it; one frame or several, as it comes.
    private func payload(_ client: RawClient, _ count: Int) throws -> [UInt8] {
        var payload: [UInt8] = []
        while payload.count < count {
            let header = client.take(2)
            try #require(header.count == 2 && header[0] == 0x82)
            var length = Int(header[1])
            if length >= 126 { length = client.take(length == 126 ? 2 : 8).reduce(0) { $0 << 8 | Int($1) } }
            payload += client.take(length)
        }
        return payload
    }

    @Test func `messages come in and go out in binary frames`() throws {
        let server = try server()
        let reader = try upgraded(server)
        reader.send(frame(Packets.connect("r")) + frame(Packets.subscribe("a")))
        let answers = Packets.connack + [0x90, 3, 0, 1, 0]
        #expect(try payload(reader, answers.count) == answers)
        let writer = try upgraded(server)
        // Two packets in one frame, and one packet in two.
        let message = Packets.publish("a", "2")
        writer.send(frame(Packets.connect("w") + Packets.publish("a", "1")))
        writer.send(frame(Array(message[..<3]), isFinal: false) + frame(Array(message[3...]), opcode: 0))
        #expect(try payload(reader, 2 * message.count) == Packets.publish("a", "1") + message)
    }

    @Test func `trap 76, packets are cut over frames byte by byte, with pings between`() throws {
        let server = try server()
        let client = try upgraded(server)
        for (place, byte) in Packets.connect("c").enumerated() {
            client.send(frame([byte], opcode: place == 0 ? 2 : 0, isFinal: place == 14))
            if place == 7 { client.send(frame([9, 8], opcode: 9)) }
        }
        #expect(client.take(4) == [0x8A, 2, 9, 8])
        #expect(client.take(6) == [0x82, 4] + Packets.connack)
    }

    @Test func `frames that come with the request are read`() throws {
        let server = try server()
        let client = try RawClient(port: server.port)
        client.send(Array(Packets.upgrade.utf8) + frame(Packets.connect("c")))
        #expect(client.take(through: "\r\n\r\n").hasPrefix("HTTP/1.1 101 "))
        #expect(client.take(6) == [0x82, 4] + Packets.connack)
    }

    private static let violations: [([UInt8], UInt16)] = [
        ([0x81, 0x80, 0, 0, 0, 0], 1003), ([0x82, 0x01, 0x10], 1002),
        ([0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1002),
        ([0x82, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0], 1009),
    ]

    @Test(arguments: violations)
    func `trap 76, what breaks the rules is closed with its code`(bytes: [UInt8], code: UInt16) throws {
        let server = try server()
        let client = try upgraded(server)
        client.send(frame(Packets.connect("c")))
        #expect(client.take(6) == [0x82, 4] + Packets.connack)
        client.send(bytes)
        #expect(client.read() == [0x88, 2, UInt8(code >> 8), UInt8(code & 255)])
        #expect(client.isEnded)
        #expect(server.reports.wait(for: "a WebSocket"))
    }

    @Test func `a client that closes is answered, and its connection ends`() throws {
        let server = try server()
        let client = try upgraded(server)
        client.send(frame([0x03, 0xE9], opcode: 8))
        #expect(client.read() == [0x88, 2, 0x03, 0xE9])
        #expect(client.isEnded)
    }

    @Test(arguments: [("GET /other HTTP/1.1", 404), ("GET /mqtt HTTP/1.0", 400), ("PUT /mqtt HTTP/1.1", 405)])
    func `what is no upgrade is answered with a code and a sentence`(line: String, code: Int) throws {
        let server = try server()
        let client = try RawClient(port: server.port)
        client.send(line + "\r\nHost: localhost\r\n\r\n")
        let answer = String(decoding: client.read(), as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 \(code) "))
        #expect(client.isEnded)
    }

    @Test func `a page that is not named may not connect`() throws {
        let server = try server { $0.origins = ["https://panel.example"] }
        let client = try RawClient(port: server.port)
        client.send(Packets.upgrade.dropLast() + "Origin: https://evil.example\r\n\r\n")
        #expect(String(decoding: client.read(), as: UTF8.self).hasPrefix("HTTP/1.1 403 "))
    }

    @Test func `a request that does not end is ended`() throws {
        let server = try server(connectTimeout: .milliseconds(200))
        let client = try RawClient(port: server.port)
        client.send("GET /mqtt HTTP/1.1\r\n")
        #expect(client.read() == [])
        #expect(client.isEnded)
        #expect(server.reports.wait(for: "no WebSocket upgrade within"))
    }

    @Test func `a message larger than any buffer goes out whole, to a client that reads slowly`() throws {
        let server = try server()
        let reader = try upgraded(server)
        reader.send(frame(Packets.connect("r")) + frame(Packets.subscribe("l")))
        _ = try payload(reader, 9)
        let inside = LocalClient(server.server, name: "test", schedule: { $0() }, onEvent: { _ in })
        defer { inside.close() }
        let content = (0..<900_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        for _ in 0..<8 { inside.publish(Publish(topic: Array("l".utf8), payload: content, qos: .atMostOnce)) }
        for _ in 0..<8 {
            let packet = try payload(reader, content.count + 7)
            #expect(Array(packet.dropFirst(7)) == content)
        }
    }
}
