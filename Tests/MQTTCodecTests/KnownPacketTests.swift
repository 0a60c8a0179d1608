import Bytes
import Testing

@testable import MQTTCodec

@Suite struct KnownPacketTests {
    @Test(arguments: KnownPacket.all)
    func `a packet is read as what it means`(known: KnownPacket) throws {
        #expect(try Packet(known.bytes(), known.version) == known.packet)
    }

    @Test(arguments: KnownPacket.all)
    func `a packet is written as the standard lays it out`(known: KnownPacket) throws {
        #expect(Hex.text(known.packet.bytes(known.version)) == Hex.text(try known.bytes()))
    }

    // TCP cuts where it likes, so every cut is tried.
    @Test(arguments: KnownPacket.all)
    func `a packet cut anywhere asks for more`(known: KnownPacket) throws {
        let whole = try known.bytes()
        for end in whole.indices {
            #expect(try Packet(Array(whole[..<end]), known.version) == nil, "cut at \(end)")
        }
    }

    @Test(arguments: KnownPacket.all)
    func `what follows a packet is left alone`(known: KnownPacket) throws {
        #expect(try Packet(known.bytes() + [0xFF, 0x00, 0x30], known.version) == known.packet)
    }

    @Test(arguments: KnownPacket.all)
    func `a body that ends early or late is an error or another packet, never a crash`(known: KnownPacket) throws {
        let whole = try known.bytes()
        for length in 0...UInt8(127) {
            var bytes = whole
            bytes[1] = length
            bytes += Array(repeating: 0x61, count: 128)
            _ = try? Packet(bytes, known.version)
        }
    }

    @Test(arguments: KnownPacket.all, ProtocolVersion.allCases)
    func `no change to a packet makes the reader crash`(known: KnownPacket, version: ProtocolVersion) throws {
        let whole = try known.bytes()
        var random = Xorshift(state: 0x9E37_79B9_7F4A_7C15 ^ UInt64(whole.count))
        for _ in 0..<2_000 {
            var bytes = whole
            for _ in 0...Int.random(in: 0...3, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if let packet = try? Packet(bytes, version) { expectRewritable(packet, version) }
        }
    }

    /// What was understood can be said again, and means the same then.
    private func expectRewritable(_ packet: Packet, _ version: ProtocolVersion) {
        var version = version
        if case .connect(let connect) = packet { version = connect.version }
        // 3.1.1 has fewer words than were read into it: codes are mapped to the nearest.
        switch packet {
        case .connack, .suback: return
        default: #expect(throws: Never.self) { try #expect(Packet(packet.bytes(version), version) == packet) }
        }
    }
}
