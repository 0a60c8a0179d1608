import Bytes
import MQTTCodec
import Testing

@testable import Broker

/// Publishers and subscribers that behave as the standard says, over many power cuts at random moments.
@Suite struct JournalModelTests {
    /// A publisher with a session: what it sent and has no answer to, it sends again when it is back.
    private final class Publisher {
        let name: String
        let qos: QoS
        var client: TestClient?
        var nextNumber = 1
        var nextID: UInt16 = 1
        /// Number of the message, by identifier; in order.
        var unanswered: [(id: UInt16, number: Int)] = []
        /// PUBREC came; PUBCOMP did not.
        var released: [UInt16] = []
        var acknowledged: Set<Int> = []

        init(_ name: String, _ qos: QoS) {
            self.name = name
            self.qos = qos
        }

        func connect(_ broker: TestBroker) {
            client = broker.open()
            client?.connect(name, .v311, clean: false)
            for id in released { client?.acknowledge(.pubrel, id) }
            for (id, number) in unanswered { send(id, number, duplicate: true) }
        }

        func publish() {
            guard unanswered.count + released.count < 30 else { return }
            let id = nextID
            nextID = nextID == 60 ? 1 : nextID + 1
            guard !unanswered.contains(where: { $0.id == id }), !released.contains(id) else { return }
            unanswered.append((id, nextNumber))
            send(id, nextNumber, duplicate: false)
            nextNumber += 1
        }

        private func send(_ id: UInt16, _ number: Int, duplicate: Bool) {
            client?.publish("data/\(name)", "\(number)", qos, id: id) { $0.duplicate = duplicate }
        }

        func read() {
            for seen in client?.seen() ?? [] {
                guard case .acknowledgement(let type, let packet) = seen else { continue }
                switch type {
                case .puback, .pubrec:
                    if type == .pubrec { client?.acknowledge(.pubrel, packet.packetID) }
                    guard let place = unanswered.firstIndex(where: { $0.id == packet.packetID }) else { continue }
                    acknowledged.insert(unanswered[place].number)
                    if type == .pubrec { released.append(packet.packetID) }
                    unanswered.remove(at: place)
                case .pubcomp: released.removeAll { $0 == packet.packetID }
                default: Issue.record("a publisher got \(type)")
                }
            }
        }
    }

    /// A subscriber with a session, which answers late or never.
    private final class Subscriber {
        let name: String
        let qos: QoS
        var client: TestClient?
        var isAway = false
        var owed: [(type: PacketType, id: UInt16)] = []
        /// Identifiers of QoS 2 messages that it has and that PUBREL has not freed.
        var received: Set<UInt16> = []
        /// By publisher, in the order in which they came; duplicates at QoS 1 included.
        var got: [String: [Int]] = [:]

        init(_ name: String, _ qos: QoS) {
            self.name = name
            self.qos = qos
        }

        func connect(_ broker: TestBroker) {
            client = broker.open()
            owed = []
            client?.connect(name, .v311, clean: false).forEach(take)
        }

        func read() { client?.seen().forEach(take) }

        private func take(_ seen: Seen) {
            switch seen {
            case .publish(let publish):
                let isNew = publish.qos != .exactlyOnce || received.insert(publish.packetID).inserted
                if isNew {
                    let topic = String(decoding: publish.topic, as: UTF8.self)
                    got[topic, default: []].append(Int(String(decoding: publish.payload, as: UTF8.self)) ?? -1)
                }
                if publish.qos != .atMostOnce {
                    owed.append((publish.qos == .atLeastOnce ? .puback : .pubrec, publish.packetID))
                }
            case .acknowledgement(.pubrel, let packet):
                received.remove(packet.packetID)
                owed.append((.pubcomp, packet.packetID))
            default: break
            }
        }

        func answer(_ count: Int) {
            for (type, id) in owed.prefix(count) { client?.acknowledge(type, id) }
            owed.removeFirst(min(count, owed.count))
        }
    }

    private struct World {
        let disk = TestDisk()
        var broker: TestBroker
        let publishers: [Publisher]
        let subscribers: [Subscriber]
        var random: Generator
        let sync: JournalSync

