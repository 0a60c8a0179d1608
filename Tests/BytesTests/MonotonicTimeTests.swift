import Testing

@testable import Bytes

struct MonotonicTimeTests {
    private let start = MonotonicTime(nanoseconds: 1_000)

    @Test func `a duration added and taken away is the same duration`() {
        for duration in [Duration.zero, .nanoseconds(1), .milliseconds(1_500), .seconds(86_400 * 365)] {
            #expect((start + duration) - start == duration)
        }
        #expect(start + .nanoseconds(-1_000) == MonotonicTime(nanoseconds: 0))
    }

    @Test func `times are in order`() {
        #expect(start < start + .nanoseconds(1))
        #expect(start + .seconds(-1) < start)
        #expect(start < .never)
    }

    @Test func `what is too far away to count is never`() {
        #expect(start + .seconds(Int64.max) == .never)
        #expect(start + .seconds(400 * 365 * 86_400) == .never)
        #expect(MonotonicTime.never + .seconds(1) == .never)
    }
}
