import Testing

@testable import Bytes

struct ByteHashTests {
    @Test func `a word holds the bytes up to its end, wherever it stands`() {
        let bytes: [UInt8] = Array(1...20)
        #expect(bytes.span.word(at: 0, before: 20) == 0x0807_0605_0403_0201)
        #expect(bytes.span.word(at: 0, before: 3) == 0x03_0201)
        #expect(bytes.span.word(at: 17, before: 20) == 0x14_1312)
        #expect(bytes.span.word(at: 5, before: 5) == 0)
        #expect(bytes.span.word(at: 20, before: 20) == 0)
    }

    @Test func `equal bytes have equal hashes, wherever they stand`() {
        let text = Array("load/boiler-room/load/boiler-room".utf8)
        let front = text.span.hash(of: 0..<16, seed: 7)
        let back = text.span.hash(of: 17..<33, seed: 7)
        #expect(front == back)
        let short = text.span.hash(of: 0..<15, seed: 7)
        let seeded = text.span.hash(of: 0..<16, seed: 8)
        #expect(front != short)
        #expect(front != seeded)
    }

    @Test func `names that differ in one bit or in their length spread over a table`() {
        var seen: Set<UInt64> = []
        for length in 0..<40 {
            for bit in 0..<max(1, length * 8) {
                var bytes = [UInt8](repeating: 0, count: length)
                if length > 0 { bytes[bit / 8] ^= 1 << UInt8(bit % 8) }
                seen.insert(bytes.span.hash(of: 0..<length, seed: 1) & 0xF_FFFF)
            }
        }
        // 6,241 names in a million places: few fall together.
        #expect(seen.count > 6_150)
    }
}
