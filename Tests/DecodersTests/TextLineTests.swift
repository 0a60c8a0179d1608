import Decoders
import Testing

@Suite struct TextLineTests {
    private func records(_ events: [StreamEvent]) -> [FieldRecord] {
        events.compactMap { if case .record(let record) = $0 { record } else { nil } }
    }

    private func skipped(_ events: [StreamEvent]) -> [SkippedBytes] {
        events.compactMap { if case .skipped(let skipped) = $0 { skipped } else { nil } }
    }

    private func records(_ text: String, _ format: TextLineFormat) -> [FieldRecord] {
        records(StreamSample("", .lines(format), Array(text.utf8), isProven: false).decode())
    }

    @Test func `named groups are fields`() {
        let found = records(StreamSample.lines[0].decode())
        #expect(found.count == 2)
        #expect(found.last?["temp"] == "-3.25")
        #expect(found.last?["pump"] == "1")
    }

    @Test func `columns have numbers and names, and a line with other columns is refused`() {
        let events = StreamSample.lines[1].decode()
        let found = records(events)
        #expect(found.map { $0["b"] } == ["2", "5"])
        #expect(found.last?["3"] == "6;7")
    }

    @Test func `pairs are fields by their names`() {
        let found = records(StreamSample.lines[2].decode())
        #expect(found.first?["p"] == "1013")
        #expect(found.last?.fields == [FieldRecord.Field("t", ""), FieldRecord.Field("x", "1")])
    }

    @Test func `JSON fields have paths`() {
        let found = records(StreamSample.lines[3].decode())
        #expect(found.first?["wind.gusts[1]"] == "5.5")
        #expect(found.first?["on"] == "true")
        #expect(found.first?["none"] == nil)
    }

    @Test(arguments: [
        #"{"a":1"#, #"{"a":1}x"#, #"{"a":01x}"#, #"{"a":"\x"}"#, #"{"a":1,"a":2}"#, "{a:1}", #"{"a":"\uD800"}"#,
        #"{"a":nan}"#,
        "[[[[[[[[[[1]]]]]]]]]]", "",
    ])
    func `what is not JSON gives nothing`(text: String) {
        #expect(records(text + "\n", TextLineFormat(.json)).isEmpty)
    }

    @Test func `a line whose beginning may be missing is not believed`() throws {
        let pattern = try LinePattern(#"(?<t>\d+\.\d+) C"#)
        let now = ContinuousClock.now
        let text = Array("1.5 C\n21.5 C\n".utf8)
        var listening = StreamDecoder(.lines(TextLineFormat(.patterns([pattern]))), openedAt: now)
        #expect(records(listening.received(text.span, at: now + .milliseconds(5))).map { $0["t"] } == ["21.5"])
        // After a silence it is a beginning.
        var later = StreamDecoder(.lines(TextLineFormat(.patterns([pattern]))), openedAt: now)
        #expect(records(later.received(text.span, at: now + .seconds(3))).map { $0["t"] } == ["1.5", "21.5"])
    }

    @Test func `a line that is too long gives nothing, nor does its tail`() {
        var format = TextLineFormat(.pairs(between: [0x20], equals: Array("=".utf8)))
        format.maximum = 16
        let text = String(repeating: "x", count: 40) + " t=1\nt=2\n"
        #expect(records(text, format).map { $0["t"] } == ["2"])
    }

    @Test func `a start byte begins a line wherever it comes`() {
        let good = "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n"
        let sample = StreamSample.lines[4]
        let events = sample.decode(Array(("\u{1}x" + good.prefix(20) + good).utf8))
        #expect(records(events).count == 1)
        #expect(skipped(events).map(\.count) == [22])
    }

    @Test func `comments, empty lines and decimal commas`() {
        var format = TextLineFormat(.columns(separator: Array(";".utf8), names: []))
        format.comment = Array("#".utf8)
        format.hasDecimalComma = true
        let found = records("# a;b\n\r\n23,5;x,y\n", format)
        #expect(found.map { [$0["1"], $0["2"]] } == [["23.5", "x,y"]])
    }

    @Test(arguments: [
        ("23.5", 23.5), ("+ 1.250", 1.25), ("-  3", -3), ("1e3", 1_000), ("-0.5E-1", -0.05), ("007", 7),
    ])
    func `numbers as devices write them`(text: String, expected: Double) {
        #expect(FieldNumber.parse(text)?.value == expected)
    }

    @Test(arguments: ["", "-", "---", "nan", "inf", "1.2.3", ".5", "5.", "0x10", "1e", "1 2", "1e9999", "٣"])
    func `what is no number is none`(text: String) {
        #expect(FieldNumber.parse(text)?.value == nil)
    }
}
