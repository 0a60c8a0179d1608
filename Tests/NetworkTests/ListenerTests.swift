import Broker
import Bytes
import Foundation
import LinuxIO
import MQTTCodec
import Testing

@testable import Network

@Suite(.timeLimit(.minutes(2)))
struct ListenerTests {
    @Test func `listeners are opened and closed while clients stay`() throws {
        let server = try TestServer()
        let stays = try PlainClient(path: server.path, name: "stays")
        #expect(try stays.connect())
        let other = server.path + ".other"
        let there = ListenerSettings(address: .tcp(address: "127.0.0.1", port: 0))
        try server.server.apply(listeners: [there, ListenerSettings(address: .unix(path: other, mode: 0o600))])
        let new = try PlainClient(path: other, name: "new")
        #expect(try new.connect())
        #expect(try stays.publish("a", "1") == .success)
        #expect(!FileManager.default.fileExists(atPath: server.path))
        let tcp = try PlainClient(port: server.port, name: "tcp")
        #expect(try tcp.connect())
    }

    @Test func `an address that can't be opened leaves all as it was`() throws {
        let server = try TestServer()
        let wrong = ListenerSettings(address: .unix(path: "/nowhere/at/all.sock", mode: 0o600))
        #expect(throws: ListenError.self) { try server.server.apply(listeners: [wrong]) }
        let client = try PlainClient(path: server.path, name: "client")
        #expect(try client.connect())
    }

    @Test func `a listener with other settings keeps its socket`() throws {
        let server = try TestServer()
        var changed = ListenerSettings(address: .unix(path: server.path, mode: 0o600))
        changed.anonymous = .nobody
        try server.server.apply(listeners: [changed])
        let client = try PlainClient(path: server.path, name: "client")
        #expect(try !client.connect())
    }

    @Test func `faster than the rate, clients wait and none is refused`() throws {
        var limits = BrokerLimits()
        limits.connectionRate = 20
        let server = try SecureServer(certificates: TestCertificates(), limits: limits) { settings, _ in
            settings.tls = nil
        }
        let began = ContinuousClock.now
        let clients = try (0..<60).map { _ in try RawClient(port: server.port) }
        for client in clients { client.send(Packets.connect(nil)) }
        for client in clients {
            #expect(client.take(4) == Packets.connack)
        }
        // Twenty at once, and twenty more for each second.
        #expect(ContinuousClock.now - began >= .milliseconds(1_500))
    }

    @Test func `at the rate's limit, a listener with many at its door keeps no other waiting`() throws {
        let reports = Reports()
        var web = ListenerSettings(address: .tcp(address: "127.0.0.1", port: 0))
        web.webSocket = WebSocketListenerSettings()
        let plain = ListenerSettings(address: .tcp(address: "127.0.0.1", port: 0))
        var settings = BrokerServer.Settings(listeners: [plain, web, plain], version: "test")
        settings.limits.connectionRate = 50
        settings.limits.sysInterval = .zero
        let server = try BrokerServer(settings, report: { reports.add($0) })
        defer { server.stop() }
        let ports = server.addresses.map { if case .tcp(_, let port) = $0 { port } else { 0 as UInt16 } }
        // Two floods, of which the rate takes some seconds.
        let flood = try (0..<400).map { try RawClient(port: ports[$0 < 200 ? 0 : 2]) }
        for client in flood { client.send(Packets.connect(nil)) }
        let others = try (0..<20).map { _ in try RawClient(port: ports[1]) }
        for client in others { client.send(Packets.upgrade) }
        for client in others {
            #expect(client.take(through: "\r\n\r\n").hasPrefix("HTTP/1.1 101 "))
        }
        let served = reports.all.count { $0.hasPrefix("connected(") }
        #expect((1..<flood.count).contains(served), "the floods went first")
    }

    @Test func `the rate counts what was not used for a second`() {
        func time(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }
        func accepted(_ pace: inout AcceptPace, _ now: MonotonicTime) -> Int {
            var count = 0
            while count < 1_000, pace.mayAccept(now) {
                pace.accepted(now)
                count += 1
            }
            return count
        }
        var pace = AcceptPace(rate: 100)
        #expect((100...101).contains(accepted(&pace, time(60_000))))
        #expect(accepted(&pace, time(60_001)) == 0)
        #expect(pace.nextTime(time(60_001)) >= time(60_011))
        #expect((10...11).contains(accepted(&pace, time(60_100))))
        var without = AcceptPace(rate: 0)
        #expect(accepted(&without, time(0)) == 1_000)
    }

    @Test func `IPv6 clients have their address, and IPv4 ones don't come in through it`() throws {
        let reports = Reports()
        let settings = ListenerSettings(address: .tcp(address: "::1", port: 0))
        let server = try BrokerServer(
            BrokerServer.Settings(listeners: [settings], version: "test"), report: { reports.add($0) })
        defer { server.stop() }
        guard case .tcp(_, let port) = server.addresses[0] else { return }
        let client = try PlainClient(address: "::1", port: port, name: "six")
        #expect(try client.connect())
        #expect(reports.wait(for: "peer: \"[::1]:"))
        let four = try PlainClient(port: port, name: "four")
        #expect(throws: (any Error).self) { if try !four.connect() { throw PlainClient.TimedOut() } }
    }

    @Test func `a client that is faster than its rate is read later and loses nothing`() throws {
        var limits = BrokerLimits()
        limits.messageRate = 100
        let server = try SecureServer(certificates: TestCertificates(), limits: limits) { settings, _ in
            settings.tls = nil
        }
        let reader = try PlainClient(port: server.plainPort, name: "reader")
        #expect(try reader.connect())
        _ = try reader.subscribe("r")
        let writer = try RawClient(port: server.port)
        writer.send(Packets.connect("w"))
        let began = ContinuousClock.now
        for number in 100..<400 { writer.send(Packets.publish("r", "\(number)")) }
        for number in 100..<400 {
            #expect(try reader.message() == "r \(number)")
        }
        #expect(ContinuousClock.now - began >= .milliseconds(1_500))
    }
}
