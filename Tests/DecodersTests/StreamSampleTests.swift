import Decoders
import Foundation
import Testing

/// What every stream decoder must stand, whatever it reads.
@Suite struct StreamSampleTests {
    @Test(arguments: StreamSample.all)
    func `every message of a sample is found`(sample: StreamSample) {
        #expect(!sample.bytes.isEmpty)
        #expect(sample.decode().contains { $0.isMessage })
    }

    @Test(arguments: StreamSample.all, [1, 2, 3, 7, 64])
    func `how a stream is cut does not matter`(sample: StreamSample, portion: Int) {
        let bytes = Array(sample.bytes.prefix(20_000))
        #expect(sample.decode(bytes, portion: portion) == sample.decode(bytes))
    }

    @Test(arguments: StreamSample.all.filter(\.isProven))
    func `no damage of one byte gives a value that was not sent`(sample: StreamSample) {
        let bytes = Array(sample.bytes.prefix(2_000))
        let sent = sample.decode(bytes).filter(\.isMessage)
        var random = Xorshift(seed: 5)
        for _ in 0..<300 {
            var damaged = bytes
            let place = Int.random(in: damaged.indices, using: &random)
            damaged[place] ^= UInt8.random(in: 1...255, using: &random)
            for message in sample.decode(damaged) where message.isMessage { #expect(sent.contains(message)) }
        }
    }

    // A million of them: MARTLET_MUTATIONS=1000000 swift test -c release --filter StreamSampleTests
    @Test(arguments: StreamSample.all)
    func `no damage stops a decoder`(sample: StreamSample) {
        let wanted = ProcessInfo.processInfo.environment["MARTLET_MUTATIONS"].flatMap { Int($0) } ?? 10_000
        var random = Xorshift(seed: 6)
        let source = Array(sample.bytes.prefix(1_000))
        var seen = 0
        for _ in 0..<max(1, wanted / StreamSample.all.count) {
            var bytes = source
            for _ in 0...Int.random(in: 0...5, using: &random) { Self.mutate(&bytes, &random) }
            seen += sample.decode(bytes, portion: Int.random(in: 1...200, using: &random)).count
        }
        #expect(seen > 0)
        // And after all that it still reads what is good.
        #expect(sample.decode(source) == sample.decode(source, portion: 1))
    }

    private static func mutate(_ bytes: inout [UInt8], _ random: inout Xorshift) {
        guard !bytes.isEmpty else { return }
        let place = Int.random(in: bytes.indices, using: &random)
        switch Int.random(in: 0...4, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
        case 2: bytes.remove(at: place)
        case 3: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
        default:
            let end = min(bytes.count, place + Int.random(in: 1...64, using: &random))
            bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: bytes.indices, using: &random))
        }
    }
}
