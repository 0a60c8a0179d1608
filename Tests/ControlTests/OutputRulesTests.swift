import Control
import Readings
import Testing

@Suite struct OutputRulesTests {
    /// Outputs that are known to be off since second 0.
    private func bench(_ rules: [String: (inout ActuatorSettings) -> Void]) -> OutputBench {
        var bench = OutputBench(rules)
        for point in rules.keys { _ = bench.read(.text("OFF"), of: point, 0) }
        _ = bench.online(0)
        return bench
    }

    // MARK: max_on

    @Test func `what is on for too long is switched off, and that is told`() {
        var bench = bench(["a": { $0.safety.maxOn = .seconds(900) }])
        #expect(bench.send("ON", to: "a", 10) == ["a <- ON"])
        #expect(bench.done("a", 11) == ["a: ok"])
        // It counts from the write on: that is when it may have switched.
        #expect(bench.wakeAt == 910)
        #expect(bench.tick(909.9) == [])
        #expect(bench.tick(910) == ["a <- OFF"])
        #expect(bench.done("a", 910.1) == ["a max_on: OFF"])
        #expect(bench.wakeAt == nil)
    }

    @Test func `a repeated command does not make it longer, and says when it ends`() {
        var bench = bench(["a": { $0.safety.maxOn = .seconds(60) }])
        _ = bench.send("ON", to: "a", 0)
        _ = bench.done("a", 1)
        let name = OutputBench.name("a")
        _ = bench.send("ON", to: "a", 50)
        let steps = bench.actuators.written(
            .done(readBack: nil), to: name, at: bench.at(51), time: Timestamp(milliseconds: 1_780_000_051_000))
        guard case .answer(let answer)? = steps.first?.action else {
            Issue.record("\(steps)")
            return
        }
        #expect(
            String(decoding: answer.payload, as: UTF8.self)
                == #"{"ok":true,"value":"ON","took":1000,"off_at":1780000060000}"#)
        #expect(bench.tick(60) == ["a <- OFF"])
        #expect(bench.send("ON", to: "a", 60.1) == ["a: max_on"])
    }

    @Test func `a device that is gone when max_on ends is switched off when it comes back`() {
        var bench = bench(["a": { $0.safety.maxOn = .seconds(60) }])
        _ = bench.send("ON", to: "a", 0)
        _ = bench.done("a", 1)
        #expect(bench.offline(30) == [])
        #expect(bench.tick(60) == [])
        #expect(bench.wakeAt == nil)
        #expect(bench.online(100) == ["a <- OFF"])
    }

    @Test func `a write that fails is tried again, ever more slowly, and told once`() {
        var bench = bench(["a": { $0.safety.maxOn = .seconds(60) }])
        _ = bench.send("ON", to: "a", 0)
        _ = bench.done("a", 1)
        #expect(bench.tick(60) == ["a <- OFF"])
        #expect(bench.lost("a", 61) == ["a max_on: timeout"])
        #expect(bench.wakeAt == 62)
        #expect(bench.tick(62) == ["a <- OFF"])
        #expect(bench.lost("a", 63) == [])
        #expect(bench.wakeAt == 65)
        _ = bench.offline(64)
        #expect(bench.wakeAt == nil)
        #expect(bench.online(64.5) == ["a <- OFF"])
        #expect(bench.done("a", 65) == ["a max_on: OFF"])
    }

    @Test func `what somebody switched on at the device is ended too, and a lost answer counts as on`() {
        var bench = bench(["a": { $0.safety.maxOn = .seconds(60) }, "b": { $0.safety.maxOn = .seconds(60) }])
        _ = bench.read(.text("ON"), of: "a", 5)
        _ = bench.send("ON", to: "b", 20)
        #expect(bench.lost("b", 21) == ["b: timeout"])
        #expect(bench.wakeAt == 65)
        #expect(bench.tick(65) == ["a <- OFF"])
        _ = bench.done("a", 66)
        #expect(bench.wakeAt == 80)
        // Read off meanwhile: nothing is to be ended.
        #expect(bench.read(.text("OFF"), of: "b", 70) == [])
        #expect(bench.wakeAt == nil)
    }

