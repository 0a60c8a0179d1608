import Testing

@testable import Readings

@Suite struct TimestampTests {
    @Test func `the later time is the greater, before 1970 too`() {
        let times: [Int64] = [1_780_000_000_123, -1, 0, .min, .max, 1]
        let sorted = times.map(Timestamp.init(milliseconds:)).sorted()
        #expect(sorted.map(\.milliseconds) == [.min, -1, 0, 1, 1_780_000_000_123, .max])
    }
}
