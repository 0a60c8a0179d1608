import Testing

@testable import LinuxIO

@Suite struct TimerHeapTests {
    private let start = ContinuousClock.now

    private func waiter(_ milliseconds: Int) -> LoopWaiter {
        LoopWaiter(nil, until: start + .milliseconds(milliseconds))
    }

    @Test func `waiters come out by their deadlines`() {
        var heap = TimerHeap()
        let deadlines = (0..<200).map { $0 * 7919 % 211 }
        for deadline in deadlines { heap.insert(waiter(deadline)) }
        var order: [ContinuousClock.Instant] = []
        while let next = heap.popDue(start + .seconds(1)) { order.append(next.deadline ?? start) }
        #expect(order == deadlines.sorted().map { start + .milliseconds($0) })
    }

    @Test func `nobody comes out before the time`() {
        var heap = TimerHeap()
        heap.insert(waiter(10))
        #expect(heap.popDue(start + .milliseconds(9)) == nil)
        #expect(heap.popDue(start + .milliseconds(10)) != nil)
        #expect(heap.isEmpty)
    }

    @Test func `waiters that ended otherwise don't pile up`() {
        var heap = TimerHeap()
        heap.insert(waiter(1))
        for _ in 0..<10_000 {
            let short = waiter(5000)
            heap.insert(short)
            short.end(.ready)
            heap.noteEnded(short)
        }
        #expect(heap.waiters.count < 200)
        #expect(!heap.isEmpty)
        #expect(heap.popDue(start + .milliseconds(1)) != nil)
        #expect(heap.popDue(start + .seconds(10)) == nil)
        #expect(heap.isEmpty)
    }
}
