import Readings
import Testing

@testable import Mapping

/// A trace: readings and ticks by seconds since the beginning.
private struct Trace {
    private let start = ContinuousClock.now
    private var state: ReportState

    init(staleAfter: Duration? = nil, _ change: (inout ReportRule) -> Void = { _ in }) {
        var rule = ReportRule()
        change(&rule)
        state = ReportState(rule, staleAfter: staleAfter)
    }

    /// Seconds until `tick` has something to do.
    var due: Double? { state.dueAt.map { ($0 - start) / .seconds(1) } }

    mutating func read(_ value: Double, _ seconds: Double, _ quality: Quality = .good) -> Reading? {
        read(.number(value), seconds, quality)
    }

    mutating func read(_ value: Value, _ seconds: Double, _ quality: Quality = .good) -> Reading? {
        let reading = Reading(
            device: "d", point: "p", value: value, unit: nil,
            measuredAt: .at(Timestamp(milliseconds: Int64(seconds * 1000))), quality: quality)
        return state.received(reading, at: start + .seconds(seconds))
    }

    mutating func tick(_ seconds: Double) -> Reading? {
        state.tick(at: start + .seconds(seconds))
    }

    mutating func lose(_ seconds: Double) -> Reading? {
        state.becameStale(at: start + .seconds(seconds))
    }
}

@Suite struct ReportStateTests {
    @Test func `on change, equal values are not sent`() {
        var trace = Trace()
        #expect(trace.read(5, 0)?.value == .number(5))
        #expect(trace.read(5, 2) == nil)
        #expect(trace.read(6, 4)?.value == .number(6))
    }

    @Test func `a change within the shortest interval waits, and the latest one is sent`() {
        var trace = Trace { $0.minInterval = .seconds(10) }
        _ = trace.read(1, 0)
        #expect(trace.read(2, 3) == nil)
        #expect(trace.read(3, 6) == nil)
        #expect(trace.due == 10)
        #expect(trace.tick(9.9) == nil)
        let late = trace.tick(10)
        #expect(late?.value == .number(3))
        #expect(late?.measuredAt == .at(Timestamp(milliseconds: 6000)))
        #expect(trace.tick(10) == nil)
    }

    @Test func `a change that went back while it waited is not sent`() {
        var trace = Trace { $0.minInterval = .seconds(10) }
        _ = trace.read(1, 0)
        _ = trace.read(2, 3)
        _ = trace.read(1, 6)
        #expect(trace.tick(10) == nil)
        #expect(trace.due == 300)
    }

    @Test func `an unchanged value is repeated with its true time`() {
        var trace = Trace { $0.maxInterval = .seconds(60) }
        _ = trace.read(1, 0)
        _ = trace.read(1, 58)
        let repeated = trace.tick(60)
        #expect(repeated?.measuredAt == .at(Timestamp(milliseconds: 58_000)))
        #expect(trace.due == 120)
    }

    @Test func `no longest interval, no repetition`() {
        var trace = Trace { $0.maxInterval = nil }
        _ = trace.read(1, 0)
        #expect(trace.due == nil)
    }

    @Test func `inside the deadband nothing has changed, measured from what was sent`() {
        var trace = Trace { $0.deadband = 5 }
        _ = trace.read(100, 0)
        #expect(trace.read(104, 2) == nil)
        #expect(trace.read(96, 4) == nil)
        #expect(trace.read(104.9, 6) == nil)
        #expect(trace.read(105, 8)?.value == .number(105))
    }

    @Test func `a deadband of a tenth is reached by a tenth`() {
        var trace = Trace { $0.deadband = 0.1 }
        _ = trace.read(230.2, 0)
        #expect(trace.read(230.1, 2) != nil)
    }

    @Test func `a deadband is no matter to texts`() {
        var trace = Trace { $0.deadband = 5 }
        _ = trace.read(.text("open"), 0)
        #expect(trace.read(.text("closed"), 2) != nil)
    }

    @Test func `by interval, equal values are sent too, but no more often`() {
        var trace = Trace {
            $0.when = .interval
            $0.minInterval = .seconds(10)
        }
        #expect(trace.read(1, 0) != nil)
        #expect(trace.read(1, 4) == nil)
        #expect(trace.read(1, 8) == nil)
        #expect(trace.due == 10)
        #expect(trace.tick(10)?.measuredAt == .at(Timestamp(milliseconds: 8000)))
        #expect(trace.read(1, 12) == nil)
        #expect(trace.due == 20)
    }

    @Test func `always means every reading at once`() {
        var trace = Trace { $0.when = .always }
        for second in stride(from: 0, to: 1, by: 0.1) {
            #expect(trace.read(1, second) != nil)
        }
    }

    @Test func `another quality is always sent at once`() {
        var trace = Trace { $0.minInterval = .seconds(10) }
        _ = trace.read(1, 0)
        #expect(trace.read(1, 1, .estimated)?.quality == .estimated)
        #expect(trace.read(1, 2)?.quality == .good)
    }

    @Test func `after silence the last value is stale and keeps its time`() {
        var trace = Trace(staleAfter: .seconds(6))
        _ = trace.read(7, 0)
        _ = trace.read(7, 2)
        #expect(trace.due == 8)
        let stale = trace.tick(8)
        #expect(stale?.quality == .stale)
        #expect(stale?.value == .number(7))
        #expect(stale?.measuredAt == .at(Timestamp(milliseconds: 2000)))
        #expect(trace.due == nil)
        #expect(trace.tick(1000) == nil)
    }

    @Test func `a fresh reading after silence is sent even if nothing changed`() {
        var trace = Trace(staleAfter: .seconds(6))
        _ = trace.read(7, 0)
        _ = trace.tick(6)
        #expect(trace.read(7, 6.5)?.quality == .good)
        #expect(trace.due == 12.5)
    }

    @Test func `a lost device makes its value stale once, and a value that waited is not lost`() {
        var trace = Trace { $0.minInterval = .seconds(10) }
        _ = trace.read(1, 0)
        _ = trace.read(2, 1)
        let stale = trace.lose(3)
        #expect(stale?.value == .number(2))
        #expect(stale?.quality == .stale)
        #expect(trace.lose(4) == nil)
        #expect(trace.due == nil)
    }

    @Test func `a device lost before its first reading has nothing to say`() {
        var trace = Trace()
        #expect(trace.lose(1) == nil)
        #expect(trace.due == nil)
    }

    // Whatever comes when: after the last wait is over, the receiver knows the last value.
    @Test func `the latest value always arrives`() {
        for seed in 1...200 {
            var random = UInt64(seed)
            func pick(_ below: UInt64) -> UInt64 {
                random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return (random >> 33) % below
            }
            var trace = Trace {
                $0.minInterval = .seconds(3)
                $0.when = pick(2) == 0 ? .change : .interval
            }
            var seconds = 0.0
            var known: Value?
            var last: Value?
            for _ in 0..<50 {
                seconds += Double(pick(40)) / 10
                if let due = trace.due, due <= seconds, let sent = trace.tick(due) { known = sent.value }
                let value = Value.integer(Int64(pick(3)))
                last = value
                if let sent = trace.read(value, seconds) { known = sent.value }
            }
            if let sent = trace.tick(seconds + 3) { known = sent.value }
            #expect(known == last, "seed \(seed)")
        }
    }
}
