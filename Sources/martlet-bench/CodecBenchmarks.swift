import Bytes
import MQTTCodec

/// Packets to and from bytes, a row of different ones at a time, so that no answer can be used twice.
enum CodecBenchmarks {
    private static let packets = 64

    static let all = decoding + encoding

    // MARK: bytes to packets

    private static let decoding =
        QoS.allCases.map { qos in
            benchmark("decode PUBLISH QoS \(qos.rawValue)", row { SamplePacket.publish(qos, $0) }) {
                bytes, header throws(DecodeError) in
                let publish = try PublishHeader(bytes, header, version: .v311)
                return Int(publish.packetID) + publish.payload.count + publish.topic.count
            }
        } + [
            benchmark("decode PUBLISH QoS 1, MQTT 5, 3 properties", row(SamplePacket.publishWithProperties)) {
                bytes, header throws(DecodeError) in
                let publish = try PublishHeader(bytes, header, version: .v5)
                return Int(publish.packetID) + publish.payload.count + publish.topic.count
            },
            benchmark("decode PUBACK", row(SamplePacket.puback)) { bytes, header throws(DecodeError) in
                Int(try Acknowledgement(bytes, header, version: .v311).packetID)
            },
            benchmark("decode CONNECT, MQTT 3.1.1", row { SamplePacket.connect(.v311, $0) }) {
                bytes, header throws(DecodeError) in
                Int(try Connect(bytes, header).keepAlive)
            },
            benchmark("decode CONNECT, MQTT 5, will, 5 properties", row { SamplePacket.connect(.v5, $0) }) {
                bytes, header throws(DecodeError) in
                Int(try Connect(bytes, header).keepAlive)
            },
        ]

    /// Bytes of all packets, one behind the other, and the sum of what decoding them is to find.
    private struct Row: Sendable {
        var bytes: [UInt8] = []
        var sum = 0
    }

    private static func row(_ packet: (_ number: Int) -> (bytes: [UInt8], sum: Int)) -> Row {
        (0..<packets).reduce(into: Row()) { row, number in
            let (bytes, sum) = packet(number)
            row.bytes += bytes
            row.sum += sum
        }
    }

    private static func benchmark(
        _ name: String, _ row: Row,
        _ decode: @escaping @Sendable (Span<UInt8>, FixedHeader) throws(DecodeError) -> Int
    ) -> Benchmark {
        Benchmark(name: "codec/\(name)", unit: .nanoseconds(per: "packet")) { effort throws(Discrepancy) in
            let times = effort.count(5_000)
            var sum = 0
            let time: Double
            do throws(DecodeError) {
                time = try Stopwatch.measure { () throws(DecodeError) in
                    for _ in 0..<times { sum += try decodeAll(row.bytes, decode) }
                }
            } catch {
                throw Discrepancy("\(error)")
            }
            try Discrepancy.check(sum, is: row.sum * times, "in sum of what was decoded")
            return Sample(total: time, pieces: times * packets, traffic: times * row.bytes.count)
        }
    }

    private static func decodeAll(
        _ bytes: [UInt8], _ decode: (Span<UInt8>, FixedHeader) throws(DecodeError) -> Int
    ) throws(DecodeError) -> Int {
        var sum = 0
        var start = 0
        while let header = try FixedHeader.parse(bytes.span, at: start) {
            sum += try decode(bytes.span.extracting(start..<(start + header.length)), header)
            start += header.length
        }
        return sum
    }

    // MARK: packets to bytes

    private static let encoding = [
        benchmark("encode PUBLISH QoS 0", (0..<packets).map { SamplePacket.message(.atMostOnce, $0) }) {
            $0.encode(into: &$1, version: .v311)
        },
        benchmark("encode PUBACK", (0..<packets).map(SamplePacket.acknowledgement)) {
            $0.encode(.puback, into: &$1, version: .v311)
        },
        benchmark("encode CONNACK, MQTT 5, 4 properties", (0..<packets).map(SamplePacket.welcome)) {
            $0.encode(into: &$1, version: .v5)
        },
    ]

    private static func benchmark<Packet: Sendable>(
        _ name: String, _ values: [Packet], _ encode: @escaping @Sendable (Packet, inout [UInt8]) -> Void
    ) -> Benchmark {
        Benchmark(name: "codec/\(name)", unit: .nanoseconds(per: "packet")) { effort throws(Discrepancy) in
            let times = effort.count(5_000)
            var output: [UInt8] = []
            var written = 0
            let time = Stopwatch.measure {
                for _ in 0..<times {
                    output.removeAll(keepingCapacity: true)
                    for value in values { encode(value, &output) }
                    written += output.count
                }
            }
            try Discrepancy.check(SamplePacket.count(in: output), is: packets, "packets encoded")
            try Discrepancy.check(written, is: times * output.count, "bytes encoded")
            return Sample(total: time, pieces: times * packets, traffic: written)
        }
    }
}
