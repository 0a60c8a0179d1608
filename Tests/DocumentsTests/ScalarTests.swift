import Documents
import Testing

@Suite struct ScalarTests {
    @Test(arguments: [
        ("0", 0), ("-12", -12), ("0x10", 16), ("0XfF", 255), ("0660", 660), ("9223372036854775807", Int.max),
    ])
    func `whole numbers`(text: String, value: Int) {
        #expect(Scalar.integer(text) == value)
    }

    @Test(arguments: [
        "", "-", "8E1", "1e3", "1_000", "12:30", "0x", "0x-1", "+1", "3.0", "9223372036854775808", "٣", "-0x-1",
    ])
    func `no whole numbers`(text: String) {
        #expect(Scalar.integer(text) == nil)
    }

    @Test(arguments: [("3.10", 3.1), ("-0.5", -0.5), ("1e3", 1000), ("0x10", 16), ("7", 7)])
    func numbers(text: String, value: Double) {
        #expect(Scalar.number(text) == value)
    }

    @Test(arguments: ["", "nan", "inf", "1e999", "12:30", "1,5", "0x1p3", "5 m"])
    func `no numbers`(text: String) {
        #expect(Scalar.number(text) == nil)
    }

    @Test(arguments: [("on", true), ("TRUE", true), ("yes", true), ("Off", false), ("no", false), ("false", false)])
    func `true and false`(text: String, value: Bool) {
        #expect(Scalar.bool(text) == value)
    }

    @Test(arguments: ["1", "0", "y", "n", "", "enabled"])
    func `neither true nor false`(text: String) {
        #expect(Scalar.bool(text) == nil)
    }

    @Test(arguments: [
        ("300ms", Duration.milliseconds(300)), ("0s", .zero), ("5m", .seconds(300)), ("2 min", .seconds(120)),
        ("1.5h", .seconds(5400)), ("14d", .seconds(1_209_600)),
    ])
    func times(text: String, value: Duration) {
        #expect(Scalar.duration(text) == value)
    }

    @Test(arguments: ["5", "-5s", "s", "12:30", "5 s s", "1w", "1e3s", "99999999999999d", "..s", "5M"])
    func `no times`(text: String) {
        #expect(Scalar.duration(text) == nil)
    }

    @Test(arguments: [("64B", 64), ("1KB", 1000), ("1.5MB", 1_500_000), ("2 GB", 2_000_000_000), ("4kb", 4000)])
    func sizes(text: String, value: Int) {
        #expect(Scalar.size(text) == value)
    }

    @Test(arguments: ["64", "-1MB", "1TB", "1MiB", "MB", "999999999999GB"])
    func `no sizes`(text: String) {
        #expect(Scalar.size(text) == nil)
    }
}
