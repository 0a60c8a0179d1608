import KnownPackets
import MQTTCodec

/// Inputs of a fuzzer that watches which branches they reach.
package enum CoverageInput {
    /// Lets the reader that the first byte chooses have the rest.
    package static func take(_ input: [UInt8]) throws(Finding) {
        guard let first = input.first else { return }
        let bytes = Array(input.dropFirst())
        let version = ProtocolVersion.allCases[Int(first >> 4) % 3]
        switch first & 15 {
        case 0..<2: try CodecCheck.checkCuts(bytes, version)
        case 2..<5: try CodecCheck.check(bytes, version)
        case 5..<7: try DripCheck.check(bytes, seed: 1)
        case 7..<9: try ClientCheck.check(bytes, version, portion: bytes.count, answersFirst: first & 1 == 0)
        case 9: try FramingCheck.check(bytes, portion: 3)
        case 10:
            let sample = DeviceCheck.samples[Int(first >> 4) % DeviceCheck.samples.count]
            try DeviceCheck.check(sample, bytes, portion: 3)
        case 11: try AccessCheck.check(bytes)
        default:
            var world = try BrokerWorld(seed: 1, withUsers: first & 15 == 15)
            try world.visit(bytes, version, in: 1)
            try world.probe()
            try world.end()
        }
    }

    /// Where such a fuzzer may begin, with a name for each: the table of packets, behind a CONNECT too.
    package static var corpus: [(name: String, bytes: [UInt8])] {
        var corpus: [(name: String, bytes: [UInt8])] = []
        for (number, known) in KnownPacket.all.enumerated() {
            let version = (known.version.rawValue - 3) << 4
            corpus.append(("packet-\(number)", [version | 2] + known.bytes))
            guard let connect = KnownPacket.all.first(where: { $0.version == known.version }) else { continue }
            corpus.append(("talk-\(number)", [version | 12] + connect.bytes + known.bytes))
        }
        for (number, bytes) in FramingCheck.seeds.enumerated() { corpus.append(("frame-\(number)", [9] + bytes)) }
        for (number, sample) in DeviceCheck.samples.enumerated() {
            corpus.append(("device-\(number)", [UInt8(number) << 4 | 10] + sample.bytes))
        }
        for (number, bytes) in AccessCheck.seeds.enumerated() { corpus.append(("proof-\(number)", [11] + bytes)) }
        return corpus
    }
}
