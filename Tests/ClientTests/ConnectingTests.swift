import MQTTCodec
import Testing

@testable import Client

struct ConnectingTests {
    @Test func `CONNECT is the first packet and nothing else follows it before CONNACK`() {
        var link = TestLink()
        link.publish("a", .atLeastOnce)
        _ = link.client.subscribe([Subscribe.Request(filter: [0x61], qos: .atLeastOnce)])
        link.client.transportOpened(now: link.now)
        #expect(link.sent() == ["CONNECT martlet clean"])
        link.connack()
        #expect(link.sent() == ["SUBSCRIBE 1 a", "PUBLISH 2 a qos 1"])
        #expect(link.client.takeEvents().first == .connected(sessionPresent: false))
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `a kept session begins clean once and is resumed later`(version: ProtocolVersion) {
        var link = TestLink(version: version) { $0.sessionExpirySeconds = 600 }
        link.client.transportOpened(now: link.now)
        // 3.1.1 can't say "clean now, kept later".
        #expect(link.sent() == ["CONNECT martlet \(version == .v5 ? "clean" : "resume")"])
        link.connack()
        link.client.transportClosed("cut")
        _ = link.client.takeOutput(now: link.now)
        link.client.transportOpened(now: link.now)
        #expect(link.sent() == ["CONNECT martlet resume"])
    }

    @Test func `CONNECT carries user, password, will, expiry and limits`() throws {
        var settings = ClientSettings(clientID: [0x63])
        settings.userName = Array("site-17".utf8)
        settings.password = Array("secret".utf8)
        settings.will = Connect.Will(topic: [0x77], payload: [0x30], qos: .atLeastOnce, retain: true)
        settings.sessionExpirySeconds = 3600
        settings.receiveMaximum = 7
        settings.maximumPacketSize = 5000
        settings.keepAliveSeconds = 30
        var client = ClientState(settings, now: .now)
        client.transportOpened(now: .now)
        let bytes = client.takeOutput(now: .now)
        let header = try #require(try FixedHeader.parse(bytes.span))
        let packet = try Connect(bytes.span, header)
        #expect(packet.userName == settings.userName)
        #expect(packet.password == settings.password)
        #expect(packet.will == settings.will)
        #expect(packet.keepAlive == 30)
        #expect(packet.properties[number: .sessionExpiryInterval] == 3600)
        #expect(packet.properties[number: .receiveMaximum] == 7)
        #expect(packet.properties[number: .maximumPacketSize] == 5000)
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `a refused connection says why in words`(version: ProtocolVersion) {
        var link = TestLink(version: version) { _ in }
        link.client.transportOpened(now: link.now)
        link.connack(code: .badUserNameOrPassword)
        #expect(
            link.closed()?.description == "the server refused the connection: bad user name or password (0x86)")
        #expect(!link.client.isConnected)
    }

    @Test func `a server from before MQTT 5 is understood when it refuses`() {
        var link = TestLink()
        link.client.transportOpened(now: link.now)
        link.server([0x20, 0x02, 0x00, 0x01])
        #expect(link.closed() == .refused(.unsupportedProtocolVersion, nil))
    }

    @Test func `the server's own words are added`() {
        var link = TestLink()
        link.client.transportOpened(now: link.now)
        var properties = Properties()
        properties[bytes: .reasonString] = Array("site 17 is locked".utf8)
        link.connack(properties, code: .notAuthorized)
        #expect(link.closed()?.description.hasSuffix("(site 17 is locked)") == true)
    }

    @Test func `trap 78: an assigned client identifier is used again`() {
        var link = TestLink(ClientSettings(clientID: []))
        var properties = Properties()
        properties[bytes: .assignedClientIdentifier] = Array("auto-1".utf8)
        link.connect(properties)
        link.client.transportClosed("cut")
        link.client.transportOpened(now: link.now)
        #expect(link.sent() == ["CONNECT auto-1 clean"])
    }

    @Test func `a server that says nothing is given up`() {
        var link = TestLink { $0.connectTimeout = .seconds(5) }
        link.client.transportOpened(now: link.now)
        #expect(link.client.wakeAt == link.now + .seconds(5))
        link.pass(.seconds(5))
        #expect(link.closed() == .noConnack)
    }

    @Test func `a first packet that is not CONNACK ends the connection without DISCONNECT`() {
        var link = TestLink()
        link.client.transportOpened(now: link.now)
        _ = link.sent()
        link.server([0xD0, 0x00])
        #expect(link.sent() == [])
        #expect(link.closed()?.description == "the server broke the protocol: its first packet was a pingresp")
    }

    @Test func `bytes that are not MQTT end the connection with a reason`() {
        var link = TestLink()
        link.connect()
        link.server(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
        #expect(link.sent() == ["DISCONNECT malformed packet (0x81)"])
        guard case .malformed = link.closed() else {
            Issue.record("not closed as malformed")
            return
        }
    }

    @Test func `the server's DISCONNECT is reported with its reason`() {
        var link = TestLink()
        link.connect()
        link.server([0xE0, 0x01, 0x8E])
        #expect(link.closed() == .server(.sessionTakenOver, nil))
        #expect(link.sent() == [])
    }

    @Test func `goodbye is said and reported`() {
        var link = TestLink()
        link.connect()
        _ = link.client.takeEvents()
        link.client.disconnect()
        #expect(link.sent() == ["DISCONNECT success (0x00)"])
        #expect(link.client.takeEvents() == [.closed(.requested)])
    }

    @Test func `a packet larger than announced is refused before it has arrived`() {
        var link = TestLink { $0.maximumPacketSize = 100 }
        link.connect()
        link.server([0x30, 0xE4, 0x01])
        #expect(link.sent() == ["DISCONNECT packet too large (0x95)"])
        #expect(link.closed() != nil)
    }

    @Test func `what comes after the end is not looked at`() {
        var link = TestLink()
        link.connect()
        _ = link.client.takeEvents()
        link.server([0xE0, 0x00] + [0x30, 0x04, 0x00, 0x01, 0x61, 0x00])
        #expect(link.client.takeEvents() == [.closed(.server(.success, nil))])
    }
}

struct KeepAliveTests {
    @Test func `a silent client pings and an answer lets it be`() {
        var link = TestLink { $0.keepAliveSeconds = 60 }
        link.connect()
        #expect(link.client.wakeAt == link.now + .seconds(60))
        link.pass(.seconds(59))
        #expect(link.sent() == [])
        link.pass(.seconds(1))
        #expect(link.sent() == ["PINGREQ"])
        link.server([0xD0, 0x00])
        link.pass(.seconds(15))
        #expect(link.client.isConnected)
    }

    @Test func `an unanswered ping ends the connection`() {
        var link = TestLink { $0.keepAliveSeconds = 60 }
        link.connect()
        link.pass(.seconds(60))
        _ = link.sent()
        link.pass(.seconds(15))
        #expect(link.closed() == .keepAliveTimeout)
        #expect(link.sent() == ["DISCONNECT keep alive timeout (0x8D)"])
    }

    @Test func `a client that only sends still asks whether anybody is there`() {
        var link = TestLink { $0.keepAliveSeconds = 10 }
        link.connect()
        for _ in 0..<9 {
            link.pass(.seconds(1))
            link.publish("a", .atMostOnce)
            #expect(link.sent() == ["PUBLISH 0 a qos 0"])
        }
        link.pass(.seconds(1))
        #expect(link.sent() == ["PINGREQ"])
    }

    @Test func `trap 78: the server's keep alive replaces the client's`() {
        var link = TestLink { $0.keepAliveSeconds = 60 }
        link.connect(.numbers([.serverKeepAlive: 5]))
        #expect(link.client.wakeAt == link.now + .seconds(5))
    }

    @Test func `without keep alive nothing is due`() {
        var link = TestLink { $0.keepAliveSeconds = 0 }
        link.connect()
        #expect(link.client.wakeAt == nil)
    }

    @Test func `a server that acknowledges nothing is given up and gets the message again`() {
        var link = TestLink {
            $0.keepAliveSeconds = 0
            $0.sessionExpirySeconds = 60
            $0.acknowledgeTimeout = .seconds(60)
        }
        link.connect()
        link.publish("a", .atLeastOnce)
        _ = link.sent()
        link.pass(.seconds(60))
        #expect(link.closed() == .noAcknowledgement)
        _ = link.sent()
        #expect(link.connect(present: true) == ["PUBLISH 1 a qos 1 dup"])
    }
}

struct BackOffTests {
    @Test func `waits stay in their bounds and grow`() {
        var backOff = BackOff(seed: 1, shortest: .seconds(1), longest: .seconds(30))
        let waits = (0..<200).map { _ in backOff.delay(connectedFor: nil) }
        #expect(waits.allSatisfy { $0 >= .seconds(1) && $0 <= .seconds(30) })
        #expect(waits.suffix(100).contains { $0 > .seconds(15) })
        #expect(waits[0] <= .seconds(3))
    }

    @Test func `only a connection that lasted makes the wait short again`() {
        var backOff = BackOff(seed: 1, shortest: .seconds(1), longest: .seconds(60), stableAfter: .seconds(30))
        for _ in 0..<50 { _ = backOff.delay(connectedFor: .seconds(2)) }
        var kicked = backOff
        let waits = (0..<20).map { _ in kicked.delay(connectedFor: .seconds(29)) }
        #expect(waits.contains { $0 > .seconds(10) })
        #expect(backOff.delay(connectedFor: .seconds(30)) <= .seconds(3))
    }

    @Test func `two gateways do not wait alike`() {
        var one = BackOff(seed: 1)
        var other = BackOff(seed: 2)
        #expect(one.delay(connectedFor: nil) != other.delay(connectedFor: nil))
    }
}
