import Bytes
import MQTTCodec
import Testing

@testable import Client

struct ReceivingTests {
    @Test(arguments: ProtocolVersion.allCases)
    func `messages are acknowledged at once where nobody asked to wait`(version: ProtocolVersion) {
        var link = TestLink(version: version) { _ in }
        link.drips = true
        link.connect()
        link.message("zero", 0, qos: .atMostOnce)
        link.message("one", 7, qos: .atLeastOnce)
        link.message("two", 8, qos: .exactlyOnce)
        #expect(link.sent() == ["PUBACK 7", "PUBREC 8"])
        #expect(link.arrived().map(\.topic) == ["zero", "one", "two"])
        link.answer(.pubrel, 8)
        #expect(link.sent() == ["PUBCOMP 8"])
    }

    @Test func `a deferred message is acknowledged when it is kept, in the order of arrival`() throws {
        var link = TestLink { $0.acknowledgement = .deferred }
        link.connect()
        link.message("a", 1, qos: .atLeastOnce)
        link.message("b", 2, qos: .atLeastOnce)
        link.message("c", 3, qos: .exactlyOnce)
        let tokens = link.arrived().compactMap(\.token)
        try #require(tokens.count == 3)
        #expect(link.sent() == [])
        link.client.acknowledge(tokens[1])
        #expect(link.sent() == [])
        link.client.acknowledge(tokens[0])
        #expect(link.sent() == ["PUBACK 1", "PUBACK 2"])
        link.client.acknowledge(tokens[2])
        link.client.acknowledge(tokens[2])
        #expect(link.sent() == ["PUBREC 3"])
    }

    @Test func `a repeated QoS 2 message is delivered once and answered every time`() {
        var link = TestLink()
        link.connect()
        for _ in 0..<4 { link.message("a", 1, qos: .exactlyOnce, duplicate: true) }
        #expect(link.sent() == Array(repeating: "PUBREC 1", count: 4))
        #expect(link.arrived().count == 1)
        link.answer(.pubrel, 1)
        link.answer(.pubrel, 1)
        #expect(link.sent() == ["PUBCOMP 1", "PUBCOMP 1 packet identifier not found (0x92)"])
        link.message("b", 1, qos: .exactlyOnce)
        #expect(link.arrived().map(\.topic) == ["b"])
    }

    @Test func `a QoS 1 identifier that comes again is a new message`() {
        var link = TestLink()
        link.connect()
        link.message("a", 1, qos: .atLeastOnce)
        link.message("a", 1, qos: .atLeastOnce, duplicate: true)
        #expect(link.arrived().count == 2)
    }

    @Test func `the retain flag is passed on`() {
        var link = TestLink()
        link.connect()
        link.message("a", 1, qos: .atLeastOnce, retain: true)
        guard case .message(let message, _) = link.client.takeEvents().last else {
            Issue.record("no message")
            return
        }
        #expect(message.retain)
    }

    @Test func `a token of an ended connection acknowledges nothing at QoS 1`() throws {
        var link = TestLink {
            $0.acknowledgement = .deferred
            $0.sessionExpirySeconds = 60
        }
        link.connect()
        link.message("a", 1, qos: .atLeastOnce)
        let token = try link.nextToken()
        link.client.transportClosed("cut")
        link.connect(present: true)
        link.client.acknowledge(token)
        #expect(link.sent() == [])
        link.message("a", 1, qos: .atLeastOnce, duplicate: true)
        let again = try link.nextToken()
        link.client.acknowledge(again)
        #expect(link.sent() == ["PUBACK 1"])
    }

    @Test func `a held QoS 2 message is not delivered again by a resumed session`() throws {
        var link = TestLink {
            $0.acknowledgement = .deferred
            $0.sessionExpirySeconds = 60
        }
        link.connect()
        link.message("a", 1, qos: .exactlyOnce)
        let token = try link.nextToken()
        link.client.transportClosed("cut")
        link.connect(present: true)
        link.message("a", 1, qos: .exactlyOnce, duplicate: true)
        #expect(link.arrived().isEmpty)
        link.client.acknowledge(token)
        #expect(link.sent() == ["PUBREC 1"])
        link.answer(.pubrel, 1)
        #expect(link.sent() == ["PUBCOMP 1"])
    }

    @Test func `a QoS 2 message kept while offline is answered when it is repeated`() throws {
        var link = TestLink {
            $0.acknowledgement = .deferred
            $0.sessionExpirySeconds = 60
        }
        link.connect()
        link.message("a", 1, qos: .exactlyOnce)
        let token = try link.nextToken()
        link.client.transportClosed("cut")
        link.client.acknowledge(token)
        #expect(link.connect(present: true) == [])
        link.message("a", 1, qos: .exactlyOnce, duplicate: true)
        #expect(link.sent() == ["PUBREC 1"])
        #expect(link.arrived().isEmpty)
    }

    @Test func `trap 78: QoS 2 state ends with the session`() {
        var link = TestLink { $0.sessionExpirySeconds = 60 }
        link.connect()
        link.message("a", 1, qos: .exactlyOnce)
        link.client.transportClosed("cut")
        link.connect(present: false)
        link.message("other", 1, qos: .exactlyOnce)
        #expect(link.arrived().map(\.topic) == ["a", "other"])
    }

    @Test func `trap 78: more than the receive maximum at once ends the connection`() {
        var link = TestLink {
            $0.acknowledgement = .deferred
            $0.receiveMaximum = 2
        }
        link.connect()
        for packetID: UInt16 in 1...3 { link.message("a", packetID, qos: .atLeastOnce) }
        #expect(link.sent() == ["DISCONNECT receive maximum exceeded (0x93)"])
    }

