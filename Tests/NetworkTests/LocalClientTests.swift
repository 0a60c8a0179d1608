import Client
import MQTTCodec
import Synchronization
import Testing

@testable import Network

/// The gateway's own client of a real server, and what it was told.
private final class Inside: Sendable {
    let client: LocalClient
    let messages: AsyncStream<(message: Publish, token: MessageToken?)>

    init(
        _ server: BrokerServer, name: String = "test",
        acknowledgement: ClientSettings.AcknowledgementMode = .automatic
    ) {
        let (messages, input) = AsyncStream.makeStream(of: (message: Publish, token: MessageToken?).self)
        self.messages = messages
        client = LocalClient(server, name: name, acknowledgement: acknowledgement, schedule: { $0() }) { event in
            if case .message(let message, let token) = event { input.yield((message, token)) }
        }
    }

    deinit {
        client.close()
    }

    func publish(_ topic: String, _ payload: String, _ qos: QoS = .atLeastOnce, retain: Bool = false) {
        client.publish(
            Publish(topic: Array(topic.utf8), payload: Array(payload.utf8), qos: qos, retain: retain))
    }

    func subscribe(_ filter: String, noLocal: Bool = false, retainAsPublished: Bool = false) {
        var request = Subscribe.Request(filter: Array(filter.utf8), qos: .atLeastOnce)
        request.noLocal = noLocal
        request.retainAsPublished = retainAsPublished
        client.subscribe([request])
    }

    /// The next messages, as "topic payload".
    func take(_ count: Int) async -> [String] {
        var lines: [String] = []
        for await (message, _) in messages {
            lines.append(message.line)
            if lines.count == count { break }
        }
        return lines
    }

    /// Returns when the broker has taken everything.
    func idle() async {
        await withCheckedContinuation { continuation in
            client.whenIdle { continuation.resume() }
        }
    }
}

@Suite(.timeLimit(.minutes(1)))
struct LocalClientTests {
    @Test func `what the gateway publishes reaches a client on the socket`() throws {
        let server = try TestServer()
        let reader = try PlainClient(path: server.path, name: "reader")
        #expect(try reader.connect())
        _ = try reader.subscribe("pi/#")
        let inside = Inside(server.server)
        inside.publish("pi/power", "230")
        #expect(try reader.message() == "pi/power 230")
    }

    @Test(arguments: [QoS.atMostOnce, .atLeastOnce, .exactlyOnce])
    func `what is published before the broker has answered is not lost`(qos: QoS) throws {
        let server = try TestServer()
        let inside = Inside(server.server)
        for number in 0..<100 { inside.publish("early/\(number)", "\(number)", qos, retain: true) }
        let reader = try PlainClient(port: server.port, name: "reader")
        #expect(try reader.connect())
        _ = try reader.subscribe("early/#")
        var topics = Set<Substring>()
        while topics.count < 100 { topics.insert(try reader.message().split(separator: " ")[0]) }
        #expect(inside.client.dropped == 0)
    }

    @Test func `a command from the socket reaches the gateway with its retain flag`() async throws {
        let server = try TestServer()
        let inside = Inside(server.server)
        inside.subscribe("pi/+/set", retainAsPublished: true)
        await inside.idle()
        let writer = try PlainClient(port: server.port, name: "writer")
        #expect(try writer.connect())
        #expect(try writer.publish("pi/relay/set", "ON") == .success)
        #expect(try writer.publish("pi/relay/set", "OFF", retain: true) == .success)
        #expect(await inside.take(2) == ["pi/relay/set ON", "pi/relay/set OFF (retained)"])
    }

    @Test func `more than the window takes keeps its order`() async throws {
        let server = try TestServer()
        let reader = Inside(server.server, name: "reader")
        reader.subscribe("n")
        await reader.idle()
        let writer = Inside(server.server, name: "writer")
        for number in 0..<5_000 { writer.publish("n", "\(number)") }
        #expect(await reader.take(5_000) == (0..<5_000).map { "n \($0)" })
        await writer.idle()
    }

    @Test func `a client that asked for it does not hear itself`() async throws {
        let server = try TestServer()
        let inside = Inside(server.server)
        inside.subscribe("#", noLocal: true)
        await inside.idle()
        inside.publish("mine", "1")
        await inside.idle()
        let writer = try PlainClient(port: server.port, name: "writer")
        #expect(try writer.connect())
        #expect(try writer.publish("theirs", "2") == .success)
        #expect(await inside.take(1) == ["theirs 2"])
    }

    @Test func `messages wait in the broker until those before them are acknowledged`() async throws {
        let server = try TestServer()
        let inside = Inside(server.server, acknowledgement: .deferred)
        inside.subscribe("#")
        await inside.idle()
        let writer = Inside(server.server, name: "writer")
        for number in 0..<3_000 { writer.publish("n", "\(number)") }
        await writer.idle()
        var held: [MessageToken] = []
        var numbers: [String] = []
        for await (message, token) in inside.messages {
            numbers.append(String(decoding: message.payload, as: UTF8.self))
            held.append(try #require(token))
            // The broker has at most 100 messages unacknowledged towards a client.
            guard held.count == 100 || numbers.count == 3_000 else { continue }
            for token in held { inside.client.acknowledge(token) }
            held = []
            if numbers.count == 3_000 { break }
        }
        #expect(numbers == (0..<3_000).map { "\($0)" })
    }

    @Test func `a queue that is full drops and counts`() throws {
        // Stopped when its owner goes: nobody answers.
        let server = try TestServer().server
        let inside = Inside(server)
        for number in 0..<10_001 { inside.publish("n", "\(number)") }
        #expect(inside.client.dropped == 1)
        for number in 0..<1_001 { inside.publish("n", "\(number)", .atMostOnce) }
        #expect(inside.client.dropped == 2)
    }

    @Test func `events come on the owner's loop, one turn for many wakes`() async throws {
        let server = try TestServer()
        let waiting = Mutex<[@Sendable () -> Void]>([])
        let topics = Mutex<[String]>([])
        let client = LocalClient(
            server.server, name: "lazy", schedule: { turn in waiting.withLock { $0.append(turn) } },
            onEvent: { event in
                if case .message(let message, _) = event { topics.withLock { $0.append(message.line) } }
            })
        client.subscribe([Subscribe.Request(filter: Array("#".utf8), qos: .atMostOnce)])
        func runTurns() {
            let turns = waiting.withLock { turns in
                defer { turns = [] }
                return turns
            }
            for turn in turns { turn() }
        }
        let writer = try PlainClient(port: server.port, name: "writer")
        #expect(try writer.connect())
        // Connected and subscribed once its own retained message comes back.
        client.publish(Publish(topic: Array("ready".utf8), payload: [], qos: .atLeastOnce))
        while topics.withLock({ $0 }).isEmpty {
            runTurns()
            await Task.yield()
        }
        for number in 0..<50 { #expect(try writer.publish("n", "\(number)") == .success) }
        #expect(topics.withLock { $0.count } == 1)
        #expect(waiting.withLock { $0.count } <= 1)
        // The broker may answer the writer a moment before it passes the last message on.
        while topics.withLock({ $0.count }) < 51 {
            runTurns()
            await Task.yield()
        }
        client.close()
    }
}
