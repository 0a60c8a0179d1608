import MQTTCodec
import Testing

@testable import Client

struct SendingTests {
    @Test(arguments: ProtocolVersion.allCases)
    func `each QoS has its exchange`(version: ProtocolVersion) {
        var link = TestLink(version: version) { _ in }
        link.connect()
        _ = link.client.takeEvents()
        link.publish("zero", .atMostOnce)
        let one = link.publish("one", .atLeastOnce)
        let two = link.publish("two", .exactlyOnce)
        #expect(link.sent() == ["PUBLISH 0 zero qos 0", "PUBLISH 1 one qos 1", "PUBLISH 2 two qos 2"])
        link.answer(.puback, 1)
        link.answer(.pubrec, 2)
        #expect(link.sent() == ["PUBREL 2"])
        #expect(link.client.takeEvents() == [.acknowledged(one, .success)])
        link.answer(.pubcomp, 2)
        #expect(link.client.takeEvents() == [.acknowledged(two, .success)])
        #expect(link.client.isIdle)
    }

    @Test func `a refused message is over, without PUBREL`() {
        var link = TestLink()
        link.connect()
        _ = link.client.takeEvents()
        let one = link.publish("one", .atLeastOnce)
        let two = link.publish("two", .exactlyOnce)
        _ = link.sent()
        link.answer(.puback, 1, .notAuthorized)
        link.answer(.pubrec, 2, .quotaExceeded)
        #expect(link.sent() == [])
        #expect(
            link.client.takeEvents() == [.acknowledged(one, .notAuthorized), .acknowledged(two, .quotaExceeded)])
    }

    @Test func `trap 78: the server's receive maximum is the window`() {
        var link = TestLink()
        link.connect(.numbers([.receiveMaximum: 2]))
        for topic in ["a", "b", "c", "d"] { link.publish(topic, .atLeastOnce) }
        link.publish("zero", .atMostOnce)
        #expect(link.sent() == ["PUBLISH 1 a qos 1", "PUBLISH 2 b qos 1", "PUBLISH 0 zero qos 0"])
        link.answer(.puback, 1)
        #expect(link.sent() == ["PUBLISH 3 c qos 1"])
    }

    @Test func `PUBREC without error frees no place, PUBCOMP does`() {
        var link = TestLink()
        link.connect(.numbers([.receiveMaximum: 1]))
        link.publish("a", .exactlyOnce)
        link.publish("b", .exactlyOnce)
        _ = link.sent()
        link.answer(.pubrec, 1)
        #expect(link.sent() == ["PUBREL 1"])
        link.answer(.pubcomp, 1)
        #expect(link.sent() == ["PUBLISH 2 b qos 2"])
    }

    @Test func `trap 78: QoS, retain and size are what the server allows`() {
        var link = TestLink()
        link.connect(.numbers([.maximumQoS: 1, .retainAvailable: 0, .maximumPacketSize: 20]))
        _ = link.client.takeEvents()
        link.publish("a", .exactlyOnce, retain: true)
        #expect(link.sent() == ["PUBLISH 1 a qos 1"])
        let large = link.publish("a", .atLeastOnce, payload: [UInt8](repeating: 0, count: 30))
        link.publish("b", .atLeastOnce)
        #expect(link.sent() == ["PUBLISH 3 b qos 1"])
        #expect(link.client.takeEvents() == [.acknowledged(large, .packetTooLarge)])
    }

    @Test func `trap 78: a packet of exactly the server's size passes`() {
        var link = TestLink()
        link.connect(.numbers([.maximumPacketSize: 20]))
        // 2 header, 3 topic, 2 identifier, 1 properties
        link.publish("a", .atLeastOnce, payload: [UInt8](repeating: 0, count: 12))
        #expect(link.sent() == ["PUBLISH 1 a qos 1"])
        link.publish("a", .atLeastOnce, payload: [UInt8](repeating: 0, count: 13))
        #expect(link.sent() == [])
    }

    @Test func `trap 78: a server without QoS 1 gets QoS 0, and the caller hears of it`() {
        var link = TestLink()
        link.connect(.numbers([.maximumQoS: 0]))
        _ = link.client.takeEvents()
        let handle = link.publish("a", .atLeastOnce)
        #expect(link.sent() == ["PUBLISH 0 a qos 0"])
        #expect(link.client.takeEvents() == [.acknowledged(handle, .success)])
    }

    @Test func `QoS 0 is for now, names are checked, the queue has an end`() {
        var link = TestLink { $0.maximumWaiting = 1 }
        func refusal(_ topic: String, _ qos: QoS) -> PublishRefusal? {
            do throws(PublishRefusal) {
                _ = try link.client.publish(Publish(topic: Array(topic.utf8), payload: [], qos: qos), now: link.now)
                return nil
            } catch { return error }
        }
        #expect(refusal("a", .atMostOnce) == .notConnected)
        #expect(refusal("a/+", .atLeastOnce) == .topicInvalid)
        #expect(refusal("", .atLeastOnce) == .topicInvalid)
        #expect(refusal("a", .atLeastOnce) == nil)
        #expect(refusal("a", .atLeastOnce) == .tooManyWaiting)
    }

    @Test func `identifiers wrap around and skip those in use`() {
        var link = TestLink()
        link.connect()
        link.publish("first", .atLeastOnce)
        for index in 0..<65_534 {
            link.publish("x", .atLeastOnce)
            link.answer(.puback, UInt16(index + 2))
        }
        _ = link.sent()
        link.publish("last", .atLeastOnce)
        #expect(link.sent() == ["PUBLISH 2 last qos 1"])
    }

    @Test func `an answer of the wrong kind ends the connection, an unknown one does not`() {
        var link = TestLink()
        link.connect()
        link.answer(.puback, 99)
        link.answer(.pubrec, 98)
        #expect(link.sent() == ["PUBREL 98 packet identifier not found (0x92)"])
        link.publish("a", .atLeastOnce)
        _ = link.sent()
        link.answer(.pubcomp, 1)
        #expect(link.sent() == ["DISCONNECT protocol error (0x82)"])
    }
}

