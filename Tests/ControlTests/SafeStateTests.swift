import Control
import Readings
import Testing

@Suite struct SafeStateTests {
    @Test func `an output gets its initial state as soon as its device is there`() {
        var bench = OutputBench(["a": { $0.safety.initial = "OFF" }])
        #expect(bench.tick(0) == [])
        #expect(bench.online(1) == ["a <- OFF"])
        #expect(bench.done("a", 2) == ["a start: OFF"])
        _ = bench.offline(3)
        // Only once: what happens later is the rules' affair.
        _ = bench.read(.text("ON"), of: "a", 4)
        #expect(bench.online(4) == [])
    }

    @Test func `one that stands there already is left alone, and a command comes first`() {
        var bench = OutputBench(["a": { $0.safety.initial = "OFF" }, "b": { $0.safety.initial = "OFF" }])
        _ = bench.read(.text("OFF"), of: "a", 1)
        #expect(bench.send("ON", to: "b", 1) == ["b <- ON"])
        #expect(bench.online(2) == [])
        #expect(bench.done("b", 3) == ["b: ok"])
        #expect(bench.tick(4) == [])
    }

    @Test func `a command that failed does not replace the initial state`() {
        var bench = OutputBench(["a": { $0.safety.initial = "OFF" }])
        _ = bench.send("ON", to: "a", 1)
        _ = bench.finish(.failed(Refusal(.deviceOffline, "port is not open")), "a", 1)
        #expect(bench.online(2) == ["a <- OFF"])
    }

    @Test func `an initial state that the rules forbid waits for them`() {
        var bench = OutputBench([
            "a": {
                $0.safety.initial = "ON"
                $0.safety.interlock = [OutputBench.name("b")]
            }, "b": { _ in },
        ])
        #expect(bench.online(1) == [])
        #expect(bench.wakeAt == 2)
        _ = bench.read(.text("OFF"), of: "b", 1.5)
        #expect(bench.tick(2) == ["a <- ON"])
    }

    @Test func `a lost control link makes it safe, and a command begins anew`() {
        var bench = OutputBench(["a": { $0.safety.safeAfter = .seconds(60) }])
        _ = bench.online(0)
        _ = bench.send("ON", to: "a", 10)
        _ = bench.done("a", 11)
        #expect(bench.wakeAt == 70)
        bench.actuators.controlHeard(at: bench.at(50))
        #expect(bench.wakeAt == 110)
        #expect(bench.tick(110) == ["a <- OFF"])
        #expect(bench.done("a", 111) == ["a control_lost: OFF"])
        #expect(bench.wakeAt == nil)
        #expect(bench.send("ON", to: "a", 200) == ["a <- ON"])
        _ = bench.done("a", 201)
        #expect(bench.wakeAt == 260)
    }

    @Test func `a connected server is a sign of life, and a stale or retained command is none`() {
        var bench = OutputBench(["a": { $0.safety.safeAfter = .seconds(60) }])
        _ = bench.online(0)
        _ = bench.send("ON", to: "a", 0)
        _ = bench.done("a", 1)
        _ = bench.link(isUp: true, 5)
        #expect(bench.wakeAt == nil)
        #expect(bench.link(isUp: false, 1000) == [])
        #expect(bench.wakeAt == 1060)
        #expect(bench.send("ON", to: "a", 1010, retained: true) == ["a: rejected_retained"])
        #expect(bench.send(#"{"value":"ON","t":1779999999000}"#, to: "a", 1020) == ["a: too_old"])
        #expect(bench.wakeAt == 1060)
        #expect(bench.tick(1060) == ["a <- OFF"])
    }

    @Test func `a refused configuration makes all outputs safe, once`() {
        var bench = OutputBench(["a": { _ in }, "b": { $0.safety.safe = nil }])
        _ = bench.online(0)
        for point in ["a", "b"] {
            _ = bench.send("ON", to: point, 1)
            _ = bench.done(point, 1)
        }
        #expect(bench.reloadRejected(2) == ["a <- OFF"])
        #expect(bench.send("ON", to: "a", 2.1) == [])
        #expect(bench.done("a", 3) == ["a reload_rejected: OFF", "a <- ON"])
        #expect(bench.done("a", 4) == ["a: ok"])
    }

    @Test func `a stop makes all outputs safe, after the write that is under way, and takes no commands`() {
        var bench = OutputBench(["a": { _ in }, "b": { _ in }, "c": { $0.safety.safe = nil }])
        _ = bench.read(.text("OFF"), of: "b", 0)
        _ = bench.online(0)
        _ = bench.send("ON", to: "a", 1)
        _ = bench.send("ON", to: "a", 1.1)
        _ = bench.send("ON", to: "c", 1)
        #expect(bench.stop(2) == ["a: stopping"])
        #expect(bench.send("ON", to: "b", 2.1) == ["b: stopping"])
        #expect(bench.done("a", 3) == ["a: ok", "a <- OFF"])
        #expect(!bench.actuators.isIdle)
        #expect(bench.done("c", 3) == ["c: ok"])
        #expect(bench.done("a", 4) == ["a stopping: OFF"])
        #expect(bench.actuators.isIdle)
    }

    @Test func `a change that comes while it stops holds no more`() {
        var bench = OutputBench(["a": { $0.safety.initial = "OFF" }])
        _ = bench.online(0)
        _ = bench.done("a", 0)
        _ = bench.stop(1)
        #expect(bench.apply(2) { $0["b"] = OutputBench.plain } == [])
        #expect(bench.send("ON", to: "a", 3) == ["a: stopping"])
        #expect(bench.send("ON", to: "b", 3) == ["b: not_writable"])
        #expect(bench.offline(4) == [])
    }

    @Test func `at the end three attempts are made, online or not`() {
        var bench = OutputBench(["a": { _ in }])
        _ = bench.offline(0)
        #expect(bench.stop(1) == ["a <- OFF"])
        #expect(bench.lost("a", 2) == ["a <- OFF"])
        #expect(bench.lost("a", 3) == ["a <- OFF"])
        #expect(bench.lost("a", 4) == ["a stopping: timeout"])
        #expect(bench.actuators.isIdle)
    }

    @Test func `an output that the configuration has no more is made safe before it goes`() {
        var bench = OutputBench(["a": { _ in }, "b": { _ in }])
        _ = bench.online(0)
        for point in ["a", "b"] {
            _ = bench.send("ON", to: point, 1)
            _ = bench.done(point, 1)
        }
        #expect(bench.release(keeping: ["b"], 2) == ["a <- OFF"])
        #expect(bench.send("ON", to: "a", 2) == ["a: stopping"])
        #expect(bench.done("a", 3) == ["a removed: OFF"])
        #expect(bench.apply(4) { $0["a"] = nil } == [])
        #expect(bench.send("ON", to: "a", 5) == ["a: not_writable"])
        #expect(bench.send("ON", to: "b", 5) == ["b <- ON"])
    }

    @Test func `other settings hold at once for what is on, and a new output begins at its initial state`() {
        var bench = OutputBench(["a": { _ in }])
        _ = bench.online(0)
        _ = bench.send("ON", to: "a", 1)
        _ = bench.done("a", 1)
        var other = OutputBench.plain
        other.safety.initial = "OFF"
        let actions = bench.apply(100) { settings in
            settings["a"]?.safety.maxOn = .seconds(60)
            settings["b"] = other
        }
        #expect(actions == ["a <- OFF", "b <- OFF"])
    }
}