        init(seed: UInt64) {
            random = Generator(seed: seed)
            sync = seed % 2 == 0 ? .commit : .within(.milliseconds(50))
            broker = TestBroker(on: disk, sync) { $0.inFlight = 10 }
            publishers = [Publisher("p1", .atLeastOnce), Publisher("p2", .exactlyOnce), Publisher("p3", .exactlyOnce)]
            subscribers = [
                Subscriber("s1", .exactlyOnce), Subscriber("s2", .atLeastOnce), Subscriber("s3", .exactlyOnce),
            ]
            for subscriber in subscribers {
                subscriber.connect(broker)
                subscriber.client?.subscribe("data/#", subscriber.qos)
            }
            for publisher in publishers { publisher.connect(broker) }
            settle()
        }

        mutating func step() {
            let publisher = publishers[random.next(below: publishers.count)]
            let subscriber = subscribers[random.next(below: subscribers.count)]
            switch random.next(below: 24) {
            case 0..<9: for _ in 0...random.next(below: 4) { publisher.publish() }
            case 9..<12: publisher.read()
            case 12..<16:
                subscriber.read()
                subscriber.answer(random.next(below: 6))
            case 16: broker.advance(.milliseconds(60))
            case 17: broker.beginCommit()
            case 18: broker.finishCommit()
            case 19: broker.commit()
            case 20: comeOrGo(subscriber)
            case 21:
                publisher.client?.lose()
                publisher.connect(broker)
            case 22: broker.report(.snapshotWanted)
            default: if random.next(below: 4) == 0 { cutPower() }
            }
        }

        private func comeOrGo(_ subscriber: Subscriber) {
            if subscriber.isAway { subscriber.connect(broker) } else { subscriber.client?.lose() }
            subscriber.isAway.toggle()
        }

        mutating func cutPower() {
            disk.cut(keepingWhatIsUnderWay: random.next(below: 2) == 0)
            broker = TestBroker(on: disk, sync) { $0.inFlight = 10 }
            for publisher in publishers { publisher.connect(broker) }
            for subscriber in subscribers where !subscriber.isAway { subscriber.connect(broker) }
        }

        /// Everybody comes back and answers until nothing is left to say.
        mutating func settle() {
            for subscriber in subscribers where subscriber.isAway {
                subscriber.isAway = false
                subscriber.connect(broker)
            }
            for _ in 0..<400 {
                broker.advance(.milliseconds(1_100))
                broker.commit()
                for publisher in publishers { publisher.read() }
                for subscriber in subscribers {
                    subscriber.read()
                    subscriber.answer(.max)
                }
                let isQuiet = publishers.allSatisfy { $0.unanswered.isEmpty && $0.released.isEmpty }
                if isQuiet, broker.commitDueAt == nil, subscribers.allSatisfy({ $0.owed.isEmpty }) { return }
            }
        }

        func check() {
            for publisher in publishers {
                #expect(publisher.unanswered.isEmpty, "\(publisher.name) has no answer for some")
                for subscriber in subscribers {
                    let got = subscriber.got["data/\(publisher.name)"] ?? []
                    let missing = publisher.acknowledged.subtracting(got)
                    #expect(missing.isEmpty, "\(subscriber.name) never got \(missing.sorted()) of \(publisher.name)")
                    var first: [Int] = []
                    var seen: Set<Int> = []
                    for number in got where seen.insert(number).inserted { first.append(number) }
                    #expect(first == first.sorted(), "\(subscriber.name) got \(publisher.name) out of order: \(got)")
                    guard min(publisher.qos, subscriber.qos) == .exactlyOnce else { continue }
                    #expect(got.count == seen.count, "\(subscriber.name) got some of \(publisher.name) twice: \(got)")
                }
            }
        }
    }

    /// SplitMix64.
    private struct Generator {
        var state: UInt64

        init(seed: UInt64) { state = seed }

        mutating func next(below bound: Int) -> Int {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return Int((z ^ (z >> 31)) % UInt64(bound))
        }
    }

    @Test(arguments: 1...24)
    func `whatever happens, what was acknowledged arrives, in order, and at QoS 2 once`(seed: UInt64) {
        var world = World(seed: seed)
        for _ in 0..<1_000 { world.step() }
        world.settle()
        world.check()
    }

    @Test func `a snapshot and what follows it say the same as all batches`() {
        var world = World(seed: 4)
        for _ in 0..<300 { world.step() }
        world.broker.report(.snapshotWanted)
        for _ in 0..<300 { world.step() }
        world.broker.commit()
        #expect(world.disk.snapshots > 0)
        world.cutPower()
        world.settle()
        world.check()
    }
}
