import Bridge
import Client
import MQTTCodec
import Synchronization
import Testing

@testable import Network

/// A broker with a link to an upstream, and a client beside it.
private final class Gateway: Sendable {
    let broker: BrokerServer
    let link: UpstreamLink
    let client: LocalClient
    /// What the link reports.
    let events: AsyncStream<BridgeEvent>
    /// What the client gets.
    let messages: AsyncStream<Publish>

    init(_ settings: UpstreamLink.Settings, subscribe filter: String = "#") throws {
        let (events, eventInput) = AsyncStream.makeStream(of: BridgeEvent.self)
        let (messages, messageInput) = AsyncStream.makeStream(of: Publish.self)
        (self.events, self.messages) = (events, messages)
        broker = try BrokerServer(BrokerServer.Settings(listeners: [], version: "test"), report: { _ in })
        link = UpstreamLink(settings, broker: broker) { eventInput.yield($0) }
        client = LocalClient(broker, name: "test", schedule: { $0() }) { event in
            if case .message(let message, _) = event { messageInput.yield(message) }
        }
        var request = Subscribe.Request(filter: Array(filter.utf8), qos: .atLeastOnce)
        request.noLocal = true
        request.retainAsPublished = true
        client.subscribe([request])
        try link.start()
    }

    deinit {
        link.stop()
        client.close()
        broker.stop()
    }

    func publish(_ topic: String, _ payload: String) {
        client.publish(
            Publish(topic: Array(topic.utf8), payload: Array(payload.utf8), qos: .atLeastOnce, retain: true))
    }

    func linkUp() async {
        for await case .linkUp in events { return }
    }

    func linkDown() async -> String {
        for await case .linkDown(let cause, _) in events { return cause }
        return "no report"
    }

}

@Suite(.timeLimit(.minutes(1)), .serialized)
struct UpstreamLinkTests {
    private func settings(_ port: UInt16, out: String = "pi/#", in filter: String = "site/pi/+/set") throws
        -> UpstreamLink.Settings
    {
        let bridge = BridgeSettings(
            clientID: Array("pi".utf8),
            out: [
                BridgeSettings.Line(
                    filter: Array(out.utf8), rewrite: try TopicRewrite("site/{topic}", gateway: "pi"))
            ],
            in: [
                BridgeSettings.Line(
                    filter: Array(filter.utf8), rewrite: try TopicRewrite("{topic:1..}", gateway: "pi"))
            ])
        var settings = UpstreamLink.Settings(host: "127.0.0.1", port: port, bridge: bridge)
        settings.shortestWait = .milliseconds(20)
        settings.connectTimeout = .seconds(3)
        settings.longestWait = .milliseconds(200)
        return settings
    }

    /// How many topics have arrived, waiting for `count`; what comes twice while it is counted is counted anew.
    private func arrived(at server: UpstreamServer, count: Int) throws -> Int {
        var topics: Set<String> = []
        for _ in 0..<5 where topics.count < count { topics = Set(try server.retained("site/#", count: count)) }
        return topics.count
    }

    @Test func `readings go up and a command comes down`() async throws {
        let server = try UpstreamServer()
        let gateway = try Gateway(try settings(server.port), subscribe: "pi/+/set")
        await gateway.linkUp()
        gateway.publish("pi/power", "1234.5")
        #expect(try server.retained("site/#", count: 1) == ["site/pi/power 1234.5"])
        try server.publish("site/pi/relay/set", "ON")
        let command = await gateway.messages.first { _ in true }
        #expect(command?.topic == Array("pi/relay/set".utf8))
        #expect(command?.payload == Array("ON".utf8))
        #expect(command?.retain == false)
    }

    @Test func `a retained command arrives as one`() async throws {
        let server = try UpstreamServer()
        try server.publish("site/pi/relay/set", "ON", retain: true)
        let gateway = try Gateway(try settings(server.port), subscribe: "pi/+/set")
        let command = await gateway.messages.first { _ in true }
        #expect(command?.retain == true)
    }

    @Test func `what was published before the server is there arrives later`() async throws {
        let server = try UpstreamServer()
        server.stop()
        let gateway = try Gateway(try settings(server.port))
        for index in 0..<100 { gateway.publish("pi/\(index)", "x") }
        #expect(await gateway.linkDown() == "127.0.0.1:\(server.port): Connection refused")
        try server.start()
        // No report is waited for: a link that comes up before the broker has handed them on has nothing to catch up with.
        #expect(try arrived(at: server, count: 100) == 100)
    }

    @Test func `a server that restarts in the middle loses nothing`() async throws {
        let server = try UpstreamServer()
        let gateway = try Gateway(try settings(server.port))
        await gateway.linkUp()
        for round in 0..<3 {
            for index in 0..<500 { gateway.publish("pi/\(round)/\(index)", "x") }
            server.stop()
            for index in 500..<1000 { gateway.publish("pi/\(round)/\(index)", "x") }
            _ = await gateway.linkDown()
            try server.start()
            #expect(try arrived(at: server, count: (round + 1) * 1_000) == (round + 1) * 1_000)
        }
    }