    @Test func `the receive maximum is open again after each exchange`() {
        var link = TestLink { $0.receiveMaximum = 1 }
        link.connect()
        for packetID: UInt16 in 1...5 {
            link.message("a", packetID, qos: .atLeastOnce)
            link.message("b", packetID, qos: .exactlyOnce)
            link.answer(.pubrel, packetID)
        }
        #expect(link.client.isConnected)
    }

    @Test func `trap 78: a topic alias that nobody offered ends the connection`() {
        var link = TestLink()
        link.connect()
        link.server([0x30, 0x07, 0x00, 0x01, 0x61, 0x03, 0x23, 0x00, 0x01])
        #expect(link.sent() == ["DISCONNECT topic alias invalid (0x94)"])
    }
}

struct SubscribingTests {
    private func request(_ filter: String) -> Subscribe.Request {
        Subscribe.Request(filter: Array(filter.utf8), qos: .atLeastOnce)
    }

    @Test func `codes come back in the order of the filters`() {
        var link = TestLink()
        link.connect()
        _ = link.client.takeEvents()
        let handle = link.client.subscribe([request("a"), request("b/#")])
        #expect(link.sent() == ["SUBSCRIBE 1 a b/#"])
        link.suback(.suback, 1, [1, 0x87])
        #expect(
            link.client.takeEvents() == [
                .subscribed(handle, [ReasonCode(rawValue: 1), .notAuthorized])
            ])
    }

    @Test func `trap 78: a lost session is subscribed again, a resumed one is not`() {
        var link = TestLink { $0.sessionExpirySeconds = 60 }
        _ = link.client.subscribe([request("a")])
        #expect(link.connect() == ["SUBSCRIBE 1 a"])
        link.suback(.suback, 1, [1])
        link.client.transportClosed("cut")
        #expect(link.connect(present: true) == [])
        link.client.transportClosed("cut")
        #expect(link.connect(present: false) == ["SUBSCRIBE 2 a"])
    }

    @Test func `a request without an answer is repeated on the next connection`() {
        var link = TestLink { $0.sessionExpirySeconds = 60 }
        link.connect()
        _ = link.client.subscribe([request("a")])
        _ = link.client.unsubscribe([Array("b".utf8)])
        _ = link.sent()
        link.client.transportClosed("cut")
        #expect(link.connect(present: true) == ["UNSUBSCRIBE 3 b", "SUBSCRIBE 4 a"])
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `unsubscribing ends the wish`(version: ProtocolVersion) {
        var link = TestLink(version: version) { _ in }
        link.connect()
        _ = link.client.subscribe([request("a"), request("b")])
        link.suback(.suback, 1, [1, 1])
        _ = link.client.takeEvents()
        let handle = link.client.unsubscribe([Array("a".utf8)])
        _ = link.sent()
        link.suback(.unsuback, 2, [0])
        #expect(link.client.takeEvents() == [.unsubscribed(handle, [.success])])
        link.client.transportClosed("cut")
        #expect(link.connect() == ["SUBSCRIBE 3 b"])
    }

    @Test func `trap 78: what the server does not offer is not asked for`() {
        var link = TestLink()
        link.connect(.numbers([.wildcardSubscriptionAvailable: 0, .sharedSubscriptionAvailable: 0]))
        _ = link.client.takeEvents()
        let handle = link.client.subscribe([request("a/#"), request("b"), request("$share/g/c")])
        #expect(link.sent() == ["SUBSCRIBE 1 b"])
        link.suback(.suback, 1, [1])
        #expect(
            link.client.takeEvents() == [
                .subscribed(
                    handle,
                    [
                        .wildcardSubscriptionsNotSupported, ReasonCode(rawValue: 1),
                        .sharedSubscriptionsNotSupported,
                    ])
            ])
    }
}

struct RobustnessTests {
    @Test func `a large message in small portions arrives whole, and is a sign of life meanwhile`() {
        var link = TestLink { $0.keepAliveSeconds = 20 }
        link.connect()
        var bytes: [UInt8] = []
        let payload = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        Publish(topic: [0x61], payload: payload).encode(into: &bytes, version: .v5)
        for start in stride(from: 0, to: bytes.count, by: 1_000) {
            link.server(Array(bytes[start..<min(bytes.count, start + 1_000)]))
            link.pass(.seconds(14))
        }
        #expect(link.client.takeEvents().last == .message(Publish(topic: [0x61], payload: payload), nil))
    }

    @Test func `no bytes of a server can crash a client`() {
        var random = SplitMix(7)
        let valid: [[UInt8]] = [
            [0x20, 0x03, 0x00, 0x00, 0x00], [0x32, 0x07, 0x00, 0x01, 0x61, 0x00, 0x01, 0x00, 0x62],
            [0x40, 0x02, 0x00, 0x01], [0x50, 0x02, 0x00, 0x02], [0x62, 0x02, 0x00, 0x01], [0x70, 0x02, 0x00, 0x02],
            [0x90, 0x04, 0x00, 0x03, 0x00, 0x01], [0xB0, 0x04, 0x00, 0x03, 0x00, 0x00], [0xD0, 0x00], [0xE0, 0x00],
        ]
        for round in 0..<3000 {
            var link = TestLink { $0.acknowledgement = round % 2 == 0 ? .deferred : .automatic }
            link.connect()
            link.publish("a", .atLeastOnce)
            link.publish("b", .exactlyOnce)
            for _ in 0..<6 {
                var bytes = valid[Int(random.next() % UInt64(valid.count))]
                if random.next() % 2 == 0 {
                    bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
                }
                link.server(bytes)
                for (_, token) in link.arrived() { if let token { link.client.acknowledge(token) } }
                #expect(link.sent().allSatisfy { !$0.hasPrefix("NOT") && $0 != "CUT" })
            }
        }
    }
}
