import Broker
import Bytes
import Client
import MQTTCodec
import Testing

/// Marsaglia's xorshift: the same cuts every time.
private struct XorShift: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

/// One client and what is on its wire to the broker, in both directions.
private struct Wire {
    var client: ClientState
    var connection: ConnectionID?
    var toBroker: [UInt8] = []
    var toClient: [UInt8] = []
    /// Messages that arrived and were not acknowledged.
    var held: [MessageToken] = []
    /// The numbers of the messages that arrived.
    var received: [Int] = []
    /// Messages of QoS 1 and 2 that the broker took.
    var acknowledged = 0
    /// Ends that nobody asked for.
    var surprises: [CloseReason] = []

    init(_ name: String, version: ProtocolVersion, now: ContinuousClock.Instant) {
        var settings = ClientSettings(clientID: Array(name.utf8))
        settings.version = version
        settings.cleanStart = false
        settings.sessionExpirySeconds = 3_600
        settings.acknowledgement = .deferred
        settings.receiveMaximum = 7
        settings.maximumInFlight = 5
        client = ClientState(settings, now: now)
    }

    mutating func takeEvents() {
        for event in client.takeEvents() {
            switch event {
            case .message(let message, let token):
                received.append(Int(String(decoding: message.payload, as: UTF8.self)) ?? -1)
                if let token { held.append(token) }
            case .acknowledged: acknowledged += 1
            case .closed(.transport), .connected, .heldBack, .subscribed, .unsubscribed: break
            case .closed(let reason): surprises.append(reason)
            }
        }
    }
}

/// A publisher, a subscriber and the broker between them; bytes move when the dice say so, and wires break.
private final class Dice {
    private var broker: BrokerState
    private static let origin = {
        var origin = ConnectionOrigin(peer: "test")
        origin.mayBeAnonymous = true
        return origin
    }()

    private var random: XorShift
    private let now = ContinuousClock.now
    /// The broker's clock, which stands still as well.
    private let brokerTime = MonotonicTime(nanoseconds: 0)
    private(set) var publisher: Wire
    private(set) var subscriber: Wire
    private var published = 0

    init(seed: UInt64, version: ProtocolVersion, qos: QoS) {
        random = XorShift(state: seed &* 0x9E37_79B9_7F4A_7C15 | 1)
        broker = BrokerState(limits: BrokerLimits(), host: .test, seed: seed, now: brokerTime)
        publisher = Wire("publisher", version: version, now: now)
        subscriber = Wire("subscriber", version: version, now: now)
        _ = subscriber.client.subscribe([Subscribe.Request(filter: Array("t".utf8), qos: qos)])
        // The subscription must be there before the first message.
        settle()
    }

    // MARK: dice

    func run(messages: Int, qos: QoS) {
        while published < messages {
            if roll(4) { publish(qos) }
            turn(\.publisher)
            turn(\.subscriber)
        }
        settle()
    }

    private func roll(_ sides: Int) -> Bool { Int.random(in: 0..<sides, using: &random) == 0 }

    private func publish(_ qos: QoS) {
        let message = Publish(topic: Array("t".utf8), payload: Array("\(published)".utf8), qos: qos)
        if (try? publisher.client.publish(message, now: now)) != nil { published += 1 }
    }

    private func turn(_ wire: ReferenceWritableKeyPath<Dice, Wire>) {
        if self[keyPath: wire].connection == nil {
            if roll(3) { open(wire) }
        } else if roll(60) {
            cut(wire)
        }
        toBroker(wire, Int.random(in: 0...90, using: &random))
        flush()
        toClient(wire, Int.random(in: 0...90, using: &random))
        if roll(3) { acknowledgeOne(wire) }
    }

    private func acknowledgeOne(_ wire: ReferenceWritableKeyPath<Dice, Wire>) {
        guard let index = self[keyPath: wire].held.indices.randomElement(using: &random) else { return }
        let token = self[keyPath: wire].held.remove(at: index)
        self[keyPath: wire].client.acknowledge(token)
    }

