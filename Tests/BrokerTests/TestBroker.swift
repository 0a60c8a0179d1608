import Access
import Bytes
import MQTTCodec
import Readings
import Synchronization

@testable import Broker

/// A broker with hand-fed clients and a clock that only moves when told.
final class TestBroker {
    private let wall = Clock(1_772_346_600_000)
    private var state: BrokerState
    private(set) var now: MonotonicTime
    private let start: MonotonicTime

    init(_ change: (inout BrokerLimits) -> Void = { _ in }) {
        var limits = BrokerLimits()
        change(&limits)
        start = MonotonicTime(nanoseconds: 1_000_000_000_000)
        now = start
        // 2026-03-01 06:30:00 UTC on its wall when the test begins.
        let host = BrokerHost(node: "house", version: "martlet version 1.2.3") { [wall] in
            Timestamp(milliseconds: wall.withLock { $0 })
        }
        state = BrokerState(limits: limits, host: host, seed: 7, now: start)
        state.tick(now: start)
        disk = nil
    }

    /// A broker with a journal: it begins with what is on the disk.
    init(
        on disk: TestDisk, _ sync: JournalSync = .commit, wall milliseconds: Int64 = 1_772_346_600_000,
        _ change: (inout BrokerLimits) -> Void = { _ in }
    ) {
        var limits = BrokerLimits()
        change(&limits)
        // Another run of the machine: its monotonic clock begins anew.
        start = MonotonicTime(nanoseconds: 5_000_000_000)
        now = start
        wall.withLock { $0 = milliseconds }
        let host = BrokerHost(node: "house", version: "martlet version 1.2.3") { [wall] in
            Timestamp(milliseconds: wall.withLock { $0 })
        }
        self.disk = disk
        state = BrokerState(limits: limits, host: host, seed: 7, now: start)
        // This disk always opens.
        try? state.load(disk, sync, now: start, report: { _ in })
        state.tick(now: start)
    }

    // MARK: the journal

    private let disk: TestDisk?

    /// Hands over the batch that is due, if one is, and the steps of a snapshot that follow it.
    func beginCommit() {
        guard let disk else { return }
        if let (number, batch) = state.takeBatch(now: now) { disk.commit(number, batch) }
        while let step = state.nextSnapshotStep() {
            switch step {
            case .begin: disk.beginSnapshot()
            case .add(let batch): disk.addToSnapshot(batch)
            case .finish: disk.finishSnapshot()
            }
        }
    }

    /// The disk is done with the batch under way.
    func finishCommit() {
        guard let number = disk?.finish() else { return }
        state.journalReported(.committed(number), now: now)
    }

    /// Commits until nothing is due any more.
    func commit() {
        beginCommit()
        while disk?.isBusy == true {
            finishCommit()
            beginCommit()
        }
    }

    func keep(_ value: [UInt8], for name: String) { state.keep(value, for: Array(name.utf8), now: now) }

    func keptValue(for name: String) -> [UInt8]? { state.keptValues[Array(name.utf8)] }

    /// Messages that the next commit is to hold.
    var waitingForJournal: Int { state.journal.next.messages.count }

    func report(_ news: JournalNews) { state.journalReported(news, now: now) }

    var commitDueAt: MonotonicTime? { state.commitDueAt }

    var counters: BrokerState.Counters { state.counters }
    var keptMessages: Int { state.messages.count }

    var watchedTakeOvers: Int { state.system.takeOvers.records.count }

    func takeEvents() -> [BrokerEvent] { state.takeEvents() }

    func open(
        anonymous: Bool = true, isInternal: Bool = false, listener: String = "", peer: String = "test",
        address: String = "", connectBy: Duration? = nil
    ) -> TestClient? {
        var origin = ConnectionOrigin(peer: peer)
        origin.listener = listener
        origin.address = address
        origin.mayBeAnonymous = anonymous
        origin.isInternal = isInternal
        return state.connectionOpened(origin, connectBy: connectBy.map { now + $0 }, now: now)
            .map { TestClient(broker: self, id: $0) }
    }

    /// A connection that comes from where `change` says.
    func open(from change: (inout ConnectionOrigin) -> Void) -> TestClient? {
        var origin = ConnectionOrigin(peer: "test")
        origin.mayBeAnonymous = true
        change(&origin)
        return state.connectionOpened(origin, now: now).map { TestClient(broker: self, id: $0) }
    }

    func apply(_ access: AccessSettings) { state.apply(access, now: now) }

