import Bytes
package import KnownPackets
package import MQTTCodec

/// What clients and servers say, put together from the table of packets and then damaged.
package enum Conversation {
    private static let known: [[KnownPacket]] = ProtocolVersion.allCases.map { version in
        KnownPacket.all.filter { $0.version == version }
    }

    private static func packets(_ version: ProtocolVersion) -> [KnownPacket] { known[Int(version.rawValue) - 3] }

    private static let refused = RefusedPacket.all.map(\.bytes)
    private static let clients = ProtocolVersion.allCases.map { version in
        packets(version).filter { $0.sender != .server && $0.packet.type != .connect }.map(\.bytes)
    }
    private static let connects = ProtocolVersion.allCases.map { version in
        packets(version).filter { $0.packet.type == .connect }.map(\.bytes)
    }
    private static let servers = ProtocolVersion.allCases.map { version in
        packets(version).filter { $0.sender != .client && $0.packet.type != .connack }.map(\.bytes)
    }

    package static func anyVersion(_ random: inout Mutator) -> ProtocolVersion {
        ProtocolVersion.allCases[random.below(3)]
    }

    /// One packet, right or wrong, mostly damaged.
    package static func packet(_ version: ProtocolVersion, _ random: inout Mutator) -> [UInt8] {
        let packets = packets(version)
        var bytes =
            random.below(4) == 0 ? refused[random.below(refused.count)] : packets[random.below(packets.count)].bytes
        random.mutate(&bytes, times: random.below(5))
        return bytes
    }

    /// CONNECT and a few packets of a client.
    package static func client(_ version: ProtocolVersion, _ random: inout Mutator) -> [UInt8] {
        let place = Int(version.rawValue) - 3
        var bytes = connects[place][random.below(connects[place].count)]
        // Damage in the CONNECT mostly ends the talk: it is rare.
        if random.below(12) == 0 { random.mutate(&bytes, times: 1) }
        return bytes + packets(clients[place], &random)
    }

    /// More packets of a client that is connected.
    package static func more(_ version: ProtocolVersion, _ random: inout Mutator) -> [UInt8] {
        packets(clients[Int(version.rawValue) - 3], &random)
    }

    /// A few packets of a server, behind its CONNACK.
    package static func server(_ version: ProtocolVersion, _ random: inout Mutator) -> [UInt8] {
        packets(servers[Int(version.rawValue) - 3], &random)
    }

    private static func packets(_ choice: [[UInt8]], _ random: inout Mutator) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<(1 + random.below(6)) {
            let one = random.below(40) == 0 ? refused[random.below(refused.count)] : choice[random.below(choice.count)]
            bytes += one
        }
        if random.below(3) > 0 { random.mutate(&bytes, times: 1 + random.below(3)) }
        return bytes
    }
}
