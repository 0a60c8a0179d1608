import MQTTCodec
import Testing

@testable import Broker

@Suite struct TakeOverTests {
    private let broker = TestBroker()
    private let first = "192.0.2.1"
    private let second = "192.0.2.2"

    /// Connects as "pump" from each address, one every `pause`, and returns what was said.
    private func connect(from addresses: [String], every pause: Duration) throws -> [BrokerEvent] {
        for address in addresses {
            broker.advance(pause)
            let client = try #require(broker.open(peer: "\(address):50000", address: address))
            client.connect("pump")
        }
        return broker.takeEvents().filter { event in
            switch event {
            case .takenOver, .sharedClientID: true
            default: false
            }
        }
    }

    private func shared(_ count: Int, _ peer: String, _ other: String) -> BrokerEvent {
        .sharedClientID(
            client: "pump", peer: "\(peer):50000", otherPeer: "\(other):50000", takeOvers: count,
            isOneAddress: peer == other)
    }

    @Test func `two devices that share a client id are recognised at the third take-over, once`() throws {
        let events = try connect(from: [first, second, first, second, first, second, first], every: .seconds(5))
        #expect(
            events == [
                .takenOver(client: "pump", by: "\(second):50000", from: "\(first):50000"),
                .takenOver(client: "pump", by: "\(first):50000", from: "\(second):50000"),
                shared(3, second, first),
            ])
        #expect(broker.counters.takeOvers == 6)
    }

    @Test func `it is said again after pauses that double`() throws {
        let addresses = (0..<121).map { $0.isMultiple(of: 2) ? first : second }
        let said = try connect(from: addresses, every: .seconds(10)).compactMap { event -> Int? in
            guard case .sharedClientID(_, _, _, let count, _) = event else { return nil }
            return count
        }
        // Every 10 s one: a minute after the third, then two, four, eight minutes later.
        #expect(said == [3, 9, 21, 45, 93])
    }

    @Test func `slow ones are told one by one`() throws {
        let events = try connect(from: [first, second, first, second, first], every: .seconds(40))
        #expect(events.count == 4)
        #expect(!events.contains { if case .sharedClientID = $0 { true } else { false } })
    }

    @Test func `a client that moves from address to address is no second device`() throws {
        let events = try connect(from: (1...6).map { "192.0.2.\($0)" }, every: .seconds(5))
        #expect(events.count == 5)
        #expect(!events.contains { if case .sharedClientID = $0 { true } else { false } })
    }

    @Test func `from one address it is told as what it may be`() throws {
        let events = try connect(from: [first, first, first, first], every: .seconds(5))
        #expect(events.last == shared(3, first, first))
    }

    @Test func `a shared client id stands on $SYS until ten minutes after the last take-over`() throws {
        _ = try connect(from: [first, second, first, second], every: .seconds(5))
        broker.advance(.seconds(10))
        let topics = broker.systemTopics("$SYS/martlet/takeovers/#")
        #expect(
            topics == [
                "$SYS/martlet/takeovers/pump":
                    #"{"clientid":"pump","count":3,"peer":"192.0.2.2:50000","other_peer":"192.0.2.1:50000","since":1772346610000}"#
            ])
        broker.advance(.seconds(580))
        #expect(broker.systemTopics("$SYS/martlet/takeovers/#").count == 1)
        broker.advance(.seconds(20))
        #expect(broker.systemTopics("$SYS/martlet/takeovers/#").isEmpty)
    }

    @Test func `only so many client ids are watched`() throws {
        for round in 0..<2 {
            for number in 0..<1_000 {
                let client = try #require(broker.open(peer: "p\(round)", address: "\(round)"))
                client.connect("c\(number)")
            }
        }
        #expect(broker.watchedTakeOvers == TakeOverWatch.capacity)
    }
}
