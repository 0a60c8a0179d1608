import MQTTCodec
import Testing

@testable import Broker

/// MQTT 5, section 4.8.2; clients of 3.1.1 share in the same way.
struct SharedSubscriptionTests {
    private func client(
        _ broker: TestBroker, _ name: String, _ version: ProtocolVersion = .v5, clean: Bool = true,
        expiry: UInt32? = nil
    ) throws -> TestClient {
        let client = try #require(broker.open())
        client.connect(name, version, clean: clean, expiry: version == .v5 ? expiry : nil)
        return client
    }

    private func codes(_ seen: [Seen]) -> [ReasonCode] {
        guard case .suback(let suback) = seen.first else { return [] }
        return suback.reasonCodes
    }

    @Test(arguments: [
        ("$share/g/t/#", ProtocolVersion.v5), ("$share/g/t/#", .v311), ("$queue/t/#", .v5), ("$queue/t/#", .v311),
    ])
    func `each message goes to one member, in turn`(filter: String, version: ProtocolVersion) throws {
        let broker = TestBroker()
        let members = try ["a", "b", "c"].map { try client(broker, $0, version) }
        for member in members { #expect(codes(member.subscribe(filter, .atLeastOnce)) == [ReasonCode(rawValue: 1)]) }
        let publisher = try client(broker, "p")
        for number in 1...6 { publisher.publish("t/x", "\(number)", .atLeastOnce) }
        #expect(members.map { $0.messages() } == [["t/x 1", "t/x 4"], ["t/x 2", "t/x 5"], ["t/x 3", "t/x 6"]])
    }

    @Test func `a session gets its own subscription's copy beside its share`() throws {
        let broker = TestBroker()
        let both = try client(broker, "both")
        both.subscribe("t")
        both.subscribe("$share/g/t")
        both.subscribe("$share/h/t")
        try client(broker, "p").publish("t", "1")
        #expect(both.messages() == ["t 1", "t 1", "t 1"])
    }

    @Test func `share name and filter together make the subscription`() throws {
        let broker = TestBroker()
        let member = try client(broker, "m")
        member.subscribe("$share/g/t", .atMostOnce)
        member.subscribe("$share/g/t", .exactlyOnce)
        member.subscribe("$share/g/+")
        #expect(member.unsubscribe("t") == [.unsuback(Suback(packetID: 8, reasonCodes: [.noSubscriptionExisted]))])
        #expect(
            member.unsubscribe("$share/h/t") == [.unsuback(Suback(packetID: 8, reasonCodes: [.noSubscriptionExisted]))])
        #expect(member.unsubscribe("$share/g/+") == [.unsuback(Suback(packetID: 8, reasonCodes: [.success]))])
        let publisher = try client(broker, "p")
        publisher.publish("t", "1", .exactlyOnce)
        #expect(member.publishes().map(\.qos) == [.exactlyOnce])
        #expect(member.unsubscribe("$share/g/t") == [.unsuback(Suback(packetID: 8, reasonCodes: [.success]))])
        publisher.publish("t", "2", .exactlyOnce, id: 2)
        #expect(member.messages().isEmpty)
    }

    @Test(arguments: ["$share//x", "$share/a", "$share/a/", "$share/a+/x", "$share/+/x", "$share/#", "$queue/"])
    func `trap 64: a share without a name or filter is refused`(filter: String) throws {
        let broker = TestBroker()
        #expect(codes(try client(broker, "five").subscribe(filter)) == [.topicFilterInvalid])
    }

    @Test func `trap 56: No Local on a share is a protocol error`() throws {
        let member = try client(TestBroker(), "m")
        let seen = member.subscribe("$share/g/t") { $0.noLocal = true }
        #expect(seen == [.disconnect(Disconnect(reasonCode: .protocolError))])
    }

    @Test func `trap 60: a share gets no retained messages`() throws {
        let broker = TestBroker()
        try client(broker, "p").publish("t", "old", retain: true)
        let member = try client(broker, "m")
        member.subscribe("$share/g/t")
        #expect(member.messages().isEmpty)
    }

    @Test func `trap 64: a share of dollar topics gets them`() throws {
        let broker = TestBroker { $0.sysInterval = .seconds(1) }
        let member = try client(broker, "m")
        member.subscribe("$share/g/$SYS/broker/uptime")
        broker.advance(.seconds(5))
        #expect(!member.messages().isEmpty)
        let other = try client(broker, "o")
        other.subscribe("$share/g/#")
        broker.advance(.seconds(5))
        #expect(other.messages().isEmpty)
    }

    @Test func `trap 65: a connected member is preferred, and a sleeping one gets messages when nobody else is there`()
        throws
    {
        let broker = TestBroker()
        let sleeper = try client(broker, "sleeper", expiry: 1000)
        sleeper.subscribe("$share/g/t", .atLeastOnce)
        let awake = try client(broker, "awake")
        awake.subscribe("$share/g/t", .atLeastOnce)
        sleeper.lose()
        let publisher = try client(broker, "p")
        for number in 1...3 { publisher.publish("t", "\(number)", .atLeastOnce) }
        let got = awake.publishes()
        #expect(got.map(\.payload) == [[49], [50], [51]])
        for message in got { awake.acknowledge(.puback, message.packetID) }
        awake.disconnect()
        publisher.publish("t", "4", .atLeastOnce)
        let woken = try #require(broker.open())
        #expect(TestClient.messages(woken.connect("sleeper", clean: false, expiry: 1000)) == ["t 4"])
    }

