import Bytes
import Testing

@Suite struct CRC32CTests {
    // The catalogue of parametrised CRC algorithms, and RFC 3720, section B.4.
    @Test(
        arguments: [
            (Array("123456789".utf8), 0xE306_9283),
            ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
            ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
            (Array(0..<32), 0x46DD_794E),
            (Array((0..<32).reversed()), 0x113F_DB5C),
            ([], 0),
        ] as [([UInt8], UInt32)])
    func `known bytes have their sum`(bytes: [UInt8], sum: UInt32) {
        #expect(CRC32C.of(bytes.span) == sum)
    }

    @Test func `where bytes are parted changes nothing`() {
        let bytes = (0..<100).map { UInt8(truncatingIfNeeded: $0 &* 37 ^ $0 >> 2) }
        let whole = CRC32C.of(bytes.span)
        for cut in 0...bytes.count {
            let (front, back) = (Array(bytes[..<cut]), Array(bytes[cut...]))
            var sum = CRC32C()
            sum.add(front.span)
            sum.add(back.span)
            #expect(sum.value == whole)
        }
    }

    @Test func `a number is its eight bytes`() {
        let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
        var sum = CRC32C()
        sum.add(0x0807_0605_0403_0201)
        #expect(sum.value == CRC32C.of(bytes.span))
    }

    @Test func `each single bit matters`() {
        let bytes = [UInt8](repeating: 0x5A, count: 40)
        var seen: Set<UInt32> = [CRC32C.of(bytes.span)]
        for bit in 0..<320 {
            var changed = bytes
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(seen.insert(CRC32C.of(changed.span)).inserted)
        }
    }
}
