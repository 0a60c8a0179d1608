import Decoders
import Testing

@Suite struct RequestTurnsTests {
    private let start = ContinuousClock.now
    private let slow = StreamRequest(name: "slow", bytes: [1], every: .seconds(10), wait: .seconds(1))
    private let quick = StreamRequest(name: "quick", bytes: [2], every: .seconds(2), wait: .seconds(1))
    private let once = StreamRequest(name: "once", bytes: [3], every: nil, wait: .milliseconds(100))

    @Test func `one request waits for the answer to the other`() {
        var turns = RequestTurns([slow, quick], from: start)
        #expect(turns.next(at: start) == .send(0))
        #expect(turns.next(at: start) == .wait(until: start + .seconds(1)))
        turns.answered()
        #expect(turns.next(at: start) == .send(1))
        turns.answered()
        #expect(turns.next(at: start) == .wait(until: start + .seconds(2)))
        #expect(turns.next(at: start + .seconds(2)) == .send(1))
    }

    @Test func `no answer is counted, and the next has its turn`() {
        var turns = RequestTurns([quick], from: start)
        #expect(turns.next(at: start) == .send(0))
        #expect(turns.next(at: start + .seconds(1)) == .wait(until: start + .seconds(2)))
        #expect(turns.missed == 1)
        #expect(turns.next(at: start + .seconds(2)) == .send(0))
        turns.answered()
        #expect(turns.missed == 0)
    }

    @Test func `what is sent once is sent once, and need not be answered`() {
        var turns = RequestTurns([once], from: start)
        #expect(turns.next(at: start) == .send(0))
        #expect(turns.next(at: start + .seconds(1)) == .nothing)
        #expect(turns.missed == 0)
    }

    @Test func `a long stop is not caught up with`() {
        var turns = RequestTurns([quick], from: start)
        _ = turns.next(at: start)
        turns.answered()
        #expect(turns.next(at: start + .seconds(100)) == .send(0))
        turns.answered()
        #expect(turns.next(at: start + .seconds(100)) == .wait(until: start + .seconds(102)))
    }
}
