import Testing

@testable import Simulation

@Suite struct PaceTests {
    private let start = ContinuousClock.now

    @Test func `a byte takes ten bits`() {
        #expect(Pace(baud: 9600).time(for: 96) == .nanoseconds(96 * 1_041_666))
        #expect(Pace(baud: 115_200).time(for: 1152) == .nanoseconds(1152 * 86_805))
    }

    @Test func `as many bytes have come as time has passed`() {
        let pace = Pace(baud: 10_000)
        #expect(pace.count(from: start, to: start - .seconds(1)) == 0)
        #expect(pace.count(from: start, to: start + .microseconds(999)) == 0)
        #expect(pace.count(from: start, to: start + .milliseconds(5)) == 5)
        #expect(pace.count(from: start, to: start + .seconds(86_400 * 365 * 100)) == 1_000_000_000)
    }

    @Test func `the end is not waited for longer than it takes`() {
        let pace = Pace(baud: 10_000)
        #expect(pace.next(from: start, sent: 0, of: 2) == start + .milliseconds(2))
        #expect(pace.next(from: start, sent: 0, of: 100) == start + .milliseconds(4))
        #expect(pace.next(from: start, sent: 98, of: 100) == start + .milliseconds(100))
    }
}
