import Access
import MQTTCodec
import Testing

@testable import Broker

struct ReloadTests {
    @Test func `new limits hold for clients that are there, but for what they were promised`() throws {
        let broker = TestBroker()
        let client = try #require(broker.open())
        client.connect("c")
        var limits = BrokerLimits()
        limits.topicLevels = 1
        limits.receiveMaximum = 1
        limits.maximumPacketSize = 100
        broker.apply(limits)
        client.publish("a/b", "x", .atLeastOnce)
        #expect(
            client.seen() == [.acknowledgement(.puback, Acknowledgement(packetID: 1, reasonCode: .topicNameInvalid))])
        client.publish("a", String(repeating: "x", count: 200), .exactlyOnce, id: 2)
        client.publish("a", "x", .exactlyOnce, id: 3)
        #expect(client.seen().count == 2 && !client.isClosed)
        let next = try #require(broker.open())
        guard case .connack(let connack) = next.connect("n").first else { return #expect(Bool(false)) }
        #expect(connack.properties[number: .receiveMaximum] == 1)
        next.publish("a", "x", .exactlyOnce, id: 2)
        next.publish("a", "x", .exactlyOnce, id: 3)
        #expect(next.seen().last == .disconnect(Disconnect(reasonCode: .receiveMaximumExceeded)))
    }

    @Test func `only who comes over a Unix socket may ask the gateway for something`() throws {
        let broker = TestBroker()
        let gateway = try #require(broker.open(isInternal: true))
        gateway.connect("$martlet/gateway")
        gateway.subscribe("$martlet/request/#", .atLeastOnce)
        let near = try #require(broker.open { $0.isLocalSocket = true })
        near.connect("near")
        near.publish("$martlet/request/reload", "", .atLeastOnce)
        near.publish("$martlet/other", "", .atLeastOnce)
        let far = try #require(broker.open())
        far.connect("far")
        far.publish("$martlet/request/reload", "", .atLeastOnce)
        #expect(gateway.messages() == ["$martlet/request/reload "])
        let codes: [Seen] = [.success, .notAuthorized].map {
            .acknowledgement(.puback, Acknowledgement(packetID: 1, reasonCode: $0))
        }
        #expect(near.seen() == codes)
        #expect(far.seen() == [codes[1]])
    }

    @Test func `rules of one listener let nobody on another ask the gateway for something`() throws {
        let broker = TestBroker()
        var (rule, access) = (AccessRule(), AccessSettings())
        rule.write = ["$martlet/request/reload"]
        access.listeners["guarded"] = AccessSettings.Policy(rules: AccessRules([rule]))
        broker.apply(access)
        let named = try #require(broker.open(listener: "guarded"))
        named.connect("named")
        let free = try #require(broker.open(listener: "open"))
        free.connect("free")
        for (client, code) in [(named, ReasonCode.success), (free, .notAuthorized)] {
            client.publish("$martlet/request/reload", "", .atLeastOnce)
            guard case .acknowledgement(.puback, let answer)? = client.seen().last else {
                return #expect(Bool(false))
            }
            #expect(answer.reasonCode == code)
        }
    }
}
