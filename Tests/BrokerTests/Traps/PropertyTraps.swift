import MQTTCodec
import Testing

@testable import Broker

/// Trap 18: every property in every packet, once and twice.
@Suite struct PropertyTraps {
    private let broker = TestBroker()

    /// A place for properties, and which may be there, from the standard's table 2-4.
    struct Place: CustomTestStringConvertible {
        var testDescription: String
        /// Identifiers that are legal there from a client.
        var allowed: Set<UInt8>
        /// The packet around properties, which are given with their length.
        var packet: @Sendable ([UInt8]) -> [UInt8]
    }

    private static func packet(_ first: UInt8, _ body: [UInt8]) -> [UInt8] { [first, UInt8(body.count)] + body }

    static let places = [
        Place(testDescription: "PUBLISH", allowed: [0x01, 0x02, 0x03, 0x08, 0x09, 0x23, 0x26]) {
            packet(0x30, [0, 1, 0x74] + $0)
        },
        Place(testDescription: "PUBACK", allowed: [0x1F, 0x26]) { packet(0x40, [0, 1, 0] + $0) },
        Place(testDescription: "PUBREC", allowed: [0x1F, 0x26]) { packet(0x50, [0, 1, 0] + $0) },
        Place(testDescription: "PUBREL", allowed: [0x1F, 0x26]) { packet(0x62, [0, 1, 0] + $0) },
        Place(testDescription: "PUBCOMP", allowed: [0x1F, 0x26]) { packet(0x70, [0, 1, 0] + $0) },
        Place(testDescription: "SUBSCRIBE", allowed: [0x0B, 0x26]) { packet(0x82, [0, 1] + $0 + [0, 1, 0x74, 0]) },
        Place(testDescription: "UNSUBSCRIBE", allowed: [0x26]) { packet(0xA2, [0, 1] + $0 + [0, 1, 0x74]) },
        // Server Reference makes no sense from a client, but no table forbids it.
        Place(testDescription: "DISCONNECT", allowed: [0x11, 0x1C, 0x1F, 0x26]) { packet(0xE0, [0] + $0) },
    ]

    static let connect = Place(
        testDescription: "CONNECT", allowed: [0x11, 0x15, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27]
    ) { packet(0x10, [0, 4, 0x4D, 0x51, 0x54, 0x54, 5, 2, 0, 0] + $0 + [0, 0]) }

    static let willOfConnect = Place(
        testDescription: "the will", allowed: [0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26]
    ) { packet(0x10, [0, 4, 0x4D, 0x51, 0x54, 0x54, 5, 6, 0, 0, 0, 0, 0] + $0 + [0, 1, 0x77, 0, 0]) }

    /// Each property with a value that is legal.
    static let values: [UInt8: [UInt8]] = [
        0x01: [1], 0x02: [0, 0, 0, 9], 0x03: [0, 1, 0x61], 0x08: [0, 1, 0x61], 0x09: [0, 1, 0xFF], 0x0B: [1],
        0x11: [0, 0, 0, 0], 0x12: [0, 1, 0x61], 0x13: [0, 9], 0x15: [0, 1, 0x61], 0x16: [0, 1, 0xFF], 0x17: [1],
        0x18: [0, 0, 0, 9], 0x19: [1], 0x1A: [0, 1, 0x61], 0x1C: [0, 1, 0x61], 0x1F: [0, 1, 0x61], 0x21: [0, 9],
        0x22: [0, 9], 0x23: [0, 1], 0x24: [1], 0x25: [1], 0x26: [0, 1, 0x61, 0, 1, 0x61], 0x27: [0, 0, 1, 0],
        0x28: [1], 0x29: [1], 0x2A: [1],
    ]

    private static func properties(_ identifier: UInt8, times: Int) -> [UInt8] {
        let one = [identifier] + (values[identifier] ?? [])
        let all = Array(repeatElement(one, count: times).joined())
        return [UInt8(all.count)] + all
    }

    @Test(arguments: places)
    func `trap 18: a property that is not allowed, or comes twice, is a protocol error`(place: Place) throws {
        // Topic aliases have tests of their own.
        for identifier in Self.values.keys where identifier != 0x23 {
            for times in 1...2 {
                let isLegal = place.allowed.contains(identifier) && (times == 1 || identifier == 0x26)
                let client = try broker.client("c")
                client.send(place.packet(Self.properties(identifier, times: times)))
                let code = client.seen().disconnectCode
                #expect(code == (isLegal ? nil : .protocolError), "\(identifier) \(times) times")
            }
        }
    }

    @Test(arguments: [connect, willOfConnect])
    func `trap 18: in CONNECT such a property refuses the client`(place: Place) throws {
        // An authentication method is legal and refused all the same, as none is known by that name.
        for identifier in Self.values.keys where identifier != 0x15 {
            for times in 1...2 {
                let isLegal = place.allowed.contains(identifier) && (times == 1 || identifier == 0x26)
                let client = try #require(broker.open())
                client.send(place.packet(Self.properties(identifier, times: times)))
                let seen = client.seen()
                #expect((seen.connack?.reasonCode == .success) == isLegal, "\(identifier) \(times) times")
                #expect(client.isClosed == !isLegal)
                #expect(seen.disconnectCode == nil)
            }
        }
    }

    // Receive Maximum, Maximum Packet Size 0; request bytes and payload format of 2; an unknown identifier.
    @Test(arguments: [[0x21, 0, 0], [0x27, 0, 0, 0, 0], [0x17, 2], [0x19, 2], [0x7F, 0]] as [[UInt8]])
    func `trap 18: a value that the standard excludes refuses the client`(property: [UInt8]) throws {
        let client = try #require(broker.open())
        client.send(Self.connect.packet([UInt8(property.count)] + property))
        #expect(client.seen().connack?.reasonCode.isError != false)
        #expect(client.isClosed)
    }

    @Test(arguments: [[0x01, 2], [0x23, 0, 0], [0x7F, 0], [0x80, 0x01, 0]] as [[UInt8]])
    func `trap 18: a value or identifier that the standard excludes ends the connection`(property: [UInt8]) throws {
        let client = try broker.client("c")
        client.send([0x30, UInt8(4 + property.count), 0, 1, 0x74, UInt8(property.count)] + property)
        #expect(client.seen().disconnectCode?.isError == true)
        #expect(client.isClosed)
    }
}