    // MARK: min_off

    @Test func `what was switched off stays off for a while`() {
        var bench = bench(["a": { $0.safety.minOff = .seconds(30) }])
        #expect(bench.send("ON", to: "a", 10) == ["a: min_off"])
        #expect(bench.send("ON", to: "a", 30) == ["a <- ON"])
        _ = bench.done("a", 31)
        #expect(bench.send("OFF", to: "a", 32) == ["a <- OFF"])
        #expect(bench.send("ON", to: "a", 32.5) == [])
        #expect(bench.done("a", 33) == ["a: ok", "a: min_off"])
        #expect(bench.send("ON", to: "a", 62.9) == ["a: min_off"])
        #expect(bench.send("ON", to: "a", 63) == ["a <- ON"])
    }

    @Test func `since when it is off is not known before it was seen`() {
        var bench = OutputBench(["a": { $0.safety.minOff = .seconds(30) }])
        #expect(bench.send("ON", to: "a", 100) == ["a: min_off"])
        _ = bench.read(.text("OFF"), of: "a", 101)
        #expect(bench.send("ON", to: "a", 130) == ["a: min_off"])
        #expect(bench.send("ON", to: "a", 131) == ["a <- ON"])
    }

    // MARK: interlock

    @Test func `two of an interlock are never on together, whichever names the other`() {
        var bench = bench(["a": { $0.safety.interlock = [OutputBench.name("b")] }, "b": { _ in }])
        #expect(bench.send("ON", to: "b", 0) == ["b <- ON"])
        #expect(bench.send("ON", to: "a", 0.1) == ["a: interlock"])
        _ = bench.done("b", 0.2)
        #expect(bench.send("ON", to: "a", 0.3) == ["a: interlock"])
        _ = bench.send("OFF", to: "b", 1)
        _ = bench.done("b", 1.1)
        #expect(bench.send("ON", to: "a", 2) == ["a <- ON"])
        #expect(bench.send("ON", to: "b", 2) == ["b: interlock"])
    }

    @Test func `one whose state is not known counts as on`() {
        var bench = bench(["a": { $0.safety.interlock = [OutputBench.name("b")] }, "b": { _ in }])
        _ = bench.send("ON", to: "b", 0)
        #expect(bench.lost("b", 1) == ["b: timeout"])
        #expect(bench.send("ON", to: "a", 2) == ["a: interlock"])
        // What was measured before the write ended tells nothing.
        _ = bench.read(.text("OFF"), of: "b", 2.1, readAt: 0.5)
        #expect(bench.send("ON", to: "a", 2.2) == ["a: interlock"])
        _ = bench.read(.text("OFF"), of: "b", 3)
        #expect(bench.send("ON", to: "a", 4) == ["a <- ON"])
    }

    @Test func `one whose device went away counts as on, also when its last write was answered`() {
        var bench = bench(["a": { $0.safety.interlock = [OutputBench.name("b")] }, "b": { _ in }])
        _ = bench.send("OFF", to: "b", 0)
        _ = bench.offline(0.5)
        #expect(bench.done("b", 1) == ["b: ok"])
        // What is known of `b` is asked for, not that `a` is offline too.
        _ = bench.read(.text("OFF"), of: "a", 2)
        #expect(bench.stop(3) == ["b <- OFF"])
        #expect(bench.done("b", 4) == ["b stopping: OFF"])
        #expect(bench.actuators.isIdle)
    }

    @Test func `a device that said no has changed nothing`() {
        var bench = bench(["a": { $0.safety.interlock = [OutputBench.name("b")] }, "b": { _ in }])
        _ = bench.send("ON", to: "b", 0)
        _ = bench.finish(.failed(Refusal(.refusedByDevice, "no")), "b", 1)
        #expect(bench.send("ON", to: "a", 2) == ["a <- ON"])
    }

