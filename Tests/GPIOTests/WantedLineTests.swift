import LinuxIO
import Testing

@testable import GPIO

@Suite struct WantedLineTests {
    @Test func `an input asks for its edges, its resistor and its time of rest`() {
        var input = InputLine()
        input.tellsInactive = false
        input.debounce = .milliseconds(5)
        var line = WantedLine(.named("a"), .input(input))
        line.isActiveLow = true
        line.bias = .pullUp
        let wanted = line.wanted(at: 7)
        #expect(wanted.offset == 7)
        #expect(wanted.flags == [.input, .activeLow, .pullUp, .risingEdges])
        #expect(wanted.debounce == .milliseconds(5))
    }

    @Test func `the time of day is asked for only where edges are`() {
        var input = InputLine()
        input.usesTimeOfDay = true
        #expect(WantedLine(.named("a"), .input(input)).wanted(at: 0).flags.contains(.realtimeClock))
        input.tellsActive = false
        input.tellsInactive = false
        #expect(WantedLine(.named("a"), .input(input)).wanted(at: 0).flags == [.input])
    }

    @Test func `an output has its first level in the request`() {
        var output = OutputLine(initial: true)
        output.drive = .openDrain
        let wanted = WantedLine(.named("a"), .output(output)).wanted(at: 1)
        #expect(wanted.flags == [.output, .openDrain])
        #expect(wanted.isActive)
    }

    @Test func `the safe levels are those of the outputs`() {
        let lines = [
            WantedLine(.named("a"), .output(OutputLine(initial: true))), WantedLine(.named("b"), .input(InputLine())),
            WantedLine(.named("c"), .output(OutputLine(safe: true))),
        ]
        #expect(HeldLines.safeLevels(lines) == [0: false, 2: true])
    }

    @Test func `an edge that is missing in a line's numbers was lost`() {
        var numbers = EdgeNumbers(lines: 2)
        #expect(numbers.lost(before: 1, line: 0) == 0)
        #expect(numbers.lost(before: 2, line: 0) == 0)
        #expect(numbers.lost(before: 5, line: 0) == 2)
        #expect(numbers.lost(before: 3, line: 1) == 2)
        #expect(numbers.lost(before: 6, line: 0) == 0)
    }

    @Test func `a line's numbers go round without a loss`() {
        var numbers = EdgeNumbers(lines: 1)
        _ = numbers.lost(before: .max - 1, line: 0)
        #expect(numbers.lost(before: .max, line: 0) == 0)
        #expect(numbers.lost(before: 0, line: 0) == 0)
        #expect(numbers.lost(before: 2, line: 0) == 1)
    }
}
