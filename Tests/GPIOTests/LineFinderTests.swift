import Glibc
import LinuxIO
import Testing

@testable import GPIO

@Suite struct LineFinderTests {
    private let board = ChipInfo(
        path: "/dev/gpiochip4", label: "pinctrl-rp1",
        lines: [
            LineInfo(offset: 0, name: "ID_SDA"), LineInfo(offset: 1, name: "GPIO17"), LineInfo(offset: 2, name: nil),
        ])
    private let expander = ChipInfo(
        path: "/dev/gpiochip0", label: "pcf8574",
        lines: [LineInfo(offset: 0, name: "relay"), LineInfo(offset: 1, name: nil)])

    @Test func `a line is found by its name on whichever chip it is`() throws {
        let place = try LineFinder([expander, board]).find(.named("GPIO17"))
        #expect(place.chip.path == "/dev/gpiochip4")
        #expect(place.line.offset == 1)
    }

    @Test func `a line without a name is found by its chip's label and its place`() throws {
        let place = try LineFinder([expander, board]).find(LineAddress("pcf8574:1"))
        #expect(place.chip.path == "/dev/gpiochip0")
        #expect(place.line.offset == 1)
    }

    @Test func `a name that is nowhere is told with those that are like it`() {
        let error = #expect(throws: GPIOError.self) { try LineFinder([expander, board]).find(.named("gpio17")) }
        #expect(error?.description == "there is no GPIO line gpio17; there are GPIO17")
        #expect(error?.isMissing == true)
    }

    @Test func `a name that two chips have is not guessed at`() {
        var twin = expander
        twin.label = "pcf8575"
        twin.path = "/dev/gpiochip9"
        let error = #expect(throws: GPIOError.self) { try LineFinder([expander, twin]).find(.named("relay")) }
        #expect(
            error?.description == "several GPIO lines are called relay; choose one by its chip: pcf8574:0, pcf8575:0")
        #expect(error?.isMissing == false)
    }

    @Test func `a label that two chips have is not guessed at`() {
        var twin = expander
        twin.path = "/dev/gpiochip9"
        let error = #expect(throws: GPIOError.self) { try LineFinder([expander, twin]).find(LineAddress("pcf8574:0")) }
        #expect(
            error?.description == "several GPIO chips have the label of pcf8574:0: /dev/gpiochip0, /dev/gpiochip9; "
                + "use the line's name")
    }

    @Test func `a place beyond the chip's last line is told`() {
        let error = #expect(throws: GPIOError.self) { try LineFinder([expander]).find(LineAddress("pcf8574:2")) }
        #expect(error?.description == "there is no GPIO line pcf8574:2: the chip's lines are 0 to 1")
    }

    @Test func `a chip's number is no label`() {
        let error = #expect(throws: GPIOError.self) { try LineFinder([expander]).find(LineAddress("gpiochip0:1")) }
        #expect(error?.description == "there is no GPIO line gpiochip0:1; there are chip pcf8574")
    }

    @Test func `a chip that can't be opened may have the line that is missing`() {
        let closed = SystemError(code: EACCES, call: "open", subject: "/dev/null")
        let error = #expect(throws: GPIOError.self) { try LineFinder([board], failures: [closed]).find(.named("x")) }
        #expect(error?.description == "no permission to open /dev/null, which may have the GPIO line x")
        #expect(throws: Never.self) { try LineFinder([board], failures: [closed]).find(.named("GPIO17")) }
    }

    @Test func `no chip at all is told as that`() {
        let error = #expect(throws: GPIOError.self) { try LineFinder([]).find(.named("GPIO17")) }
        #expect(error?.description == "there is no GPIO line GPIO17; no chip has one")
    }

    @Test func `an address is written as it is read`() {
        for text in ["GPIO17", "pinctrl-rp1:17", "a:b:3"] { #expect("\(LineAddress(text))" == text) }
        #expect(LineAddress("P8:x") == .named("P8:x"))
        #expect(LineAddress("chip:-1") == .named("chip:-1"))
    }

    @Test func `a folder without chips is no failure, and a file that is no chip is one`() throws {
        #expect(ChipInfo.all(in: "/dev/fd").chips.isEmpty)
        #expect(throws: SystemError.self) { try ChipInfo(reading: GPIOChip(opening: "/dev/null")) }
    }
}
