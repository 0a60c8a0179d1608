import Testing

@testable import Readings

@Suite struct TimestampTests {
    @Test func `the later time is the greater, before 1970 too`() {
        let times: [Int64] = [1_780_000_000_123, -1, 0, .min, .max, 1]
        let sorted = times.map(Timestamp.init(milliseconds:)).sorted()
        #expect(sorted.map(\.milliseconds) == [.min, -1, 0, 1, 1_780_000_000_123, .max])
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (1_772_346_600_123, "2026-03-01T06:30:00.123Z"), (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
        (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
    ])
    func `a time is written with its date in UTC`(milliseconds: Int64, text: String) {
        #expect(Timestamp(milliseconds: milliseconds).textInUTC == text)
    }
}
