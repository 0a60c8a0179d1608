import Broker
import Testing

@testable import Network

@Suite(.timeLimit(.minutes(2)))
struct ProxyTests {
    private static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]
    private static let header =
        signature + [0x21, 0x11, 0, 15] + [192, 0, 2, 7, 10, 0, 0, 1, 0xC3, 0x51, 0x07, 0x5B] + [0x04, 0, 0]

    private func server(
        connectTimeout: Duration = .seconds(60), anonymous: ListenerSettings.Anonymous = .everybody
    ) throws -> SecureServer {
        try SecureServer(certificates: TestCertificates(), connectTimeout: connectTimeout) { settings, _ in
            settings.tls = nil
            settings.proxyProtocol = true
            settings.anonymous = anonymous
        }
    }

    @Test func `the client is the one that the proxy names`() throws {
        let server = try server()
        let client = try RawClient(port: server.port)
        client.send(Self.header + Packets.connect("c"))
        #expect(client.take(4) == Packets.connack)
        #expect(server.reports.wait(for: "peer: \"192.0.2.7:50001\""))
    }

    @Test func `a header that comes byte by byte is read to its end and not further`() throws {
        let server = try server()
        let client = try RawClient(port: server.port)
        for byte in Self.header + Packets.connect("c") { client.send([byte]) }
        #expect(client.take(4) == Packets.connack)
        #expect(server.reports.wait(for: "peer: \"192.0.2.7:50001\""))
    }

    @Test func `a proxy's own connection comes from where it comes from`() throws {
        let server = try server()
        let client = try RawClient(port: server.port)
        client.send(Self.signature + [0x20, 0, 0, 0] + Packets.connect("c"))
        #expect(client.take(4) == Packets.connack)
        #expect(server.reports.wait(for: "peer: \"127.0.0.1:"))
    }

    @Test func `somebody far away is not at home because the proxy is`() throws {
        let server = try server(anonymous: .loopback)
        for header in [Self.header, Self.signature + [0x21, 0, 0, 0]] {
            let client = try RawClient(port: server.port)
            client.send(header + Packets.connect("c"))
            #expect(client.take(4) == [0x20, 2, 0, 5])
        }
    }

    @Test(arguments: [Packets.connect("c"), Array("PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n".utf8), signature + [0x31]])
    func `a connection without a header is refused`(bytes: [UInt8]) throws {
        let server = try server()
        let client = try RawClient(port: server.port)
        client.send(bytes + [UInt8](repeating: 0, count: 3))
        #expect(client.read() == [])
        #expect(client.isEnded)
        #expect(server.reports.wait(for: "PROXY header"))
    }

    @Test func `a header that does not end is ended`() throws {
        let server = try server(connectTimeout: .milliseconds(200))
        let client = try RawClient(port: server.port)
        client.send(Self.signature)
        #expect(client.read() == [])
        #expect(client.isEnded)
        #expect(server.reports.wait(for: "no PROXY header within"))
    }
}
