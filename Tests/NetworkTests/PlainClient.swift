import Client
import Glibc
import LinuxIO
import MQTTCodec

/// A client on a real socket that waits, for tests of the server.
final class PlainClient {
    struct TimedOut: Error {}

    var client: ClientState
    private let descriptor: OwnedDescriptor
    private var buffer = [UInt8](repeating: 0, count: 65_536)
    private var unsent: [UInt8] = []
    /// Everything that happened and was not waited for yet.
    private var events: [ClientEvent] = []

    init(path: String, name: String, version: ProtocolVersion = .v5) throws {
        descriptor = try Socket.connect(path: path)
        client = Self.state(name, version)
    }

    init(
        address: String = "127.0.0.1", port: UInt16, name: String, version: ProtocolVersion = .v5,
        user: (name: String, password: String)? = nil
    ) throws {
        descriptor = try Socket.connect(address: address, port: port)
        client = Self.state(name, version, user)
    }

    private static func state(
        _ name: String, _ version: ProtocolVersion, _ user: (name: String, password: String)? = nil
    ) -> ClientState {
        var settings = ClientSettings(clientID: Array(name.utf8))
        settings.version = version
        settings.userName = user.map { Array($0.name.utf8) }
        settings.password = user.map { Array($0.password.utf8) }
        return ClientState(settings, now: .now)
    }

    /// Returns what the server said to CONNECT: true if it accepted.
    func connect() throws -> Bool {
        client.transportOpened(now: .now)
        return try isAccepted()
    }

    /// What the server said to a CONNECT that was sent.
    func isAccepted() throws -> Bool {
        try wait { event in
            switch event {
            case .connected: true
            case .closed: false
            default: nil
            }
        }
    }

    func subscribe(_ filter: String, qos: QoS = .exactlyOnce) throws -> [ReasonCode] {
        _ = client.subscribe([Subscribe.Request(filter: Array(filter.utf8), qos: qos)])
        return try wait { if case .subscribed(_, let codes) = $0 { codes } else { nil } }
    }

    /// Returns the server's answer.
    func publish(_ topic: String, _ payload: String, retain: Bool = false) throws -> ReasonCode {
        _ = try client.publish(
            Publish(topic: Array(topic.utf8), payload: Array(payload.utf8), qos: .atLeastOnce, retain: retain),
            now: .now)
        return try wait { if case .acknowledged(_, let code) = $0 { code } else { nil } }
    }

    /// The next message, as "topic payload".
    func message() throws -> String {
        try wait { if case .message(let message, _) = $0 { message.line } else { nil } }
    }

    /// Why the server ended the connection.
    func closed() throws -> CloseReason {
        try wait { if case .closed(let reason) = $0 { reason } else { nil } }
    }

    /// Writes and reads until an event is the one that is looked for; those before it stay for later calls.
    private func wait<Result>(for look: (ClientEvent) -> Result?) throws -> Result {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            events += client.takeEvents()
            for (index, event) in events.enumerated() {
                guard let result = look(event) else { continue }
                events.remove(at: index)
                return result
            }
            turn()
        }
        throw TimedOut()
    }

    private func turn() {
        unsent += client.takeOutput(now: .now)
        let isWriting = !unsent.isEmpty
        // A TCP connection is there when the socket is writable.
        var poll = pollfd(fd: descriptor.rawValue, events: Int16(isWriting ? POLLIN | POLLOUT : POLLIN), revents: 0)
        guard Glibc.poll(&poll, 1, 1_000) > 0 else { return }
        if isWriting, case .sent(let count) = Socket.send(descriptor.rawValue, unsent.span, more: false) {
            unsent.removeFirst(count)
        }
        guard Int32(poll.revents) & POLLIN != 0 else { return }
        switch Socket.receive(descriptor.rawValue, into: &buffer) {
        case .bytes(let count):
            let bytes = Array(buffer[..<count])
            client.received(bytes.span, now: .now)
        case .wouldBlock: break
        case .closed, .failed:
            client.transportClosed("closed")
        }
    }
}

extension Publish {
    /// "topic payload", with a mark if it is retained.
    var line: String {
        String(decoding: topic, as: UTF8.self) + " " + String(decoding: payload, as: UTF8.self)
            + (retain ? " (retained)" : "")
    }
}
