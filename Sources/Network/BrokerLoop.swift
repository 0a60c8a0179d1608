import Broker
import Bytes
import LinuxIO

/// The loop that owns the broker's state: one thread, one epoll, sockets read and written here and nowhere else.
///
/// Level-triggered, one read per readiness into a buffer that all connections share, one write per connection and
/// turn: what `docs/performance.md` measured as cheapest.
struct BrokerLoop: ~Copyable {
    /// What other threads ask of the loop.
    enum Request: Sendable {
        case openLocal(LocalTransport, name: String, key: Int)
        case localBytes(key: Int, [UInt8])
        case localReady(key: Int)
        case closeLocal(key: Int)
        case stop
    }

    /// How long a closed connection is read on, for the peer to take its last packet.
    private static let lingerTime: Duration = .seconds(2)
    private static let readSize = 131_072
    /// How long a listener rests that can't accept (no descriptors left): epoll would report it again at once.
    private static let acceptPause: Duration = .seconds(1)
    /// How often the loop tells that it turns; at each turn it would cost more than the turn.
    private static let signInterval: Duration = .milliseconds(100)

    private var state: BrokerState
    private var poller: Poller
    private let listeners: [Listener]
    private let shared: BrokerServer.Shared
    /// By the broker's connection index.
    private var connections: [ClientConnection?] = []
    private var localConnections: [Int: ConnectionID] = [:]
    private var lingering: [Int] = []
    private var resting: [(listener: Int, until: MonotonicTime)] = []
    private var buffer: [UInt8]
    private var ready: [PollEvent] = []
    private var stopsAt: MonotonicTime?
    private var signAt = MonotonicTime(nanoseconds: 0)

    init(
        state: consuming BrokerState, poller: consuming Poller, listeners: [Listener], shared: BrokerServer.Shared
    ) {
        self.state = state
        self.poller = poller
        self.listeners = listeners
        self.shared = shared
        buffer = Array(repeating: 0, count: Self.readSize)
    }

    /// Runs until it is told to stop and the clients have been told, or have had a second to listen.
    mutating func run() {
        while !isFinished {
            do {
                let before = MonotonicTime.now
                try poller.wait(until: nextWake(before), now: before, into: &ready)
            } catch {
                shared.report(.failed("epoll: \(error)"))
                return
            }
            let now = MonotonicTime.now
            for event in ready { handle(event, now) }
            state.tick(now: now)
            flushMarked(now)
            closeLingering(now)
            wakeListeners(now)
            for event in state.takeEvents() { shared.report(.broker(event)) }
            if now >= signAt {
                signAt = now + Self.signInterval
                shared.turned(now)
            }
        }
        closeAll()
    }

    private var isFinished: Bool {
        guard let stopsAt else { return false }
        return MonotonicTime.now >= stopsAt || connections.allSatisfy { $0 == nil || $0?.isLocal == true }
    }

    private func nextWake(_ now: MonotonicTime) -> MonotonicTime {
        // The watchdog wants a sign of life from the loop itself, so it never sleeps for long.
        var earliest = now + shared.heartbeatInterval
        if let due = state.wakeAt { earliest = min(earliest, due) }
        if let stopsAt { earliest = min(earliest, stopsAt) }
        for index in lingering {
            if let until = connections[index]?.lingersUntil { earliest = min(earliest, until) }
        }
        for rest in resting { earliest = min(earliest, rest.until) }
        return earliest
    }

    // MARK: events

    private mutating func handle(_ event: PollEvent, _ now: MonotonicTime) {
        switch PollToken(event.token) {
        case .wakeUp:
            shared.wakeUp.clear()
            for request in shared.mailbox.takeAll() { handle(request, now) }
        case .listener(let index): accept(index, now)
        case .connection(let index): handle(event, index, now)
        }
    }

    private mutating func handle(_ event: PollEvent, _ index: Int, _ now: MonotonicTime) {
        guard index < connections.count, let connection = connections[index] else { return }
        guard case .socket(let socket) = connection.transport else { return }
        if event.isReadable || event.isHangUp { read(index, socket, now) }
        if event.isWritable, connections[index] != nil { flush(connection.id, now) }
    }