    @Test func `a command waits while the other one is being switched off`() {
        var bench = bench(["a": { $0.safety.interlock = [OutputBench.name("b")] }, "b": { _ in }])
        _ = bench.send("ON", to: "b", 0)
        _ = bench.done("b", 1)
        #expect(bench.send("OFF", to: "b", 2) == ["b <- OFF"])
        #expect(bench.send("ON", to: "a", 2) == [])
        #expect(bench.done("b", 2.1) == ["b: ok", "a <- ON"])
        _ = bench.done("a", 2.2)
        _ = bench.send("OFF", to: "a", 3)
        #expect(bench.send("ON", to: "b", 3) == [])
        #expect(bench.lost("a", 3.1) == ["a: timeout", "b: interlock"])
    }

    @Test func `two that somebody switched on together are both switched off`() {
        var bench = bench(["a": { $0.safety.interlock = [OutputBench.name("b")] }, "b": { _ in }])
        #expect(bench.read(.text("ON"), of: "a", 1) == [])
        #expect(bench.read(.text("ON"), of: "b", 1) == ["a <- OFF", "b <- OFF"])
        #expect(bench.done("a", 2) == ["a interlock: OFF"])
        #expect(bench.done("b", 2) == ["b interlock: OFF"])
    }

    // MARK: other rules

    @Test func `a toggle becomes the state that it leads to, where that matters`() {
        var bench = bench(["a": { $0.safety.maxOn = .seconds(60) }])
        #expect(bench.send("TOGGLE", to: "a", 0) == ["a <- ON"])
        #expect(bench.send("TOGGLE", to: "a", 0.1) == [])
        #expect(bench.done("a", 0.2) == ["a: ok", "a <- OFF"])
        _ = bench.lost("a", 1)
        #expect(bench.send("TOGGLE", to: "a", 2) == ["a: state_unknown"])
    }

    @Test func `without rules a toggle is the device's affair`() {
        var bench = OutputBench(["a": { $0.safety = SafetyRules() }])
        #expect(bench.send("TOGGLE", to: "a", 0) == ["a <- TOGGLE"])
    }

    @Test func `switching off is never held up by a limit`() {
        var bench = bench([
            "a": {
                $0.rateLimit = RateLimit(count: 1, period: .seconds(60))
                $0.safety.minOff = .seconds(5)
            }
        ])
        _ = bench.send("ON", to: "a", 10)
        _ = bench.done("a", 11)
        #expect(bench.send("ON", to: "a", 12) == ["a: rate_limited"])
        #expect(bench.send("OFF", to: "a", 12) == ["a <- OFF"])
        _ = bench.done("a", 13)
        #expect(bench.send("OFF", to: "a", 14) == ["a <- OFF"])
    }

    @Test func `what readings say in other words is understood`() {
        var bench = OutputBench(["a": { $0.wordsRead = ["true": "ON", "false": "OFF"] }])
        #expect(bench.online(0) == [])
        _ = bench.read(.boolean(true), of: "a", 0)
        #expect(bench.reloadRejected(1) == ["a <- OFF"])
        #expect(bench.finish(.done(readBack: .boolean(false)), "a", 2) == ["a reload_rejected: OFF"])
    }

    @Test func `a number is off at its number, however it is written`() {
        var settings = ActuatorSettings(accepts: .numbers(0...100))
        settings.safety.off = "0"
        settings.safety.minOff = .seconds(10)
        let name = OutputBench.name("dimmer")
        let start = ContinuousClock.now
        var actuators = Actuators([name: settings], at: start)
        _ = actuators.observed(.number(0), of: name, at: start, now: start)
        func send(_ value: String, _ seconds: Int) -> [ActuatorState.Action] {
            let incoming = IncomingCommand(payload: Array(value.utf8), isRetained: false)
            return actuators.received(
                incoming, for: name, at: start + .seconds(seconds), time: Timestamp(milliseconds: 0))
        }
        #expect(send("0.0", 1) == [.write("0.0")])
        _ = actuators.written(
            .done(readBack: nil), to: name, at: start + .seconds(2), time: Timestamp(milliseconds: 0))
        guard case .answer(let answer)? = send("50", 3).first else {
            Issue.record("no answer")
            return
        }
        #expect(answer.refusal?.word == .minOff)
        #expect(send("50", 10) == [.write("50")])
    }
}
