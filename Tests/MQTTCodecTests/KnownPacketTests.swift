import Bytes
import KnownPackets
import Testing

@testable import MQTTCodec

@Suite struct KnownPacketTests {
    @Test func `the table has every packet of every version, and every property`() {
        for version in ProtocolVersion.allCases {
            let types = Set(KnownPacket.all.filter { $0.version == version }.map(\.packet.type))
            #expect(types == Set(PacketType.allCases).subtracting(version == .v5 ? [] : [.auth]), "\(version)")
        }
        for property in Property.allCases {
            #expect(KnownPacket.all.contains { $0.packet.has(property) }, "\(property)")
        }
    }

    @Test(arguments: KnownPacket.all)
    func `a packet is read as what it means`(known: KnownPacket) throws {
        #expect(try Packet(known.bytes, known.version) == known.packet)
    }

    @Test(arguments: KnownPacket.all.filter(\.isWrittenSo))
    func `a packet is written as the standard lays it out`(known: KnownPacket) {
        #expect(Hex.text(known.packet.bytes(known.version)) == Hex.text(known.bytes))
    }

    @Test(arguments: KnownPacket.all.filter { !$0.isWrittenSo })
    func `a packet in another form is written as one that means the same`(known: KnownPacket) throws {
        let bytes = known.packet.bytes(known.version)
        #expect(try Packet(bytes, known.version) == known.packet)
        #expect(bytes.count <= known.bytes.count)
    }

    // TCP cuts where it likes, so every cut is tried.
    @Test(arguments: KnownPacket.all)
    func `a packet cut anywhere asks for more`(known: KnownPacket) throws {
        for end in known.bytes.indices {
            #expect(try Packet(Array(known.bytes[..<end]), known.version) == nil, "cut at \(end)")
        }
    }

    @Test(arguments: KnownPacket.all)
    func `what follows a packet is left alone`(known: KnownPacket) throws {
        #expect(try Packet(known.bytes + [0xFF, 0x00, 0x30], known.version) == known.packet)
    }

    @Test(arguments: KnownPacket.all)
    func `a body that ends early or late is an error or another packet, never a crash`(known: KnownPacket) throws {
        for length in 0...UInt8(127) {
            var bytes = known.bytes
            bytes[1] = length
            bytes += Array(repeating: 0x61, count: 128)
            _ = try? Packet(bytes, known.version)
        }
    }
}

extension Packet {
    /// Whether the property is in the packet or in its will; the reader leaves out those of acknowledgements.
    fileprivate func has(_ property: Property) -> Bool {
        switch self {
        case .connect(let packet):
            packet.properties.has(property) || packet.will?.properties.has(property) == true
        case .connack(let packet): packet.properties.has(property)
        case .publish(let packet): packet.properties.has(property)
        case .subscribe(let packet): packet.properties.has(property)
        case .disconnect(let packet): packet.properties.has(property)
        case .auth(let packet): packet.properties.has(property)
        case .acknowledgement, .unsubscribe, .suback, .ping: false
        }
    }
}

extension Properties {
    fileprivate func has(_ property: Property) -> Bool {
        switch property {
        case .userProperty: !userProperties.isEmpty
        case .subscriptionIdentifier: !subscriptionIdentifiers.isEmpty
        default: self[number: property] != nil || self[bytes: property] != nil
        }
    }
}
