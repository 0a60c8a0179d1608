import MQTTCodec
import Testing

@testable import Broker

/// Traps 64 and 65: more of shared subscriptions, beside their own tests.
@Suite struct SharedTraps {
    private let broker = TestBroker()

    @Test(arguments: ["$share//x", "$share/a", "$share/a/", "$share/a+/x", "$share/#/x", "$share/a/b#"])
    func `trap 64: a shared filter without a proper name or filter fails in every version`(filter: String) throws {
        for version in ProtocolVersion.allCases {
            let client = try broker.client("c", version)
            #expect(client.subscribe(filter).codes == [version == .v5 ? 0x8F : 0x80])
            #expect(!client.isClosed)
        }
    }

    @Test func `trap 64: nobody publishes to a topic that looks like a share`() throws {
        let member = try broker.client("m")
        member.subscribe("$share/g/t")
        let publisher = try broker.client("p")
        publisher.publish("$share/g/t", "x", .atLeastOnce, id: 3)
        #expect(publisher.seen().acknowledged(.puback) == ["3 0x87"])
        #expect(member.messages().isEmpty)
    }

    @Test func `trap 65: QoS 2 once sent stays with its member and is finished when it is back`() throws {
        let away = try broker.client("away", expiry: 100)
        away.subscribe("$share/g/t", .exactlyOnce)
        let publisher = try broker.client("p")
        publisher.publish("t", "1", .exactlyOnce, id: 1)
        publisher.publish("t", "2", .exactlyOnce, id: 2)
        #expect(away.publishes().count == 2)
        away.acknowledge(.pubrec, 1)
        let other = try broker.client("other")
        other.subscribe("$share/g/t", .exactlyOnce)
        away.lose()
        #expect(other.messages().isEmpty)
        let back = try #require(broker.open())
        let seen = back.connect("away", clean: false, expiry: 100)
        #expect(seen.acknowledged(.pubrel) == ["1"])
        #expect(seen.payloads == ["2 again"])
        back.lose()
        broker.advance(.seconds(100))
        #expect(other.messages().isEmpty)
    }

    @Test(arguments: QoS.allCases)
    func `trap 65: each member gets the QoS that it was granted`(granted: QoS) throws {
        let member = try broker.client("m")
        member.subscribe("$share/g/t", granted)
        try broker.client("p").publish("t", "x", .exactlyOnce)
        #expect(member.publishes().map(\.qos) == [granted])
    }

    @Test func `trap 65: what a member refuses at QoS 2 goes to nobody else`() throws {
        let refusing = try broker.client("refusing")
        refusing.subscribe("$share/g/t", .exactlyOnce)
        try broker.client("p").publish("t", "x", .exactlyOnce)
        #expect(refusing.publishes().map(\.packetID) == [1])
        let other = try broker.client("other")
        other.subscribe("$share/g/t", .exactlyOnce)
        refusing.acknowledge(.pubrec, 1, .implementationSpecificError)
        #expect(refusing.seen().isEmpty)
        refusing.lose()
        #expect(other.messages().isEmpty)
    }
}