    @Test func `a member whose window is full is passed over`() throws {
        let broker = TestBroker()
        let slow = try #require(broker.open())
        slow.connect("slow") { $0.properties[number: .receiveMaximum] = 1 }
        slow.subscribe("$share/g/t", .atLeastOnce)
        let quick = try client(broker, "quick")
        quick.subscribe("$share/g/t", .atLeastOnce)
        let publisher = try client(broker, "p")
        for number in 1...5 { publisher.publish("t", "\(number)", .atLeastOnce) }
        #expect(slow.messages() == ["t 1"])
        #expect(quick.messages() == ["t 2", "t 3", "t 4", "t 5"])
    }

    @Test func `trap 65: what a session did not acknowledge at QoS 1 goes to another member when the session ends`()
        throws
    {
        let broker = TestBroker()
        let before = broker.keptMessages
        let leaving = try client(broker, "leaving")
        leaving.subscribe("$share/g/t", .atLeastOnce)
        let publisher = try client(broker, "p")
        publisher.publish("t", "1", .atLeastOnce)
        publisher.publish("t", "2", .atLeastOnce)
        let staying = try client(broker, "staying")
        staying.subscribe("$share/g/t", .atLeastOnce)
        leaving.lose()
        #expect(staying.messages() == ["t 1", "t 2"])
        #expect(broker.keptMessages == before + 2)
    }

    @Test func `trap 65: what was sent at QoS 2 stays with its session and dies with it`() throws {
        let broker = TestBroker()
        let before = broker.keptMessages
        let leaving = try client(broker, "leaving")
        leaving.subscribe("$share/g/t", .exactlyOnce)
        try client(broker, "p").publish("t", "1", .exactlyOnce)
        let staying = try client(broker, "staying")
        staying.subscribe("$share/g/t", .exactlyOnce)
        leaving.lose()
        #expect(staying.messages().isEmpty)
        #expect(broker.keptMessages == before)
    }

    @Test func `what waits unsent for a member that disconnects goes to a connected one`() throws {
        let broker = TestBroker()
        let leaving = try #require(broker.open())
        leaving.connect("leaving", expiry: 1000) { $0.properties[number: .receiveMaximum] = 1 }
        leaving.subscribe("$share/g/t", .atLeastOnce)
        let publisher = try client(broker, "p")
        for number in 1...3 { publisher.publish("t", "\(number)", .atLeastOnce) }
        let staying = try client(broker, "staying")
        staying.subscribe("$share/g/t", .atLeastOnce)
        leaving.lose()
        #expect(staying.messages() == ["t 2", "t 3"])
        let back = try #require(broker.open())
        #expect(TestClient.messages(back.connect("leaving", clean: false, expiry: 1000)) == ["t 1"])
    }

    @Test func `trap 65: a member that refuses a message keeps it from the others`() throws {
        let broker = TestBroker()
        let refusing = try client(broker, "refusing")
        refusing.subscribe("$share/g/t", .atLeastOnce)
        let other = try client(broker, "other")
        try client(broker, "p").publish("t", "1", .atLeastOnce)
        let message = try #require(refusing.publishes().first)
        other.subscribe("$share/g/t", .atLeastOnce)
        refusing.acknowledge(.puback, message.packetID, .quotaExceeded)
        refusing.lose()
        #expect(other.messages().isEmpty)
    }

    @Test(arguments: [BrokerLimits.SharedStrategy.sticky, .hashTopic])
    func `a strategy keeps a topic with one member`(strategy: BrokerLimits.SharedStrategy) throws {
        let broker = TestBroker { $0.sharedStrategy = strategy }
        let members = try (0..<4).map { try client(broker, "m\($0)") }
        for member in members { member.subscribe("$share/g/#") }
        let publisher = try client(broker, "p")
        for topic in 0..<32 { for _ in 0..<3 { publisher.publish("t\(topic)", "x") } }
        let received = members.map { Set($0.messages()) }
        #expect(received.map(\.count).reduce(0, +) == 32)
        let busy = received.filter { !$0.isEmpty }.count
        #expect(strategy == .sticky ? busy == 1 : busy > 1)
    }

    @Test func `groups that come and go leave nothing behind`() throws {
        let broker = TestBroker()
        let publisher = try client(broker, "p")
        for round in 0..<5_000 {
            let member = try client(broker, "m")
            member.subscribe("$share/g\(round)/t")
            publisher.publish("t", "x")
            #expect(member.messages().count == 1)
            member.disconnect()
            _ = member.seen()
        }
        #expect(broker.shareGroups <= 1)
    }
}