    private mutating func read(_ index: Int, _ socket: SocketTransport, _ now: MonotonicTime) {
        guard let connection = connections[index] else { return }
        switch Socket.receive(socket.descriptor.rawValue, into: &buffer) {
        case .bytes(let count):
            guard connection.lingersUntil == nil else { return }
            Self.receive(&state, connection.id, buffer, count, now)
        case .wouldBlock: break
        case .closed: drop(index, why: "the peer closed the connection", now)
        case .failed(let error): drop(index, why: "\(error)", now)
        }
    }

    /// Apart, because a span of one stored property and a change of another don't go together in one expression.
    private static func receive(
        _ state: inout BrokerState, _ id: ConnectionID, _ buffer: [UInt8], _ count: Int,
        _ now: MonotonicTime
    ) {
        state.bytesReceived(id, buffer.span.extracting(0..<count), now: now)
    }

    private mutating func accept(_ index: Int, _ now: MonotonicTime) {
        let listener = listeners[index]
        // A few at a time: a storm of connections must not keep the others waiting.
        for _ in 0..<64 {
            switch Socket.accept(listener.descriptor.rawValue) {
            case .connection(let descriptor, let peer): add(SocketTransport(descriptor), peer, listener, now)
            case .wouldBlock: return
            case .failed(let error):
                shared.report(.failed("accept on \(listener.settings.address): \(error)"))
                try? poller.remove(listener.descriptor.rawValue)
                resting.append((index, now + Self.acceptPause))
                return
            }
        }
    }

    private mutating func wakeListeners(_ now: MonotonicTime) {
        guard !resting.isEmpty, stopsAt == nil else { return }
        for place in resting.indices where resting[place].until <= now {
            let index = resting[place].listener
            let token = PollToken.listener(index).rawValue
            do {
                try poller.add(listeners[index].descriptor.rawValue, token: token, reading: true, writing: false)
            } catch {
                // Without this one nobody could connect any more: it is tried again until it works.
                shared.report(.failed("listener \(listeners[index].settings.address): \(error)"))
                resting[place].until = now + Self.acceptPause
            }
        }
        resting.removeAll { $0.until <= now }
    }

    private mutating func add(
        _ socket: SocketTransport, _ peer: PeerAddress, _ listener: Listener, _ now: MonotonicTime
    ) {
        var origin = ConnectionOrigin(peer: peer.description)
        origin.address = peer.host
        origin.listener = listener.settings.address.description
        origin.mayBeAnonymous = listener.letsInAnonymous(peer)
        if case .unix = listener.settings.address { origin.isLocalSocket = true }
        guard let id = state.connectionOpened(origin, now: now) else { return }
        Socket.setNoDelay(socket.descriptor.rawValue)
        do {
            try poller.add(
                socket.descriptor.rawValue, token: PollToken.connection(Int(id.index)).rawValue, reading: true,
                writing: false)
        } catch {
            shared.report(.failed("\(error)"))
            state.connectionLost(id, why: "\(error)", now: now)
            return
        }
        set(ClientConnection(id: id, transport: .socket(socket)))
    }

    private mutating func set(_ connection: ClientConnection) {
        let index = Int(connection.id.index)
        while connections.count <= index { connections.append(nil) }
        connections[index] = connection
    }

    // MARK: requests of other threads

    private mutating func handle(_ request: Request, _ now: MonotonicTime) {
        switch request {
        case .openLocal(let transport, let name, let key):
            var origin = ConnectionOrigin(peer: name)
            origin.isInternal = true
            guard let id = state.connectionOpened(origin, now: now) else { return transport.close() }
            localConnections[key] = id
            set(ClientConnection(id: id, transport: .local(transport)))
        case .localBytes(let key, let bytes):
            if let id = localConnections[key] { state.bytesReceived(id, bytes.span, now: now) }
        case .localReady(let key):
            if let id = localConnections[key] { flush(id, now) }
        case .closeLocal(let key):
            if let id = localConnections[key] { drop(Int(id.index), why: "closed", now) }
        case .stop: stop(now)
        }
    }

