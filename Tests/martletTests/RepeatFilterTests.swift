import Logging
import Testing

@testable import martlet

@Suite struct RepeatFilterTests {
    private let start = ContinuousClock.now

    private func line(_ text: String, _ level: Logger.Level = .warning) -> LogLine {
        LogLine(level: level, subsystem: "devices", text: text)
    }

    private func time(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test func `what was said a moment ago is counted and said again later with the count`() {
        var filter = RepeatFilter(window: .seconds(60))
        #expect(filter.received(line("unplugged"), at: time(0)) == .write)
        #expect(filter.received(line("unplugged"), at: time(1)) == .holdBack)
        #expect(filter.received(line("unplugged"), at: time(59)) == .holdBack)
        #expect(filter.received(line("unplugged"), at: time(60)) == .writeCounting(2))
        #expect(filter.received(line("unplugged"), at: time(61)) == .holdBack)
    }

    @Test func `lines that take turns are held back too`() {
        var filter = RepeatFilter()
        #expect(filter.received(line("a"), at: time(0)) == .write)
        #expect(filter.received(line("b"), at: time(0)) == .write)
        #expect(filter.received(line("a"), at: time(1)) == .holdBack)
        #expect(filter.received(line("b"), at: time(1)) == .holdBack)
    }

    @Test func `another level is another line`() {
        var filter = RepeatFilter()
        #expect(filter.received(line("a", .warning), at: time(0)) == .write)
        #expect(filter.received(line("a", .error), at: time(0)) == .write)
    }

    @Test func `what is not heard of again is summed up once`() {
        var filter = RepeatFilter(window: .seconds(60))
        for second in 0..<5 { _ = filter.received(line("a"), at: time(second)) }
        #expect(filter.expired(at: time(59)) == [])
        #expect(filter.expired(at: time(60)) == [RepeatFilter.Summary(line: line("a"), count: 4)])
        #expect(filter.expired(at: time(600)) == [])
        #expect(filter.received(line("a"), at: time(61)) == .write)
    }

    @Test func `the end tells what is still held back`() {
        var filter = RepeatFilter()
        _ = filter.received(line("once"), at: time(0))
        for second in 0..<3 { _ = filter.received(line("often"), at: time(second)) }
        #expect(filter.finish() == [RepeatFilter.Summary(line: line("often"), count: 2)])
    }

    @Test func `lines that all differ fill no memory and are all written`() {
        var filter = RepeatFilter(limit: 3)
        for number in 0..<10 { #expect(filter.received(line("\(number)"), at: time(0)) == .write) }
        #expect(filter.received(line("0"), at: time(1)) == .holdBack)
        #expect(filter.received(line("9"), at: time(1)) == .write)
    }
}
