import Client
import Foundation
import LinuxIO
import MQTTCodec
import Testing

@testable import Network

/// A server on a free port of the loopback interface and on a Unix socket.
final class TestServer {
    let server: BrokerServer
    let path: String
    let port: UInt16

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/martlet-\(UUID().uuidString).sock"
        server = try BrokerServer(
            BrokerServer.Settings(
                listeners: [
                    ListenerSettings(address: .unix(path: path, mode: 0o600)),
                    ListenerSettings(address: .tcp(address: "127.0.0.1", port: 0)),
                ], version: "test"), report: { _ in })
        guard case .tcp(_, let port) = server.addresses[1] else { throw PlainClient.TimedOut() }
        self.port = port
    }

    deinit {
        server.stop()
        Socket.removePath(path)
    }
}

@Suite(.timeLimit(.minutes(1)))
struct ServerTests {
    @Test func `a message goes from a TCP client to one on the Unix socket`() throws {
        let server = try TestServer()
        let reader = try PlainClient(path: server.path, name: "reader")
        #expect(try reader.connect())
        #expect(try reader.subscribe("a/#") == [ReasonCode(rawValue: 2)])
        let writer = try PlainClient(port: server.port, name: "writer", version: .v311)
        #expect(try writer.connect())
        #expect(try writer.publish("a/b", "1") == .success)
        #expect(try reader.message() == "a/b 1")
    }

    @Test func `a retained message waits for whoever subscribes later`() throws {
        let server = try TestServer()
        let writer = try PlainClient(port: server.port, name: "writer")
        #expect(try writer.connect())
        #expect(try writer.publish("a", "1", retain: true) == .success)
        let reader = try PlainClient(path: server.path, name: "reader")
        #expect(try reader.connect())
        _ = try reader.subscribe("#")
        #expect(try reader.message() == "a 1 (retained)")
    }

    @Test func `the names of the gateway's own clients are refused to others`() throws {
        let server = try TestServer()
        let client = try PlainClient(port: server.port, name: "$martlet/bridge")
        #expect(try !client.connect())
    }

    @Test func `a payload larger than any socket buffer arrives whole`() throws {
        let server = try TestServer()
        let reader = try PlainClient(path: server.path, name: "reader")
        #expect(try reader.connect())
        _ = try reader.subscribe("large")
        let inside = LocalClient(server.server, name: "test", schedule: { $0() }, onEvent: { _ in })
        let payload = (0..<900_000).map { UInt8(ascii: "a") + UInt8($0 % 26) }
        inside.publish(Publish(topic: Array("large".utf8), payload: payload, qos: .atLeastOnce))
        #expect(try Array(reader.message().utf8) == Array("large ".utf8) + payload)
        inside.close()
    }

    @Test func `stopping says goodbye to MQTT 5 clients`() throws {
        let server = try BrokerServer(
            BrokerServer.Settings(
                listeners: [ListenerSettings(address: .tcp(address: "127.0.0.1", port: 0))], version: "test"),
            report: { _ in })
        guard case .tcp(_, let port) = server.addresses[0] else { return }
        let client = try PlainClient(port: port, name: "client")
        #expect(try client.connect())
        let stopping = Thread { server.stop() }
        stopping.start()
        #expect(try client.closed() == .server(.serverShuttingDown, nil))
    }

    @Test func `an address that is taken is said with its reason`() throws {
        let server = try TestServer()
        let taken = ListenerSettings(address: .tcp(address: "127.0.0.1", port: server.port))
        #expect(throws: ListenError.self) {
            try BrokerServer(BrokerServer.Settings(listeners: [taken], version: "test"), report: { _ in })
        }
    }
}
