import Access
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
        case openLocal(LocalTransport, name: String, keepsMessages: Bool, key: Int)
        case localBytes(key: Int, [UInt8])
        case localReady(key: Int)
        case closeLocal(key: Int)
        case tls([TLSEvent])
        case listen(ListenerChange)
        case limits(BrokerLimits)
        case passwordChecked(ConnectionID, isRight: Bool)
        case access(AccessSettings)
        case journal(JournalNews)
        case keep([UInt8], name: String)
        /// Those outside only; nobody new comes.
        case disconnectClients
        case stop
    }

    /// How long a closed connection is read on, for the peer to take its last packet.
    static let lingerTime: Duration = .seconds(2)
    private static let readSize = 131_072
    /// How often the loop tells that it turns; at each turn it would cost more than the turn.
    private static let signInterval: Duration = .milliseconds(100)

    // The extensions of this type are its parts in other files; nothing else uses these.
    var state: BrokerState
    var poller: Poller
    let shared: BrokerServer.Shared
    /// Those of what is not a client yet; the broker obeys its own.
    var limits: BrokerLimits
    /// By the number in their events; nil for one that was closed.
    var listeners: [Listener?]
    var resting: [(listener: Int, until: MonotonicTime)] = []
    var pace: AcceptPace
    /// Listeners that wait for the pace, the one whose turn is next first.
    var paced: [Int] = []
    var pacedUntil = MonotonicTime(nanoseconds: 0)
    var arrivals = Arrivals()
    /// By the broker's connection index.
    var connections: [ClientConnection?] = []
    private var localConnections: [Int: ConnectionID] = [:]
    private var lingering: [Int] = []
    /// Nil while no listener has TLS.
    var tls: TLSThread?
    /// Paused connections whose peer is gone, and why; they end when what came of them is handled.
    var gone: [Int: String] = [:]
    /// Connections that the TLS thread is to look at, at the end of the turn.
    var kicked: [TLSConnection] = []
    var buffer: [UInt8]
    /// What came out of WebSocket frames.
    var payload: [UInt8] = []
    private var ready: [PollEvent] = []
    var stopsAt: MonotonicTime?
    /// Whether those outside have left, or had their time to.
    var areClientsGone = false
    /// Whether the loop ends then; else those inside go on.
    var isToEnd = false
    /// Until when a loop that is to stop waits for the disk, so that publishers still get their answers.
    var commitsUntil: MonotonicTime?
    private var signAt = MonotonicTime(nanoseconds: 0)

    init(
        state: consuming BrokerState, limits: BrokerLimits, poller: consuming Poller, shared: BrokerServer.Shared
    ) {
        self.state = state
        self.poller = poller
        self.limits = limits
        self.shared = shared
        listeners = []
        pace = AcceptPace(rate: limits.connectionRate)
        buffer = Array(repeating: 0, count: Self.readSize)
    }

    /// Runs until it is told to stop and the clients have been told, or have had a second to listen.
    mutating func run() {
        while !isFinished() {
            do {
                let before = MonotonicTime.now
                try poller.wait(until: nextWake(before), now: before, into: &ready)
            } catch {
                shared.report(.failed("epoll: \(error)"))
                return
            }
            let now = MonotonicTime.now
            // Requests first: what the gateway asked before a client wrote holds for what it wrote.
            if ready.contains(where: { $0.token == PollToken.wakeUp.rawValue }) { takeRequests(now) }
            for event in ready { handle(event, now) }
            state.tick(now: now)
            keepJournal(now)
            stopWhenKept(now)
            for check in state.takePasswordChecks() { PasswordThread.run(check, shared) }
            flushMarked(now)
            closeLingering(now)
            closeArrivals(now)
            wakeListeners(now)
            // Who ends here may leave a will to somebody.
            while changeReading(now) { flushMarked(now) }
            kickTLS()
            for event in state.takeEvents() { shared.report(.broker(event)) }
            if now >= signAt {
                signAt = now + Self.signInterval
                shared.turned(now)
            }
        }
        closeAll()
        closeJournal()
    }

    private mutating func nextWake(_ now: MonotonicTime) -> MonotonicTime {
        // The watchdog wants a sign of life from the loop itself, so it never sleeps for long.
        var earliest = now + shared.heartbeatInterval
        if let due = state.wakeAt { earliest = min(earliest, due) }
        if let due = state.commitDueAt { earliest = min(earliest, due) }
        if state.hasSnapshotStep { earliest = now }
        if let commitsUntil { earliest = min(earliest, commitsUntil) }
        if let stopsAt, !areClientsGone { earliest = min(earliest, stopsAt) }
        for index in lingering {
            if let until = connections[index]?.lingersUntil { earliest = min(earliest, until) }
        }
        if let due = arrivals.earliest { earliest = min(earliest, due) }
        for rest in resting { earliest = min(earliest, rest.until) }
        if !paced.isEmpty { earliest = min(earliest, pacedUntil) }
        return earliest
    }

    // MARK: events

    private mutating func takeRequests(_ now: MonotonicTime) {
        shared.wakeUp.clear()
        for request in shared.mailbox.takeAll() { handle(request, now) }
    }

    private mutating func handle(_ event: PollEvent, _ now: MonotonicTime) {
        switch PollToken(event.token) {
        case .wakeUp: break
        case .listener(let index): accept(index, now)
        case .connection(let index): handle(event, index, now)
        case .arrival(let index): readArrival(index, now)
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
        switch Socket.receive(socket.rawValue, into: &buffer) {
        case .bytes(let count):
            guard connection.lingersUntil == nil else { return }
            if let layer = connection.webSocket { return readFrames(index, layer, buffer, count, now) }
            Self.receive(&state, connection.id, buffer, count, now)
        case .wouldBlock: break
        case .closed: drop(index, why: "the peer closed the connection", now)
        case .failed(let error): drop(index, why: "\(error)", now)
        }
    }

    /// Apart, because a span of one stored property and a change of another don't go together in one expression.
    static func receive(
        _ state: inout BrokerState, _ id: ConnectionID, _ buffer: [UInt8], _ count: Int,
        _ now: MonotonicTime
    ) {
        state.bytesReceived(id, buffer.span.extracting(0..<count), now: now)
    }

    mutating func set(_ connection: ClientConnection) {
        let index = Int(connection.id.index)
        while connections.count <= index { connections.append(nil) }
        connections[index] = connection
    }

    // MARK: requests of other threads

    private mutating func handle(_ request: Request, _ now: MonotonicTime) {
        switch request {
        case .openLocal(let transport, let name, let keepsMessages, let key):
            var origin = ConnectionOrigin(peer: name)
            origin.isInternal = true
            origin.keepsMessages = keepsMessages
            guard let id = state.connectionOpened(origin, now: now) else { return transport.close() }
            localConnections[key] = id
            set(ClientConnection(id: id, transport: .local(transport)))
        case .localBytes(let key, let bytes):
            if let id = localConnections[key] { state.bytesReceived(id, bytes.span, now: now) }
        case .localReady(let key):
            if let id = localConnections[key] { flush(id, now) }
        case .closeLocal(let key):
            if let id = localConnections[key] { drop(Int(id.index), why: "closed", now) }
        case .tls(let events):
            for event in events { handle(event, now) }
        case .listen(let change): apply(change)
        case .limits(let limits):
            self.limits = limits
            pace = AcceptPace(rate: limits.connectionRate)
            state.apply(limits, now: now)
        case .passwordChecked(let id, let isRight): state.passwordChecked(id, isRight: isRight, now: now)
        case .access(let access): state.apply(access, now: now)
        case .journal(let news): state.journalReported(news, now: now)
        case .keep(let value, let name): state.keep(value, for: Array(name.utf8), now: now)
        case .disconnectClients: stop(now)
        case .stop:
            isToEnd = true
            stop(now)
        }
    }

    // MARK: the journal

    /// Hands over what is due, and a part of the snapshot that is being taken.
    private mutating func keepJournal(_ now: MonotonicTime) {
        guard let journal = shared.journal else { return }
        if let (number, batch) = state.takeBatch(now: now) { journal.commit(number, batch) }
        switch state.nextSnapshotStep() {
        case .begin: journal.beginSnapshot()
        case .add(let batch): journal.addToSnapshot(batch)
        case .finish: journal.finishSnapshot()
        case nil: break
        }
    }

    /// What ended with the last connections is kept too.
    private mutating func closeJournal() {
        guard let journal = shared.journal else { return }
        let now = MonotonicTime.now
        state.commitSoon(now: now)
        if let (number, batch) = state.takeBatch(now: now) { journal.commit(number, batch) }
        journal.close()
    }

    // MARK: results

    private mutating func flushMarked(_ now: MonotonicTime) {
        while let id = state.nextMarked() { flush(id, now) }
    }

    mutating func flush(_ id: ConnectionID, _ now: MonotonicTime) {
        let index = Int(id.index)
        guard index < connections.count, let connection = connections[index], connection.id == id else { return }
        if let layer = connection.webSocket { return flushFrames(connection, layer, now) }
        let outcome: BrokerState.FlushOutcome
        var failure: SystemError?
        switch connection.transport {
        case .socket(let socket):
            let descriptor = socket.rawValue
            outcome = state.flush(id) { bytes, moreFollows in
                switch Socket.send(descriptor, bytes, more: moreFollows) {
                case .sent(let count): return count
                case .wouldBlock: return 0
                case .failed(let error):
                    failure = error
                    return nil
                }
            }
        case .tls(let transport):
            outcome = state.flush(id) { bytes, _ in transport.write(bytes) }
            kicked.append(transport)
        case .local(let transport):
            outcome = state.flush(id) { bytes, _ in transport.write(bytes) }
        }
        flushed(index, outcome, failure, now)
    }

    mutating func flushed(
        _ index: Int, _ outcome: BrokerState.FlushOutcome, _ failure: SystemError?, _ now: MonotonicTime
    ) {
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
        setInterest(index)
    }

    /// Returns whether a connection ended.
    mutating func changeReading(_ now: MonotonicTime) -> Bool {
        var hasDropped = false
        while let change = state.nextReadingChange() {
            let index = Int(change.id.index)
            guard index < connections.count, connections[index]?.id == change.id else { continue }
            if change.reads, let why = gone[index] {
                drop(index, why: why, now)
                hasDropped = true
            } else {
                setPaused(index, !change.reads)
            }
        }
        return hasDropped
    }

    /// Has the transport hold back what comes, or let it come again.
    private mutating func setPaused(_ index: Int, _ isPaused: Bool) {
        guard index < connections.count, let connection = connections[index], connection.isPaused != isPaused else {
            return
        }
        connections[index]?.isPaused = isPaused
        guard case .tls(let transport) = connection.transport else { return setInterest(index) }
        transport.setReading(!isPaused)
        kicked.append(transport)
    }

    private mutating func setInterest(_ index: Int) {
        guard let connection = connections[index], case .socket(let socket) = connection.transport else { return }
        do {
            try poller.modify(
                socket.rawValue, token: PollToken.connection(index).rawValue,
                reading: !connection.isPaused || connection.lingersUntil != nil, writing: connection.waitsToWrite)
        } catch {
            shared.report(.failed("\(error)"))
        }
    }

    /// The broker wants it closed and has nothing more to say.
    private mutating func close(_ index: Int, _ now: MonotonicTime) {
        guard let connection = connections[index], connection.lingersUntil == nil else { return }
        switch connection.transport {
        case .local: return drop(index, why: "closed by the broker", now)
        case .tls(let transport):
            // Its own goodbye is answered by the peer; that is waited for on the TLS thread.
            if let layer = connection.webSocket { sayGoodbye(layer, connection.transport) }
            gone[index] = nil
            transport.place = .nowhere
            transport.close()
            kicked.append(transport)
            connections[index] = nil
            state.connectionLost(connection.id, why: "closed by the broker", now: now)
        case .socket(let socket):
            if let layer = connection.webSocket { sayGoodbye(layer, connection.transport) }
            Socket.shutDownWriting(socket.rawValue)
            connections[index]?.lingersUntil = now + Self.lingerTime
            connections[index]?.waitsToWrite = false
            setInterest(index)
            lingering.append(index)
        }
    }

    private mutating func closeLingering(_ now: MonotonicTime) {
        guard !lingering.isEmpty else { return }
        for index in lingering {
            if let until = connections[index]?.lingersUntil, until <= now { drop(index, why: "closed", now) }
        }
        lingering.removeAll { connections[$0]?.lingersUntil == nil }
    }

    /// Lets go of a connection: the descriptor closes with its transport.
    mutating func drop(_ index: Int, why: String, _ now: MonotonicTime) {
        guard index < connections.count, let connection = connections[index] else { return }
        connections[index] = nil
        switch connection.transport {
        case .socket(let socket): try? poller.remove(socket.rawValue)
        case .tls(let transport):
            gone[index] = nil
            leaveTLS(transport)
        case .local(let transport):
            localConnections = localConnections.filter { $0.value != connection.id }
            transport.close()
        }
        state.connectionLost(connection.id, why: why, now: now)
    }

    private mutating func closeAll() {
        let now = MonotonicTime.now
        for index in connections.indices { drop(index, why: "the gateway stopped", now) }
        for case let listener? in listeners { listener.removePath() }
        tls?.stop()
    }
}