struct ReconnectTests {
    /// A connection with one message in each stage, which then ends: QoS 1 sent, QoS 2 sent, QoS 2 released, waiting.
    private func cutLink(version: ProtocolVersion) -> TestLink {
        var link = TestLink(version: version) {
            $0.sessionExpirySeconds = 60
            $0.maximumInFlight = 3
        }
        link.connect()
        link.publish("one", .atLeastOnce)
        link.publish("two", .exactlyOnce)
        link.publish("released", .exactlyOnce)
        link.publish("waiting", .atLeastOnce)
        link.answer(.pubrec, 3)
        _ = link.sent()
        link.client.transportClosed("cut")
        _ = link.client.takeEvents()
        return link
    }

    // 3.1 has no Session Present, so that there a client never knows of one.
    @Test(arguments: [ProtocolVersion.v311, .v5])
    func `a resumed session gets everything again in the first order`(version: ProtocolVersion) {
        var link = cutLink(version: version)
        #expect(link.connect(present: true) == ["PUBLISH 1 one qos 1 dup", "PUBLISH 2 two qos 2 dup", "PUBREL 3"])
        link.answer(.puback, 1)
        #expect(link.sent() == ["PUBLISH 4 waiting qos 1"])
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `a lost session gets what was not answered as new, and not what it had taken`(version: ProtocolVersion) {
        var link = cutLink(version: version)
        #expect(
            link.connect(present: false) == [
                "PUBLISH 1 one qos 1", "PUBLISH 2 two qos 2", "PUBLISH 4 waiting qos 1",
            ])
        #expect(link.client.takeEvents().contains { if case .acknowledged = $0 { true } else { false } })
    }

    @Test func `what the server allows no more of is counted once for each message`() {
        var link = TestLink { _ in }
        let limits = Properties.numbers([.maximumQoS: 1, .retainAvailable: 0])
        link.connect(limits)
        link.publish("a", .exactlyOnce, retain: true)
        link.publish("b", .atLeastOnce)
        link.publish("c", .atMostOnce, retain: true)
        for _ in 0..<2 {
            link.client.transportClosed("cut")
            link.connect(limits)
        }
        #expect(link.client.downgrades.qos == 1)
        #expect(link.client.downgrades.retain == 2)
    }

    @Test func `nothing is sent twice while the connection stands`() {
        var link = TestLink { $0.keepAliveSeconds = 0 }
        link.connect()
        link.publish("a", .atLeastOnce)
        #expect(link.sent().count == 1)
        for _ in 0..<5 { link.pass(.seconds(10)) }
        #expect(link.sent() == [])
    }

    @Test func `a smaller receive maximum holds the rest back, but no PUBREL`() {
        var link = cutLink(version: .v5)
        #expect(link.connect(present: true, .numbers([.receiveMaximum: 1])) == ["PUBLISH 1 one qos 1 dup"])
        link.answer(.puback, 1)
        #expect(link.sent() == ["PUBLISH 2 two qos 2 dup", "PUBREL 3"])
    }

    @Test func `the link may go at any time and every message arrives`() {
        var link = TestLink {
            $0.sessionExpirySeconds = 60
            $0.acknowledgeTimeout = nil
        }
        var random = SplitMix(42)
        var server = CountingServer()
        var published = 0
        link.connect()
        for _ in 0..<5000 {
            switch random.next() % 8 {
            case 0, 1, 2:
                published += 1
                link.publish("t/\(published)", random.next() % 2 == 0 ? .atLeastOnce : .exactlyOnce)
            case 7 where random.next() % 4 == 0:
                link.client.transportClosed("cut")
                _ = link.sent()
                server.connectionLost()
                for line in link.connect(present: true) { server.read(line) }
            default: server.answer(&link)
            }
            for line in link.sent() { server.read(line) }
        }
        while !server.owed.isEmpty {
            server.answer(&link)
            for line in link.sent() { server.read(line) }
        }
        #expect(link.client.isIdle)
        #expect(server.exactlyOnce.values.allSatisfy { $0 == 1 })
        #expect(Set(server.atLeastOnce).count + server.exactlyOnce.count == published)
    }
}

/// Takes messages as a server does, and answers some of them when told.
private struct CountingServer {
    var atLeastOnce: [String] = []
    /// How often each was taken.
    var exactlyOnce: [String: Int] = [:]
    var owed: [(PacketType, UInt16)] = []
    private var received: Set<UInt16> = []

    mutating func read(_ line: String) {
        let words = line.split(separator: " ").map(String.init)
        guard words.count >= 2, let packetID = UInt16(words[1]) else { return }
        switch words[0] {
        case "PUBLISH" where words[4] == "1":
            atLeastOnce.append(words[2])
            owed.append((.puback, packetID))
        case "PUBLISH":
            if received.insert(packetID).inserted { exactlyOnce[words[2], default: 0] += 1 }
            owed.append((.pubrec, packetID))
        default:
            received.remove(packetID)
            owed.append((.pubcomp, packetID))
        }
    }

    mutating func answer(_ link: inout TestLink) {
        guard !owed.isEmpty else { return }
        let (type, packetID) = owed.removeFirst()
        link.answer(type, packetID)
    }

    /// Answers that were not sent are not sent any more.
    mutating func connectionLost() { owed = [] }
}
