package import Bytes
import MQTTCodec

/// The whole MQTT broker, without sockets: bytes in, bytes into the connections' output buffers, and when to wake.
///
/// One loop owns it and calls it; nothing in it waits, and everything in it is index-linked values, because a
/// reference counted or a string made per message costs more than the message (`docs/performance.md`). After a
/// turn the loop takes the marked connections and flushes each once.
package struct BrokerState: ~Copyable {
    package internal(set) var limits: BrokerLimits
    let host: BrokerHost
    let startedAt: MonotonicTime
    /// The time of the event being handled.
    var now: MonotonicTime
    var randomState: UInt64

    var connections: [Connection] = []
    var freeConnections: [Int32] = []
    var sessions: [Session] = []
    var freeSessions: [SessionIndex] = []
    var sessionsByClientID: [[UInt8]: SessionIndex] = [:]
    var subscriptions: SubscriptionStore
    var retained: RetainedStore
    var messages = MessageStore()
    var outputs: [OutputBuffer] = []
    var freeOutputs: [Int32] = []
    var marked: [Int32] = []
    /// Goes up when `$SYS` is switched on again.
    var systemGeneration: UInt32 = 0
    /// The first of the marked ones that was not handed out.
    var nextMark = 0
    var deadlines = Deadlines()
    var journal = JournalState()
    var answers = WaitingAnswers()
    /// What the answer to the message just routed waits for, or -1.
    var ticket: Int32 = -1
    /// Messages that a client inside was to keep before it went away.
    var orphans: [MessageIndex] = []
    /// QoS 2 messages of the process before that clients inside may lack; known by their identifiers.
    var notGivenInside: Set<WaitingAnswers.Name> = []
    var logins: Logins
    /// Whether rules bind any session; while none do, nothing is asked for a message.
    var hasRules = false
    var encoded = EncodedPublish()
    /// Wills wait here until the event that set them free is handled to its end.
    var dueWills: [DueWill] = []
    var events: [BrokerEvent] = []
    var system: SystemState
    /// Connections that the loop must begin or cease to read.
    var readingChanges: [Int32] = []
    /// Bytes kept or written since memory was last looked at.
    var grown = 0
    package internal(set) var pressure = MemoryPressure.none
    var isWatchingMemory = false
    package internal(set) var counters = Counters()

    /// A broker without clients.
    ///
    /// `seed` keeps clients from guessing hash collisions and assigned client ids.
    package init(limits: BrokerLimits, host: BrokerHost, seed: UInt64, now: MonotonicTime) {
        self.limits = limits
        self.host = host
        system = SystemState(now: now)
        self.now = now
        startedAt = now
        randomState = seed
        logins = Logins(seed: seed &+ 2)
        subscriptions = SubscriptionStore(seed: seed)
        retained = RetainedStore(seed: seed &+ 1)
        if limits.sysInterval > .zero { deadlines.add(Deadlines.Entry(at: now, kind: .system)) }
        deadlines.add(Deadlines.Entry(at: now + .seconds(60), kind: .retainedExpiry))
    }

    // MARK: events in

    /// A transport connected.
    ///
    /// Nil when there are too many connections: the caller closes it.
    ///
    /// The first deadline is that of its CONNECT: `connectBy` where the time for it began to run before.
    package mutating func connectionOpened(
        _ origin: ConnectionOrigin, connectBy: MonotonicTime? = nil, now: MonotonicTime
    ) -> ConnectionID? {
        self.now = now
        guard origin.isInternal || counters.sockets < limits.maximumConnections else {
            events.append(.refused(peer: origin.peer, why: "\(limits.maximumConnections) connections are open already"))
            return nil
        }
        let index: Int32
        if let reused = freeConnections.popLast() {
            index = reused
        } else {
            index = Int32(clamping: connections.count)
            connections.append(Connection(lastPacketAt: now))
        }
        let generation = connections[Int(index)].generation &+ 1
        connections[Int(index)] = Connection(lastPacketAt: now)
        connections[Int(index)].state = .awaitingConnect
        connections[Int(index)].generation = generation
        connections[Int(index)].isInternal = origin.isInternal
        connections[Int(index)].origin = origin
        connections[Int(index)].takes = limits.maximumPacketSize
        if !origin.isInternal {
            counters.sockets += 1
            counters.socketsOpened += 1
        }
        deadlines.add(
            Deadlines.Entry(
                at: connectBy ?? now + limits.connectTimeout, kind: .connect, index: index, generation: generation))
        return ConnectionID(index: index, generation: generation)
    }

    /// Bytes arrived; whole packets are handled, the front of an unfinished one is kept.
    package mutating func bytesReceived(_ id: ConnectionID, _ bytes: Span<UInt8>, now: MonotonicTime) {
        self.now = now
        guard isCurrent(id) else { return }
        let index = Int(id.index)
        counters.bytesReceived += bytes.count
        guard connections[index].state != .authenticating else { return keepForLater(index, bytes) }
        if connections[index].partial.isEmpty {
            let consumed = handlePackets(index, bytes)
            keepRest(index, bytes.extracting(consumed..<bytes.count))
        } else {
            var whole: [UInt8] = []
            swap(&whole, &connections[index].partial)
            whole.append(copying: bytes)
            let consumed = handlePackets(index, whole.span)
            if consumed == 0, isReading(index) {
                // Still the front of one packet, or paused.
                swap(&whole, &connections[index].partial)
            } else {
                keepRest(index, whole.span.extracting(consumed..<whole.count))
            }
        }
        publishDueWills()
        pauseIfOutputIsFull(index)
        watchMemory()
    }

    /// The transport is gone, for the reason given.
    package mutating func connectionLost(_ id: ConnectionID, why: String, now: MonotonicTime) {
        self.now = now
        guard isCurrent(id) else { return }
        let index = Int(id.index)
        if connections[index].state == .open { endConnection(index, publishWill: true, why: why) }
        release(index)
        publishDueWills()
    }

    /// Time has come for something; call it at `wakeAt` or later.
    package mutating func tick(now: MonotonicTime) {
        self.now = now
        while let entry = deadlines.popDue(now) { fallDue(entry) }
        publishDueWills()
    }

    /// When `tick` wants to be called next.
    package var wakeAt: MonotonicTime? { mutating get { deadlines.earliest } }

    /// The gateway stops: all sessions end with it, so all wills go, and then every client is told. [MQTT 5, 4.13]
    package mutating func shutDown(now: MonotonicTime) {
        self.now = now
        releaseWills()
        publishDueWills()
        for index in connections.indices where connections[index].state == .open && !connections[index].isInternal {
            disconnect(index, .serverShuttingDown, why: "the gateway is stopping")
        }
    }

    // MARK: results out

    /// The next connection that has something to write or to close; nil when all are handled.
    ///
    /// In the order in which they got it: subscribers before the publisher's acknowledgement. Whoever stops once
    /// everything is acknowledged, stops after the others have it.
    package mutating func nextMarked() -> ConnectionID? {
        while nextMark < marked.count {
            let index = marked[nextMark]
            nextMark += 1
            connections[Int(index)].isMarked = false
            guard connections[Int(index)].state != .free else { continue }
            return ConnectionID(index: index, generation: connections[Int(index)].generation)
        }
        marked.removeAll(keepingCapacity: true)
        nextMark = 0
        return nil
    }

    package enum FlushOutcome: Equatable, Sendable {
        /// Everything is written.
        case done
        /// The transport takes no more now; flush again when it does.
        case blocked
        /// Everything is written and the broker wants the connection closed; tell `connectionLost` when it is.
        case close
        /// Writing failed; tell `connectionLost`.
        case lost
    }

    /// Writes what waits for a connection.
    ///
    /// `write` returns how many bytes it took, or nil if the transport failed.
    package mutating func flush(
        _ id: ConnectionID, _ write: (_ bytes: Span<UInt8>, _ moreFollows: Bool) -> Int?
    ) -> FlushOutcome {
        guard isCurrent(id) else { return .done }
        let index = Int(id.index)
        while connections[index].output >= 0 {
            let output = Int(connections[index].output)
            let waiting = outputs[output].count
            let isThere = outputs[output].flush(write)
            counters.bytesSent += waiting - outputs[output].count
            guard isThere else { return .lost }
            guard outputs[output].isEmpty else {
                outputs[output].compact()
                return .blocked
            }
            connections[index].output = -1
            freeOutputs.append(Int32(clamping: output))
            if connections[index].state == .open { pump(connections[index].session) }
            resume(index, .output)
        }
        switch connections[index].state {
        case .closing: return .close
        case .abandoned: return .lost
        case .free, .awaitingConnect, .authenticating, .exchanging, .open: return .done
        }
    }

    /// What happened since the last call that a log may want.
    package mutating func takeEvents() -> [BrokerEvent] {
        guard !events.isEmpty else { return [] }
        defer { events = [] }
        return events
    }

    // MARK: packets

    @inline(__always)
    func isCurrent(_ id: ConnectionID) -> Bool {
        // Field by field: a copy of the whole costs a reference count for each array and string in it.
        let index = Int(id.index)
        return connections[index].generation == id.generation && connections[index].state != .free
    }

    /// Handles what arrived while the connection was paused.
    mutating func handleKept(_ index: Int) {
        var kept: [UInt8] = []
        swap(&kept, &connections[index].partial)
        let consumed = handlePackets(index, kept.span)
        keepRest(index, kept.span.extracting(consumed..<kept.count))
    }

    @inline(__always)
    func isReading(_ index: Int) -> Bool {
        switch connections[index].state {
        case .awaitingConnect, .open, .exchanging: true
        case .free, .authenticating, .closing, .abandoned: false
        }
    }

    mutating func keepRest(_ index: Int, _ rest: Span<UInt8>) {
        guard rest.count > 0, isReading(index) || connections[index].state == .authenticating else { return }
        connections[index].partial.append(copying: rest)
        if let header = try? FixedHeader.parse(rest), header.length > rest.count {
            // The packet's length is known and allowed: one allocation instead of a doubling for each read.
            connections[index].partial.reserveCapacity(header.length)
        }
    }

    /// Handles the whole packets at the front; returns how many bytes they had.
    mutating func handlePackets(_ index: Int, _ bytes: Span<UInt8>) -> Int {
        var start = 0
        while isReading(index) {
            if isPaused(index) { return start }
            do throws(DecodeError) {
                let version = connections[index].version
                guard let header = try FixedHeader.parse(bytes, at: start, version: version) else { return start }
                guard header.length <= connections[index].takes || connections[index].isInternal else {
                    throw DecodeError(.packetTooLarge, at: 1)
                }
                guard bytes.count - start >= header.length else { return start }
                connections[index].lastPacketAt = now
                counters.packetsReceived.add(firstByte: bytes[start])
                try handle(index, bytes.extracting(start..<(start + header.length)), header)
                start += header.length
            } catch {
                malformed(index, error)
            }
        }
        return connections[index].state == .authenticating ? start : bytes.count
    }

    private mutating func handle(
        _ index: Int, _ packet: Span<UInt8>, _ header: FixedHeader
    ) throws(DecodeError) {
        guard connections[index].state == .open else {
            if connections[index].state == .exchanging { return try exchangeContinues(index, packet, header) }
            // [MQTT-3.1.0-1]
            guard header.type == .connect else {
                return refuse(index, why: "the first packet was \(header.type) and not CONNECT")
            }
            return try connectReceived(index, packet, header)
        }
        let version = connections[index].version
        switch header.type {
        // Nothing here waits for the send quota. [MQTT-3.3.4-10]
        case .publish: try publishReceived(index, packet, header)
        case .puback: pubackReceived(index, try Acknowledgement(packet, header, version: version))
        case .pubrec: pubrecReceived(index, try Acknowledgement(packet, header, version: version))
        case .pubrel: pubrelReceived(index, try Acknowledgement(packet, header, version: version))
        case .pubcomp: pubcompReceived(index, try Acknowledgement(packet, header, version: version))
        case .subscribe: subscribeReceived(index, try Subscribe(packet, header, version: version))
        case .unsubscribe: unsubscribeReceived(index, try Unsubscribe(packet, header, version: version))
        case .pingreq:
            try Ping.check(header)
            withOutput(index) { Ping.encode(.pingresp, into: &$0) }  // [MQTT-3.12.4-1]
        case .disconnect: disconnectReceived(index, try Disconnect(packet, header, version: version))
        case .connect: disconnect(index, .protocolError, why: "a second CONNECT")  // [MQTT-3.1.0-2] [MQTT-3.2.0-2]
        case .auth where version == .v5: authReceived(index, try Auth(packet, header))
        case .connack, .suback, .unsuback, .pingresp, .auth:
            disconnect(index, .protocolError, why: "a packet that clients don't send: \(header.type)")
        }
    }

    /// [MQTT-4.13.1-1] (3.1.1: [MQTT-4.8.0-1]); a CONNECT is closed without a CONNACK [MQTT-3.1.4-1].
    private mutating func malformed(_ index: Int, _ error: DecodeError) {
        let why = "malformed packet: \(error)"
        counters.malformedPackets += 1
        if connections[index].state == .open {
            disconnect(index, error.reasonCode, why: why)
        } else {
            refuse(index, why: why)
        }
    }
}
