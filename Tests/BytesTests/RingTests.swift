import Bytes
import Testing

@Suite struct RingTests {
    @Test func `what goes in first comes out first`() {
        var ring = Ring<Int>()
        #expect(ring.isEmpty && ring.first == nil && ring.popFirst() == nil)
        for number in 0..<20 { ring.append(number) }
        #expect(ring.first == 0 && ring.count == 20 && ring[7] == 7)
        ring[7] = 70
        #expect((0..<20).map { _ in ring.popFirst() } == (0..<20).map { $0 == 7 ? 70 : $0 })
        #expect(ring.isEmpty)
    }

    @Test func `it grows while it wraps around`() {
        var ring = Ring<Int>()
        var next = 0
        var expected = 0
        for round in 0..<200 {
            for _ in 0..<(round % 7 + 3) {
                ring.append(next)
                next += 1
            }
            for _ in 0..<(round % 5 + 2) {
                #expect(ring.popFirst() == expected)
                expected += 1
            }
            #expect(ring.count == next - expected)
            if !ring.isEmpty { #expect(ring.first == expected && ring[ring.count - 1] == next - 1) }
        }
    }

    @Test func `an emptied large ring gives its memory back and works on`() {
        var ring = Ring<Int>()
        for number in 0..<5_000 { ring.append(number) }
        while ring.popFirst() != nil {}
        ring.append(1)
        #expect(ring.popFirst() == 1 && ring.isEmpty)
    }

    @Test func `what is taken out is let go`() {
        final class Token {}
        var ring = Ring<Token>()
        var token: Token? = Token()
        weak let watched = token
        if let token { ring.append(token) }
        token = nil
        #expect(watched != nil)
        _ = ring.popFirst()
        #expect(watched == nil)
    }
}
