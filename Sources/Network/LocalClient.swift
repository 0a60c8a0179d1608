package import Client
package import MQTTCodec
import Synchronization

/// A client of the gateway's own broker, inside the process: the same MQTT as over a socket, so it gets the same
/// order, windows and back-pressure.
///
/// Its calls may come from any thread; what happens is told on the owner's loop, through `schedule`.
package final class LocalClient: Sendable {
    /// Runs a closure on the owner's loop, in order.
    package typealias Schedule = @Sendable (@escaping @Sendable () -> Void) -> Void

    private struct State {
        var client: ClientState
        var link: LocalLink?
        /// QoS 0 messages from before the broker's first answer.
        var early: [Publish] = []
        var dropped = 0
        var whenIdle: [@Sendable () -> Void] = []
        var isScheduled = false
        var isClosed = false
    }

    private static let mostEarly = 1_000

    private let server: BrokerServer
    private let name: String
    private let keepsMessages: Bool
    private let schedule: Schedule
    private let onEvent: @Sendable (ClientEvent) -> Void
    private let state: Mutex<State>

    /// Connects; `onEvent` is called on the owner's loop.
    ///
    /// With `deferred` acknowledgement, `acknowledge` must be called for every message with a token.
    package init(
        _ server: BrokerServer, name: String, acknowledgement: ClientSettings.AcknowledgementMode = .automatic,
        schedule: @escaping Schedule, onEvent: @escaping @Sendable (ClientEvent) -> Void
    ) {
        self.server = server
        self.name = name
        keepsMessages = acknowledgement == .deferred
        self.schedule = schedule
        self.onEvent = onEvent
        var settings = ClientSettings(clientID: Array("$martlet/\(name)".utf8))
        settings.keepAliveSeconds = 0
        settings.acknowledgement = acknowledgement
        settings.receiveMaximum = 32_768
        // Inside the process nothing gets lost on the way, so nothing is timed.
        settings.acknowledgeTimeout = nil
        state = Mutex(State(client: ClientState(settings, now: .now)))
        open()
    }

    /// How many messages could not be taken because too many waited already.
    package var dropped: Int { state.withLock { $0.dropped } }

    /// Publishes now, or when its turn comes; messages keep their order.
    ///
    /// At QoS 1 and 2 `acknowledged` follows with the handle; there is none for a message that could not be taken.
    @discardableResult
    package func publish(_ message: Publish) -> RequestHandle? {
        state.withLock { state in
            defer { Self.write(&state) }
            do throws(PublishRefusal) {
                return try state.client.publish(message, now: .now)
            } catch {
                if error == .notConnected, state.early.count < Self.mostEarly {
                    state.early.append(message)
                } else {
                    state.dropped += 1
                }
                return nil
            }
        }
    }

    package func subscribe(_ requests: [Subscribe.Request]) {
        guard !requests.isEmpty else { return }
        state.withLock { state in
            _ = state.client.subscribe(requests)
            Self.write(&state)
        }
    }

    package func unsubscribe(_ filters: [[UInt8]]) {
        guard !filters.isEmpty else { return }
        state.withLock { state in
            _ = state.client.unsubscribe(filters)
            Self.write(&state)
        }
    }

    /// A message with this token is kept now: the broker may forget it.
    package func acknowledge(_ token: MessageToken) {
        state.withLock { state in
            state.client.acknowledge(token)
            Self.write(&state)
        }
    }

    /// Calls `body` on the owner's loop when the broker has taken everything that was published before.
    package func whenIdle(_ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.whenIdle.append(body) }
        wake()
    }

    package func close() {
        state.withLock { state in
            state.isClosed = true
            state.client.disconnect()
            Self.write(&state)
            state.link?.close()
            state.link = nil
        }
    }

    // MARK: the broker's side

    private func open() {
        let link = server.openLocal(name: name, keepsMessages: keepsMessages) { [weak self] in self?.wake() }
        state.withLock { state in
            state.link = link
            state.client.transportOpened(now: .now)
            Self.write(&state)
        }
    }

    private static func write(_ state: inout State) {
        let bytes = state.client.takeOutput(now: .now)
        if !bytes.isEmpty { state.link?.send(bytes) }
    }

    /// Called on the broker's thread, or by a caller: the rest happens on the owner's loop, once for many wakes.
    private func wake() {
        let isFirst = state.withLock { state in
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if isFirst { schedule { [weak self] in self?.turn() } }
    }

    private func turn() {
        let (events, idle, isLost) = state.withLock { state in
            state.isScheduled = false
            var isLost = false
            if let taken = state.link?.take() {
                state.client.received(taken.bytes.span, now: .now)
                if taken.isClosed, !state.isClosed {
                    state.client.transportClosed("the broker closed the connection")
                    state.link = nil
                    isLost = true
                }
            }
            let events = state.client.takeEvents()
            for case .connected in events { Self.sendEarly(&state) }
            Self.write(&state)
            return (events, Self.takeIdle(&state), isLost)
        }
        for event in events { onEvent(event) }
        for body in idle { body() }
        if isLost { open() }
    }

    private static func sendEarly(_ state: inout State) {
        for message in state.early { _ = try? state.client.publish(message, now: .now) }
        state.early = []
    }

    private static func takeIdle(_ state: inout State) -> [@Sendable () -> Void] {
        guard state.client.isIdle, state.client.isConnected else { return [] }
        defer { state.whenIdle = [] }
        return state.whenIdle
    }
}