    func apply(_ limits: BrokerLimits) { state.apply(limits, now: now) }

    func takePasswordChecks() -> [PasswordCheck] { state.takePasswordChecks() }

    func answer(_ check: PasswordCheck, isRight: Bool) {
        state.passwordChecked(check.id, isRight: isRight, now: now)
    }

    /// Does the thread's work until none is left; returns how many passwords it checked.
    @discardableResult
    func checkPasswords() -> Int {
        var count = 0
        while let check = state.takePasswordChecks().first {
            answer(check, isRight: check.run())
            count += 1
        }
        return count
    }

    func advance(_ duration: Duration) {
        now += duration
        let (seconds, attoseconds) = duration.components
        setClock(byMilliseconds: seconds * 1_000 + attoseconds / 1_000_000_000_000_000)
        while let due = state.wakeAt, due <= now { state.tick(now: now) }
    }

    var pressure: MemoryPressure { state.pressure }
    var shareGroups: Int { state.subscriptions.groups.count }
    var memoryInUse: Int { state.memoryInUse }

    /// How many bytes are kept of a packet whose rest has not arrived.
    func unfinished(_ id: ConnectionID) -> Int { state.connections[Int(id.index)].partial.count }

    /// What the loop is asked to read from now on, or no longer.
    func readingChanges() -> [ConnectionID: Bool] {
        var changes: [ConnectionID: Bool] = [:]
        while let change = state.nextReadingChange() { changes[change.id] = change.reads }
        return changes
    }

    /// The proven name of a connection's user.
    func user(of id: ConnectionID) -> [UInt8]? {
        let session = state.connections[Int(id.index)].session
        return session < 0 ? nil : state.sessions[Int(session)].standing?.user?.name
    }

    /// What is retained for the topics that a filter matches.
    func systemTopics(_ filter: String) -> [String: String] {
        var topics: [String: String] = [:]
        guard let reader = open(isInternal: true) else { return topics }
        reader.connect("$martlet/reader")
        for case .publish(let publish) in reader.subscribe(filter) + reader.seen() where publish.retain {
            topics[String(decoding: publish.topic, as: UTF8.self)] = String(decoding: publish.payload, as: UTF8.self)
        }
        reader.disconnect()
        _ = reader.seen()
        return topics
    }

    /// Sets the clock on the wall.
    func setClock(byMilliseconds change: Int64) { wall.withLock { $0 += change } }

    /// Who has something to be written, in order.
    func marked() -> [ConnectionID] {
        var all: [ConnectionID] = []
        while let id = state.nextMarked() { all.append(id) }
        return all
    }

    func shutDown() { state.shutDown(now: now) }

    func receive(_ bytes: [UInt8], from id: ConnectionID) {
        state.bytesReceived(id, bytes.span, now: now)
    }

    func lose(_ id: ConnectionID) {
        state.connectionLost(id, why: "the connection broke", now: now)
    }

    /// Writes out up to `limit` bytes of a connection.
    func flush(_ id: ConnectionID, limit: Int = .max) -> (bytes: [UInt8], outcome: BrokerState.FlushOutcome) {
        var written: [UInt8] = []
        let outcome = state.flush(id) { bytes, _ in
            let count = min(bytes.count, limit - written.count)
            written.append(copying: bytes.extracting(0..<count))
            return count
        }
        return (written, outcome)
    }
}

/// A clock on the wall that the broker and the test share.
final class Clock: Sendable {
    private let milliseconds: Mutex<Int64>

    init(_ milliseconds: Int64) { self.milliseconds = Mutex(milliseconds) }

    func withLock<R>(_ body: (inout sending Int64) -> sending R) -> R { milliseconds.withLock(body) }
}

/// What a client saw, one packet each.
enum Seen: Equatable {
    case connack(Connack)
    case publish(Publish)
    case acknowledgement(PacketType, Acknowledgement)
    case suback(Suback)
    case unsuback(Suback)
    case pingresp
    case disconnect(Disconnect)
    case auth(Auth)
    case undecodable(PacketType)
}

/// The far end of one of the test broker's connections.
final class TestClient {
    let broker: TestBroker
    let id: ConnectionID
    var version = ProtocolVersion.v5
    private(set) var isClosed = false

    init(broker: TestBroker, id: ConnectionID) {
        self.broker = broker
        self.id = id
    }

    var user: [UInt8]? { broker.user(of: id) }

