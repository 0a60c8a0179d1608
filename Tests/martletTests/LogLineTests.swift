import Logging
import Readings
import Testing

@testable import LinuxIO
@testable import martlet

@Suite struct LogLineTests {
    private let line = LogLine(level: .warning, subsystem: "devices", text: "p1 is silent")
    private let time = Timestamp(milliseconds: 1_780_000_000_123)

    @Test func `the journal gets the level as a number and no time`() {
        #expect(line.text(.journal, at: time) == "<4>warning devices: p1 is silent")
    }

    @Test func `the journal gets fields to ask for`() {
        let fields = Dictionary(uniqueKeysWithValues: line.fields.map { ($0.name, $0.value) })
        #expect(fields["MESSAGE"] == "warning devices: p1 is silent")
        #expect(fields["PRIORITY"] == "4")
        #expect(fields["MARTLET_SUBSYSTEM"] == "devices")
    }

    @Test func `a file gets the time and no colour`() {
        let text = line.text(.plain, at: time)
        #expect(text.hasSuffix(" warning devices: p1 is silent"))
        #expect(text.contains(".123"))
        #expect(!text.contains("\u{1B}"))
    }

    @Test func `only a terminal gets colour`() {
        #expect(line.text(.terminal, at: time).contains("\u{1B}[33mwarning\u{1B}[0m devices"))
    }

    @Test func `a client's name can't forge a line or a colour`() {
        let forged = LogLine(level: .info, subsystem: "broker", text: "'a\nerror broker: b\u{1B}[31m\u{9B}' connected")
        #expect(forged.text == "'a error broker: b [31m ' connected")
    }

    @Test func `times are written with their distance from UTC`() {
        let winter = CalendarTime(
            year: 2026, month: 3, day: 1, hour: 7, minute: 5, second: 9, millisecond: 42, isSummerTime: false,
            offsetFromUTC: .seconds(3600))
        #expect(ISOTime.text(winter) == "2026-03-01T07:05:09.042+01:00")
        var newfoundland = winter
        newfoundland.offsetFromUTC = .seconds(-12_600)
        #expect(ISOTime.text(newfoundland).hasSuffix("-03:30"))
        var greenwich = winter
        greenwich.offsetFromUTC = .zero
        #expect(ISOTime.text(greenwich).hasSuffix(".042Z"))
    }
}