    @Test func `the last words before the end arrive`() async throws {
        let server = try UpstreamServer()
        let gateway = try Gateway(try settings(server.port))
        await gateway.linkUp()
        // More than one window; few enough for the second that the end may take, on a busy machine too.
        for index in 0..<60 { gateway.publish("pi/\(index)", "x") }
        await withCheckedContinuation { taken in gateway.client.whenIdle { taken.resume() } }
        gateway.link.stop()
        let arrived = try server.retained("site/#", count: 60)
        #expect(arrived.count == 60, "\(arrived)")
    }

    @Test func `a link without a server ends at once`() async throws {
        let server = try UpstreamServer()
        server.stop()
        let gateway = try Gateway(try settings(server.port))
        gateway.publish("pi/x", "x")
        _ = await gateway.linkDown()
        let started = ContinuousClock.now
        gateway.link.stop()
        #expect(ContinuousClock.now - started < .seconds(1))
    }

    @Test func `a server that knows only 3_1_1 is spoken to in 3_1_1`() async throws {
        let server = try OldServer()
        let gateway = try Gateway(try settings(server.port))
        for await event in gateway.events {
            if case .linkUp = event { break }
            #expect(event == .olderVersion)
        }
        #expect(server.levels == [5, 0x84, 4])
    }

    @Test func `nothing goes round in circles`() async throws {
        let server = try UpstreamServer()
        var settings = try settings(server.port)
        let everything = BridgeSettings.Line(filter: [UInt8(ascii: "#")])
        settings.bridge.out = [everything]
        settings.bridge.in = [everything]
        let gateway = try Gateway(settings)
        await gateway.linkUp()
        gateway.publish("up", "1")
        try server.publish("down", "1")
        gateway.publish("up", "2")
        try server.publish("down", "2")
        try server.publish("last", "")
        var received: [String] = []
        for await message in gateway.messages {
            let topic = String(decoding: message.topic, as: UTF8.self)
            if topic == "last" { break }
            received.append(topic)
        }
        #expect(received == ["down", "down"])
    }

    @Test func `the second address serves until the first is there`() async throws {
        let (first, second) = (try UpstreamServer(), try UpstreamServer())
        first.stop()
        var settings = try settings(first.port)
        settings.addresses.append(UpstreamLink.Address(host: "127.0.0.1", port: second.port))
        settings.returnInterval = .milliseconds(50)
        let gateway = try Gateway(settings)
        await gateway.linkUp()
        gateway.publish("pi/a", "1")
        #expect(try second.retained("site/#", count: 1) == ["site/pi/a 1"])
        try first.start()
        #expect(await gateway.linkDown() == "the first address answers again; going back to it")
        await gateway.linkUp()
        gateway.publish("pi/b", "2")
        #expect(try first.retained("site/#", count: 1) == ["site/pi/b 2"])
    }

    // MARK: TLS

    private func tls(_ server: UpstreamServer) -> UpstreamLink.TLS {
        var tls = UpstreamLink.TLS()
        tls.ca = server.path("ca.pem")
        tls.certificate = server.path("client.pem")
        tls.key = server.path("client.key")
        tls.serverName = "broker.test"
        return tls
    }

    @Test func `TLS with certificates on both sides carries readings through a restart`() async throws {
        let server = try UpstreamServer(tls: true)
        var settings = try settings(server.port)
        settings.tls = tls(server)
        let gateway = try Gateway(settings)
        await gateway.linkUp()
        for index in 0..<300 { gateway.publish("pi/\(index)", "x") }
        server.stop()
        for index in 300..<600 { gateway.publish("pi/\(index)", "x") }
        _ = await gateway.linkDown()
        try server.start()
        #expect(try arrived(at: server, count: 600) == 600)
    }

    @Test func `a failed TLS link says what to change`() async throws {
        let server = try UpstreamServer(tls: true)
        let place = "127.0.0.1:\(server.port)"
        func cause(_ change: (inout UpstreamLink.Settings) -> Void) async throws -> String {
            var settings = try settings(server.port)
            settings.tls = tls(server)
            change(&settings)
            return await (try Gateway(settings)).linkDown()
        }
        #expect(
            try await cause { $0.tls?.ca = server.path("other-ca.pem") }
                == "\(place): the server's certificate is not signed by an authority that is trusted here; set tls.ca")
        #expect(
            try await cause { $0.tls?.serverName = "mqtt.example.org" }
                == "\(place): the server's certificate is for another name; check the host, or its certificate")
        #expect(
            try await cause {
                $0.tls?.certificate = nil
                $0.tls?.key = nil
            }.contains("client certificate"))
        #expect(
            try await cause { $0.tls?.ca = "/nonexistent.pem" }
                == "tls.ca: /nonexistent.pem: no certificate in PEM form could be read from it")
        #expect(
            try await cause { $0.tls?.key = server.path("server.key") }.contains("don't go together"))
    }

    @Test func `TLS to a port without it, and no TLS to a port with it, are told apart`() async throws {
        let plain = try UpstreamServer()
        var settings = try settings(plain.port)
        settings.tls = UpstreamLink.TLS()
        let toPlain = await (try Gateway(settings)).linkDown()
        #expect(toPlain.hasSuffix("does it speak TLS on this port?"))
        let secure = try UpstreamServer(tls: true)
        settings = try self.settings(secure.port)
        let toSecure = await (try Gateway(settings)).linkDown()
        #expect(toSecure.hasSuffix("does it want TLS (mqtts://)?"))
    }
}
