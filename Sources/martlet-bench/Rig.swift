import Broker
import Bytes
import MQTTCodec
import Readings

/// A broker and its clients in one thread: what the clients say goes in, what the broker writes comes out, turn by
/// turn as its loop does it.
///
/// The stopwatch runs only while the broker works.
struct Rig: ~Copyable {
    /// Nothing keeps a message back: the limits are the benchmark's own.
    private static var limits: BrokerLimits {
        var limits = BrokerLimits()
        limits.maximumConnections = 100_000
        limits.subscriptions = 100_000
        limits.sysInterval = .zero
        return limits
    }

    private var state: BrokerState
    /// By the index of their connection; closed ones stay until it is used again.
    private var clients: [RigClient] = []
    /// Who has something to say.
    private var speaking: [Int] = []
    private var written: [Int] = []
    private var now = MonotonicTime(nanoseconds: 1_000_000_000_000)

    // All that follows is counted from the last `reset`.
    private(set) var stopwatch = Stopwatch()
    /// What all clients have seen together.
    private(set) var seen = Seen()
    /// Bytes that went in and came out.
    private(set) var traffic = 0

    /// A broker without clients; `room` is for clients whose memory must not be taken for the broker's.
    init(room: Int = 0) {
        clients.reserveCapacity(room)
        let host = BrokerHost(node: "bench", version: "martlet-bench") { Timestamp(milliseconds: 1_772_346_600_000) }
        state = BrokerState(limits: Self.limits, host: host, seed: 7, now: now)
    }

    /// Forgets the preparations.
    mutating func reset() {
        stopwatch = Stopwatch()
        seen = Seen()
        traffic = 0
    }

    /// A connection without CONNECT.
    mutating func open(_ version: ProtocolVersion) throws(Discrepancy) -> Int {
        var origin = ConnectionOrigin(peer: "127.0.0.1:12345")
        origin.address = "127.0.0.1"
        origin.listener = "127.0.0.1:1883"
        origin.mayBeAnonymous = true
        stopwatch.start()
        let opened = state.connectionOpened(origin, now: now)
        stopwatch.stop()
        guard let id = opened else { throw Discrepancy("the broker takes no more connections") }
        let client = Int(id.index)
        if client == clients.count { clients.append(RigClient(id: id, version: version)) }
        clients[client] = RigClient(id: id, version: version)
        return client
    }

    /// A client that is connected.
    mutating func connect(_ name: String, _ version: ProtocolVersion = .v311) throws(Discrepancy) -> Int {
        let client = try open(version)
        let before = seen.connected
        say(RigClient.connect(name, version), client)
        try settle()
        try Discrepancy.check(seen.connected - before, is: 1, "clients let in")
        return client
    }

    mutating func subscribe(_ client: Int, to filters: [String], _ qos: QoS) throws(Discrepancy) {
        let before = seen.subscribed
        say(RigClient.subscribe(filters, qos, clients[client].version), client)
        try settle()
        try Discrepancy.check(seen.subscribed - before, is: filters.count, "subscriptions granted")
    }

    /// Gives back what the client itself has in memory.
    mutating func emptyBuffers(of client: Int) {
        clients[client].inbox = []
        clients[client].outgoing = []
    }

    /// Has a client send these bytes in the next turn.
    mutating func say(_ bytes: [UInt8], _ client: Int) {
        clients[client].outgoing = bytes
        speaking.append(client)
    }

    /// Goes on until nobody has anything to say.
    mutating func settle() throws(Discrepancy) {
        while !speaking.isEmpty { try turn() }
    }

    /// The transport of a client is gone.
    mutating func lose(_ client: Int) {
        stopwatch.start()
        state.connectionLost(clients[client].id, why: "the peer closed the connection", now: now)
        stopwatch.stop()
    }

    private mutating func turn() throws(Discrepancy) {
        now += .microseconds(100)
        stopwatch.start()
        for client in speaking { receive(client) }
        state.tick(now: now)
        while let id = state.nextMarked() { flush(id) }
        _ = state.takeEvents()
        stopwatch.stop()
        speaking.removeAll(keepingCapacity: true)
        for client in written {
            try clients[client].read(&seen)
            if !clients[client].outgoing.isEmpty { speaking.append(client) }
        }
        written.removeAll(keepingCapacity: true)
    }

    private mutating func receive(_ client: Int) {
        var bytes: [UInt8] = []
        swap(&bytes, &clients[client].outgoing)
        traffic += bytes.count
        state.bytesReceived(clients[client].id, bytes.span, now: now)
    }

    /// Copies where the loop would call the kernel.
    private mutating func flush(_ id: ConnectionID) {
        let client = Int(id.index)
        var inbox: [UInt8] = []
        swap(&inbox, &clients[client].inbox)
        let outcome = state.flush(id) { bytes, _ in
            inbox.append(copying: bytes)
            return bytes.count
        }
        traffic += inbox.count
        swap(&inbox, &clients[client].inbox)
        if outcome != .done { seen.closed += 1 }
        written.append(client)
    }
}