    func send(_ bytes: [UInt8]) { broker.receive(bytes, from: id) }

    func send(_ encode: (inout [UInt8]) -> Void) {
        var bytes: [UInt8] = []
        encode(&bytes)
        send(bytes)
    }

    /// Connects and returns what came back.
    @discardableResult
    func connect(
        _ clientID: String, _ version: ProtocolVersion = .v5, clean: Bool = true, expiry: UInt32? = nil,
        _ change: (inout Connect) -> Void = { _ in }
    ) -> [Seen] {
        self.version = version
        var connect = Connect(version: version)
        connect.clientID = Array(clientID.utf8)
        connect.cleanStart = clean
        if let expiry { connect.properties[number: .sessionExpiryInterval] = expiry }
        change(&connect)
        send { connect.encode(into: &$0) }
        return seen()
    }

    @discardableResult
    func subscribe(
        _ filter: String, _ qos: QoS = .atMostOnce, identifier: UInt32? = nil,
        _ change: (inout Subscribe.Request) -> Void = { _ in }
    ) -> [Seen] {
        var request = Subscribe.Request(filter: Array(filter.utf8), qos: qos)
        change(&request)
        var packet = Subscribe(packetID: 9, requests: [request])
        if let identifier { packet.properties.subscriptionIdentifiers = [identifier] }
        send { packet.encode(into: &$0, version: version) }
        return seen()
    }

    func unsubscribe(_ filter: String) -> [Seen] {
        send { Unsubscribe(packetID: 8, filters: [Array(filter.utf8)]).encode(into: &$0, version: version) }
        return seen()
    }

    func publish(
        _ topic: String, _ payload: String = "x", _ qos: QoS = .atMostOnce, retain: Bool = false, id: UInt16 = 1,
        _ change: (inout Publish) -> Void = { _ in }
    ) {
        var packet = Publish(topic: Array(topic.utf8), payload: Array(payload.utf8), qos: qos, retain: retain)
        packet.packetID = qos == .atMostOnce ? 0 : id
        change(&packet)
        send { packet.encode(into: &$0, version: version) }
    }

    func acknowledge(_ type: PacketType, _ id: UInt16, _ code: ReasonCode = .success) {
        send { Acknowledgement(packetID: id, reasonCode: code).encode(type, into: &$0, version: version) }
    }

    func disconnect(_ code: ReasonCode = .success) {
        send { Disconnect(reasonCode: code).encode(into: &$0, version: version) }
    }

    func lose() { broker.lose(id) }

    /// Everything that the broker has written since the last look.
    func seen() -> [Seen] {
        let (bytes, outcome) = broker.flush(id)
        if outcome == .close {
            isClosed = true
            broker.lose(id)
        }
        return decode(bytes)
    }

    /// The messages among what was written, as "topic payload".
    func messages() -> [String] { Self.messages(seen()) }

    static func messages(_ seen: [Seen]) -> [String] {
        seen.compactMap { seen in
            guard case .publish(let publish) = seen else { return nil }
            return
                "\(String(decoding: publish.topic, as: UTF8.self)) \(String(decoding: publish.payload, as: UTF8.self))"
        }
    }

    func publishes() -> [Publish] {
        seen().compactMap { seen in
            guard case .publish(let publish) = seen else { return nil }
            return publish
        }
    }

    func decode(_ bytes: [UInt8]) -> [Seen] {
        var rest = bytes
        var all: [Seen] = []
        while let header = try? FixedHeader.parse(rest.span), header.length <= rest.count {
            all.append((try? decodeOne(rest, header)) ?? .undecodable(header.type))
            rest.removeFirst(header.length)
        }
        return all
    }

    private func decodeOne(_ bytes: [UInt8], _ header: FixedHeader) throws(DecodeError) -> Seen {
        switch header.type {
        case .connack: .connack(try Connack(bytes.span, header, version: version))
        case .publish: .publish(try Publish(bytes.span, header, version: version))
        case .puback, .pubrec, .pubrel, .pubcomp:
            .acknowledgement(header.type, try Acknowledgement(bytes.span, header, version: version))
        case .suback: .suback(try Suback(bytes.span, header, version: version))
        case .unsuback: .unsuback(try Suback(bytes.span, header, version: version))
        case .pingresp: .pingresp
        case .disconnect: .disconnect(try Disconnect(bytes.span, header, version: version))
        case .auth: .auth(try Auth(bytes.span, header))
        default: .undecodable(header.type)
        }
    }
}