    private mutating func stop(_ now: MonotonicTime) {
        guard stopsAt == nil else { return }
        stopsAt = now + .seconds(1)
        for listener in listeners { try? poller.remove(listener.descriptor.rawValue) }
        state.shutDown(now: now)
    }

    // MARK: results

    private mutating func flushMarked(_ now: MonotonicTime) {
        while let id = state.nextMarked() { flush(id, now) }
    }

    private mutating func flush(_ id: ConnectionID, _ now: MonotonicTime) {
        let index = Int(id.index)
        guard index < connections.count, let connection = connections[index], connection.id == id else { return }
        let outcome: BrokerState.FlushOutcome
        var failure: SystemError?
        switch connection.transport {
        case .socket(let socket):
            let descriptor = socket.descriptor.rawValue
            outcome = state.flush(id) { bytes, moreFollows in
                switch Socket.send(descriptor, bytes, more: moreFollows) {
                case .sent(let count): return count
                case .wouldBlock: return 0
                case .failed(let error):
                    failure = error
                    return nil
                }
            }
        case .local(let transport):
            outcome = state.flush(id) { bytes, _ in transport.write(bytes) }
        }
        switch outcome {
        case .done: setWaitsToWrite(index, false)
        case .blocked: setWaitsToWrite(index, true)
        case .close: close(index, now)
        case .lost: drop(index, why: failure.map { "\($0)" } ?? "writing failed", now)
        }
    }

    private mutating func setWaitsToWrite(_ index: Int, _ waits: Bool) {
        guard let connection = connections[index], connection.waitsToWrite != waits else { return }
        connections[index]?.waitsToWrite = waits
        guard case .socket(let socket) = connection.transport else { return }
        do {
            try poller.modify(
                socket.descriptor.rawValue, token: PollToken.connection(index).rawValue, reading: true, writing: waits)
        } catch {
            shared.report(.failed("\(error)"))
        }
    }

    /// The broker wants it closed and has nothing more to say.
    private mutating func close(_ index: Int, _ now: MonotonicTime) {
        guard let connection = connections[index], connection.lingersUntil == nil else { return }
        guard case .socket(let socket) = connection.transport else {
            return drop(index, why: "closed by the broker", now)
        }
        setWaitsToWrite(index, false)
        Socket.shutDownWriting(socket.descriptor.rawValue)
        connections[index]?.lingersUntil = now + Self.lingerTime
        lingering.append(index)
    }

    private mutating func closeLingering(_ now: MonotonicTime) {
        guard !lingering.isEmpty else { return }
        for index in lingering {
            if let until = connections[index]?.lingersUntil, until <= now { drop(index, why: "closed", now) }
        }
        lingering.removeAll { connections[$0]?.lingersUntil == nil }
    }

    /// Lets go of a connection: the descriptor closes with its transport.
    private mutating func drop(_ index: Int, why: String, _ now: MonotonicTime) {
        guard index < connections.count, let connection = connections[index] else { return }
        connections[index] = nil
        switch connection.transport {
        case .socket(let socket): try? poller.remove(socket.descriptor.rawValue)
        case .local(let transport):
            localConnections = localConnections.filter { $0.value != connection.id }
            transport.close()
        }
        state.connectionLost(connection.id, why: why, now: now)
    }

    private mutating func closeAll() {
        let now = MonotonicTime.now
        for index in connections.indices { drop(index, why: "the gateway stopped", now) }
        for listener in listeners { listener.removePath() }
    }
}

extension ClientConnection {
    var isLocal: Bool {
        if case .local = transport { true } else { false }
    }
}

/// What an epoll event of the loop belongs to, packed into its 64 bits.
enum PollToken {
    case wakeUp
    case listener(Int)
    case connection(Int)

    init(_ rawValue: UInt64) {
        let index = Int(rawValue & 0xFFFF_FFFF)
        switch rawValue >> 32 {
        case 0: self = .wakeUp
        case 1: self = .listener(index)
        default: self = .connection(index)
        }
    }

    var rawValue: UInt64 {
        switch self {
        case .wakeUp: 0
        case .listener(let index): 1 << 32 | UInt64(index)
        case .connection(let index): 2 << 32 | UInt64(index)
        }
    }
}