    /// No more accidents, until nothing moves.
    private func settle() {
        for _ in 0..<10_000 {
            for wire in [\Dice.publisher, \Dice.subscriber] {
                if self[keyPath: wire].connection == nil { open(wire) }
                toBroker(wire, .max)
                flush()
                toClient(wire, .max)
                acknowledgeOne(wire)
            }
            let isQuiet = [publisher, subscriber].allSatisfy { wire in
                wire.client.isIdle && wire.client.isConnected && wire.toBroker.isEmpty && wire.toClient.isEmpty
                    && wire.held.isEmpty
            }
            if isQuiet { return }
        }
        Issue.record("it never comes to rest")
    }

    // MARK: wires

    private func open(_ wire: ReferenceWritableKeyPath<Dice, Wire>) {
        self[keyPath: wire].connection = broker.connectionOpened(Self.origin, now: brokerTime)
        // What the last connection had left to say is not for this one.
        self[keyPath: wire].toBroker = []
        self[keyPath: wire].client.transportOpened(now: now)
    }

    /// What was on its way is gone; every other time the broker only learns it from the next connection.
    private func cut(_ wire: ReferenceWritableKeyPath<Dice, Wire>) {
        if let connection = self[keyPath: wire].connection, roll(2) {
            broker.connectionLost(connection, why: "cut", now: brokerTime)
        }
        self[keyPath: wire].connection = nil
        self[keyPath: wire].toBroker = []
        self[keyPath: wire].toClient = []
        self[keyPath: wire].client.transportClosed("cut")
        self[keyPath: wire].takeEvents()
    }

    private func toBroker(_ wire: ReferenceWritableKeyPath<Dice, Wire>, _ limit: Int) {
        let output = self[keyPath: wire].client.takeOutput(now: now)
        self[keyPath: wire].toBroker += output
        guard let connection = self[keyPath: wire].connection else { return }
        let part = Array(self[keyPath: wire].toBroker.prefix(limit))
        self[keyPath: wire].toBroker.removeFirst(part.count)
        broker.bytesReceived(connection, part.span, now: brokerTime)
    }

    private func toClient(_ wire: ReferenceWritableKeyPath<Dice, Wire>, _ limit: Int) {
        let part = Array(self[keyPath: wire].toClient.prefix(limit))
        self[keyPath: wire].toClient.removeFirst(part.count)
        self[keyPath: wire].client.received(part.span, now: now)
        self[keyPath: wire].takeEvents()
    }

    private func flush() {
        while let connection = broker.nextMarked() {
            var written: [UInt8] = []
            let outcome = broker.flush(connection) { bytes, _ in
                written.append(copying: bytes)
                return bytes.count
            }
            for wire in [\Dice.publisher, \Dice.subscriber] where self[keyPath: wire].connection == connection {
                self[keyPath: wire].toClient += written
            }
            if outcome == .close { broker.connectionLost(connection, why: "closed", now: brokerTime) }
        }
    }
}

/// The client and the broker of this project against each other, over wires that break anywhere.
@Suite struct CutsTests {
    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `QoS 2 arrives exactly once and in order whatever is cut`(seed: UInt64) {
        let dice = Dice(seed: seed, version: seed.isMultiple(of: 2) ? .v5 : .v311, qos: .exactlyOnce)
        dice.run(messages: 150, qos: .exactlyOnce)
        #expect(dice.subscriber.received == Array(0..<150))
        #expect(dice.publisher.acknowledged == 150)
        #expect(dice.publisher.surprises == [] && dice.subscriber.surprises == [])
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `QoS 1 arrives at least once, and first in order, whatever is cut`(seed: UInt64) {
        let dice = Dice(seed: seed, version: seed.isMultiple(of: 2) ? .v5 : .v311, qos: .atLeastOnce)
        dice.run(messages: 150, qos: .atLeastOnce)
        var seen = Set<Int>()
        let firsts = dice.subscriber.received.filter { seen.insert($0).inserted }
        #expect(firsts == Array(0..<150))
        #expect(dice.publisher.acknowledged == 150)
        #expect(dice.publisher.surprises == [] && dice.subscriber.surprises == [])
    }
}
