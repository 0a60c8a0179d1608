import Access
import Broker
import Bytes
import KnownPackets
package import MQTTCodec
import Readings

/// A whole broker with low limits, a client that behaves and watches, and others that don't.
package struct BrokerWorld: ~Copyable {
    private struct Guest {
        var id: ConnectionID
        var version: ProtocolVersion
    }

    private var broker: BrokerState
    private var now = MonotonicTime(nanoseconds: 1_000_000_000_000)
    private var watcher: ConnectionID?
    private var guests: [Guest] = []
    private var probes = 0
    /// What every guest may read now; nil is everything.
    private var rules: ClientRules?
    private var users: [[UInt8]: PasswordRecord]?
    /// The topics of what was read last.
    private var topics: [[UInt8]] = []

    private static let users: [[UInt8]: PasswordRecord] = [
        Array("anna".utf8): .scram(ScramCredentials(password: [0x00, 0xFF, 0x70], salt: Array(0..<16), iterations: 1))
    ]

    package init(seed: UInt64, withUsers: Bool = false) throws(Finding) {
        var limits = BrokerLimits()
        limits.maximumPacketSize = 2_000
        limits.maximumConnections = 12
        limits.receiveMaximum = 5
        limits.inFlight = 3
        limits.queuedMessages = 8
        limits.queuedBytes = 4_000
        limits.subscriptions = 6
        limits.topicLevels = 6
        limits.sessionExpiry = 100
        limits.sessionExpiryV3 = 100
        limits.memory = 1_000_000
        limits.sysInterval = .zero
        limits.validatesPayloadFormat = seed % 2 == 0
        limits.keepsQoS0WhileOffline = seed % 3 == 0
        limits.sharedStrategy = [.roundRobin, .sticky, .hashTopic][Int(seed % 3)]
        let host = BrokerHost(node: "fuzz", version: "0") { Timestamp(milliseconds: 0) }
        broker = BrokerState(limits: limits, host: host, seed: seed, now: now)
        if withUsers { users = Self.users }
        if withUsers { try reload(0) }
        // Nobody else can have its client id.
        let id = try open(isInternal: true)
        watcher = id
        try talk(id, .v5, [0x10, 0x17, 0, 4, 0x4D, 0x51, 0x54, 0x54, 5, 2, 0, 0, 0, 0, 10] + Array("$martlet/w".utf8))
        try talk(id, .v5, [0x82, 0x0C, 0, 1, 0, 0, 6] + Array("prober".utf8) + [0])
    }

    private mutating func open(isInternal: Bool = false) throws(Finding) -> ConnectionID {
        var origin = ConnectionOrigin(peer: "fuzz")
        origin.address = "192.0.2.1"
        origin.mayBeAnonymous = true
        origin.isInternal = isInternal
        guard let id = broker.connectionOpened(origin, now: now) else { throw Finding("no connection is left") }
        return id
    }

    // MARK: rules

    private static func rule(_ change: (inout AccessRule) -> Void) -> AccessRule {
        var rule = AccessRule()
        change(&rule)
        return rule
    }

    /// The topics of the table of packets are `a/b`, and `w` for wills.
    private static let ruleSets: [AccessRules?] = [
        nil,
        // Subscribed, published, and not delivered.
        AccessRules([rule { ($0.read, $0.write, $0.subscribe) = (["w"], ["#"], ["#"]) }]),
        AccessRules([rule { ($0.read, $0.write, $0.deny) = (["#"], ["#"], ["a/b"]) }]),
        AccessRules([rule { ($0.read, $0.write) = (["a/+"], ["+/b", "own/%c/#"]) }]),
    ]

    /// Other rules hold from now on, as after `martlet reload`.
    package mutating func reload(_ choice: Int) throws(Finding) {
        // What was written before may still be read: the rules that held then let it go.
        try settle()
        let set = Self.ruleSets[choice % Self.ruleSets.count]
        rules = set?.compiled(for: ClientIdentity(clientID: []))
        var access = AccessSettings()
        access.general = AccessSettings.Policy(users: users, rules: set)
        broker.apply(access, now: now)
        try settle()
        // From inside, where no rule holds, to those who subscribed before.
        guard let watcher else { return }
        try talk(watcher, .v5, [0x32, 0x09, 0, 3] + Array("a/b".utf8) + [0, 7, 0, 0x78])
    }

    // MARK: guests

    /// A client comes, says something, and stays if it may.
    package mutating func visit(_ bytes: [UInt8], _ version: ProtocolVersion, in portions: Int) throws(Finding) {
        if guests.count == 8 { lose(0) }
        let guest = Guest(id: try open(), version: version)
        guests.append(guest)
        try feed(guest, bytes, in: portions)
    }

    /// A client that is there goes on.
    package mutating func goOn(_ bytes: [UInt8], choice: Int, in portions: Int) throws(Finding) {
        guard !guests.isEmpty else { return }
        try feed(guests[choice % guests.count], bytes, in: portions)
    }

    package func version(of choice: Int) -> ProtocolVersion {
        guests.isEmpty ? .v5 : guests[choice % guests.count].version
    }

    package mutating func lose(_ choice: Int) {
        guard !guests.isEmpty else { return }
        let guest = guests.remove(at: choice % guests.count)
        broker.connectionLost(guest.id, why: "lost", now: now)
    }

    private mutating func feed(_ guest: Guest, _ bytes: [UInt8], in portions: Int) throws(Finding) {
        let size = max(1, bytes.count / max(1, portions))
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + size)
            broker.bytesReceived(guest.id, bytes.span.extracting(start..<end), now: now)
            start = end
        }
        answerLogins()
        try settle()
    }

    private mutating func answerLogins() {
        while let check = broker.takePasswordChecks().first {
            broker.passwordChecked(check.id, isRight: check.run(), now: now)
        }
    }

    package mutating func pass(_ time: Duration) throws(Finding) {
        now += time
        var turns = 0
        while let due = broker.wakeAt, due <= now {
            broker.tick(now: now)
            turns += 1
            try expect(turns < 10_000, "the broker wants to be woken without end")
        }
        answerLogins()
        try settle()
    }

    // MARK: what the broker says

    /// Takes all output, as the loop does, and reads it as the clients would.
    private mutating func settle() throws(Finding) {
        while broker.nextReadingChange() != nil {}
        while let id = broker.nextMarked() {
            let (bytes, outcome) = flush(id)
            let place = guests.firstIndex { $0.id == id }
            let version = place.map { guests[$0].version } ?? .v5
            try read(bytes, version)
            if let rules, id != watcher { try hold(topics, against: rules) }
            guard outcome == .close else { continue }
            try expect(id != watcher, "the client that behaves was thrown out")
            broker.connectionLost(id, why: "closed", now: now)
            if let place { guests.remove(at: place) }
        }
        _ = broker.takeEvents()
    }

    private mutating func flush(_ id: ConnectionID) -> ([UInt8], BrokerState.FlushOutcome) {
        var written: [UInt8] = []
        let outcome = broker.flush(id) { bytes, _ in
            written.append(copying: bytes)
            return bytes.count
        }
        return (written, outcome)
    }

    /// A topic is empty where an alias stands for it.
    private func hold(_ topics: [[UInt8]], against rules: ClientRules) throws(Finding) {
        for topic in topics where !topic.isEmpty {
            try expect(rules.mayRead(topic.span), "a message on \(Hex.text(topic)) reached who may not read it")
        }
    }

    /// Damage may have made another version of a CONNECT, so any version's reading will do; but one must.
    private mutating func read(_ bytes: [UInt8], _ version: ProtocolVersion) throws(Finding) {
        for candidate in [version, .v5, .v311, .v31] {
            topics = []
            if isReadable(bytes, candidate) { return }
        }
        throw Finding("the broker wrote \(Hex.text(bytes)), which is no MQTT")
    }

    private mutating func isReadable(_ bytes: [UInt8], _ version: ProtocolVersion) -> Bool {
        var start = 0
        while start < bytes.count {
            guard let header = try? FixedHeader.parse(bytes.span, at: start, version: version),
                header.length <= bytes.count - start,
                let packet = try? Packet(Array(bytes[start..<(start + header.length)]), version)
            else { return false }
            if case .publish(let publish) = packet {
                topics.append(publish.topic)
                if publish.topic == Array("prober".utf8) { probes += 1 }
            }
            start += header.length
        }
        return true
    }

    /// Sends bytes of the client that behaves.
    private mutating func talk(_ id: ConnectionID, _ version: ProtocolVersion, _ bytes: [UInt8]) throws(Finding) {
        broker.bytesReceived(id, bytes.span, now: now)
        try settle()
    }

    /// Whether the client that behaves still gets what is published.
    package mutating func probe() throws(Finding) {
        guard let watcher else { return }
        let before = probes
        try talk(watcher, .v5, [0x30, 0x0A, 0, 6] + Array("prober".utf8) + [0, 1])
        try expect(probes > before, "the client that behaves does not get its message any more")
    }

    /// How far inside the inputs came.
    package var reach: Reach {
        Reach(
            packets: broker.counters.packetsReceived.total, malformed: broker.counters.malformedPackets,
            delivered: broker.counters.messagesSent.total, takeOvers: broker.counters.takeOvers,
            heldBack: broker.counters.dropped[.notAllowed])
    }

    /// Everybody goes, sessions expire, what is retained is taken back: nothing may be left.
    package mutating func end() throws(Finding) {
        while !guests.isEmpty { lose(0) }
        try settle()
        try pass(.seconds(300))
        try forgetRetained()
        try probe()
        if let watcher { broker.connectionLost(watcher, why: "the end", now: now) }
        try pass(.seconds(300))
        try expect(broker.counters.sockets == 0, "\(broker.counters.sockets) sockets are left")
        try expect(broker.counters.clients == 0, "\(broker.counters.clients) clients are left")
        try expect(broker.memoryInUse < 100_000, "\(broker.memoryInUse) bytes are in use")
    }

    private mutating func forgetRetained() throws(Finding) {
        guard let watcher else { return }
        broker.bytesReceived(watcher, ([0x82, 0x07, 0, 2, 0, 0, 1, 0x23, 0] as [UInt8]).span, now: now)
        let (bytes, _) = flush(watcher)
        var start = 0
        var wipe: [UInt8] = []
        while let header = try? FixedHeader.parse(bytes.span, at: start), start + header.length <= bytes.count {
            if let packet = try? Packet(Array(bytes[start..<(start + header.length)]), .v5),
                case .publish(let publish) = packet
            {
                Publish(topic: publish.topic, payload: [], retain: true).encode(into: &wipe, version: .v5)
            }
            start += header.length
        }
        try talk(watcher, .v5, wipe)
    }
}
