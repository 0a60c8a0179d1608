import Testing

@testable import Bytes

struct SameBytesTests {
    private func same(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.span.hasSameBytes(as: right.span)
    }

    @Test(arguments: 0..<40) func `equal bytes are the same, and one different byte anywhere is seen`(count: Int) {
        let bytes = (0..<count).map { UInt8($0) }
        #expect(same(bytes, bytes))
        #expect(!same(bytes, bytes + [0]))
        #expect(!same(bytes + [0], bytes))
        for index in bytes.indices {
            var other = bytes
            other[index] ^= 0x80
            #expect(!same(bytes, other))
        }
    }
}
