import Decoders
import Testing

// Every decoder there is: a new case is tested by being one.
@Suite struct StreamDecoderTests {
    @Test(arguments: StreamDecoderKind.allCases)
    func `random bytes neither stop a decoder nor give values`(kind: StreamDecoderKind) {
        var random = Xorshift(seed: 42)
        let bytes = (0..<100_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        #expect(decode(bytes, portion: 97, with: kind).telegrams.isEmpty)
    }

    // Others tell in portions and with their next message; VE.Direct's HEX messages are nobody's fault.
    @Test(arguments: [StreamDecoderKind.dsmrP1])
    func `every byte is given back as part of something, but for line ends and NULs between`(kind: StreamDecoderKind) {
        var random = Xorshift(seed: 43)
        var bytes = (0..<20_000).map { _ in UInt8.random(in: 33...255, using: &random) & 0x7F | 0x20 }
        bytes.append(UInt8(ascii: "/"))  // what is open now is not reported yet
        let counted = decode(bytes, with: kind).skipped.map(\.count).reduce(0, +)
        #expect(counted == 20_000)
    }

    @Test(arguments: StreamDecoderKind.allCases)
    func `nothing in, nothing out`(kind: StreamDecoderKind) {
        #expect(decode([], with: kind).isEmpty)
    }
}
