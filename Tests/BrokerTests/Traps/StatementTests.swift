import MQTTCodec
import Testing

@testable import Broker

/// Statements of the standard that nobody is known to get wrong, and that no trap is about.
@Suite struct StatementTests {
    private let broker = TestBroker()

    /// Flags that announce a field which is missing, and fields that no flag announces.
    @Test(arguments: [0x02, 0x06, 0x82, 0xC2, 0xC6] as [UInt8], ProtocolVersion.allCases)
    func `a CONNECT has exactly the fields that its flags announce`(flags: UInt8, version: ProtocolVersion) throws {
        var fields: [UInt8] = [0, 1, 0x61]
        if flags & 4 != 0 { fields += (version == .v5 ? [0] : []) + [0, 1, 0x77, 0, 1, 0x78] }
        if flags & 0x80 != 0 { fields += [0, 1, 0x75] }
        if flags & 0x40 != 0 { fields += [0, 1, 0x70] }
        for (payload, isRight) in [(fields, true), (fields + [0, 1, 0x7A], false), (Array(fields.dropLast()), false)] {
            let client = try #require(broker.open())
            client.send(connectFlags: flags, version, payload: payload)
            let code = client.seen().connack?.reasonCode
            // Right ones may still be refused, for the password; wrong ones are not even that.
            #expect(isRight ? code != nil && code != .malformedPacket : code?.isError != false)
            #expect(isRight || client.isClosed)
            client.lose()
        }
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `client ids of letters and digits are allowed up to any length`(version: ProtocolVersion) throws {
        let all = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
        for id in ["a", "0123456789abcdefghijklm", "nopqrstuvwxyzABCDEFGHIJ", "KLMNOPQRSTUVWXYZ", all] {
            _ = try broker.client(id, version)
        }
        #expect(broker.counters.clients == 5)
    }

    @Test(arguments: ProtocolVersion.since311)
    func `an empty client id is one of its own each time`(version: ProtocolVersion) throws {
        for _ in 0..<3 { _ = try broker.client("", version) }
        #expect(broker.counters.clients == 3)
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `a client without a will leaves none`(version: ProtocolVersion) throws {
        let watcher = try broker.watcher("#")
        try broker.client("c", version) { $0.will = will("first") }.disconnect()
        try broker.client("c", version).lose()
        #expect(watcher.seen().isEmpty)
    }

    @Test(arguments: [false, true], ProtocolVersion.allCases)
    func `a will is retained if its flag says so and not otherwise`(retain: Bool, version: ProtocolVersion) throws {
        try broker.client("c", version) { $0.will = will("gone", retain: retain) }.lose()
        #expect(try broker.client("late").subscribe("will").payloads == (retain ? ["gone"] : []))
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `an answer carries the identifier of its request`(version: ProtocolVersion) throws {
        let client = try broker.client("c", version)
        for id in [1, 300, 65_535] as [UInt16] {
            let subscribe = Subscribe(packetID: id, requests: [.init(filter: text("t"), qos: .atMostOnce)])
            client.send { subscribe.encode(into: &$0, version: version) }
            client.send { Unsubscribe(packetID: id, filters: [text("t")]).encode(into: &$0, version: version) }
            let ids = client.seen().map { seen -> UInt16 in
                switch seen {
                case .suback(let answer), .unsuback(let answer): return answer.packetID
                default: return 0
                }
            }
            #expect(ids == [id, id])
        }
    }

    @Test func `Response Information is never sent`() throws {
        for wanted in [0, 1] as [UInt32] {
            let client = try #require(broker.open())
            let seen = client.connect("c\(wanted)") { $0.properties[number: .requestResponseInformation] = wanted }
            #expect(seen.connack?.reasonCode == .success)
            #expect(seen.connack?.properties[bytes: .responseInformation] == nil)
        }
    }

    @Test func `PUBREL answers a PUBREC that nobody waits for with not found`() throws {
        let client = try broker.client("c")
        client.acknowledge(.pubrec, 77)
        #expect(client.seen().acknowledged(.pubrel) == ["77 0x92"])
        #expect(!client.isClosed)
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `a topic of the longest length arrives whole`(version: ProtocolVersion) throws {
        let topic = String(repeating: "x", count: 65_535)
        let client = try broker.client("c", version)
        #expect(client.subscribe(topic).codes == [0])
        client.publish(topic, "y")
        #expect(client.publishes().map(\.topic.count) == [65_535])
    }
}
