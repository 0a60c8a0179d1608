import Control
import Readings
import Testing

@Suite struct ActuatorsTests {
    private let one = Actuators.Name(device: "board", point: "relay_1")
    private let two = Actuators.Name(device: "board", point: "relay_2")
    private let other = Actuators.Name(device: "valve", point: "open")

    private func actuators() -> Actuators {
        let settings = ActuatorSettings(accepts: .words(["ON", "OFF"]))
        return Actuators([one: settings, two: settings, other: settings], at: .now)
    }

    private func send(_ value: String, to name: Actuators.Name, _ actuators: inout Actuators) -> [ActuatorState.Action]
    {
        let incoming = IncomingCommand(payload: Array(value.utf8), isRetained: false)
        return actuators.received(incoming, for: name, at: .now, time: Timestamp(milliseconds: 0))
    }

    private func word(_ actions: [ActuatorState.Action]) -> Refusal.Word? {
        if case .answer(let answer) = actions.first { answer.refusal?.word } else { nil }
    }

    @Test func `actuators don't wait for each other`() {
        var actuators = actuators()
        #expect(send("ON", to: one, &actuators) == [.write("ON")])
        #expect(send("OFF", to: two, &actuators) == [.write("OFF")])
        #expect(send("OFF", to: one, &actuators) == [])
        let done = actuators.written(.done(readBack: nil), to: one, at: .now, time: Timestamp(milliseconds: 0))
        #expect(done.last?.action == .write("OFF"))
    }

    @Test func `a lost device refuses for all its points and no others`() {
        var actuators = actuators()
        _ = actuators.statusChanged(of: "board", .offline(.timeout, detail: ""), at: .now)
        #expect(word(send("ON", to: one, &actuators)) == .deviceOffline)
        #expect(word(send("ON", to: two, &actuators)) == .deviceOffline)
        #expect(send("ON", to: other, &actuators) == [.write("ON")])
    }

    @Test func `a point without an actuator answers that it takes no commands`() {
        var actuators = actuators()
        #expect(word(send("ON", to: Actuators.Name(device: "meter", point: "power"), &actuators)) == .notWritable)
    }

    @Test func `an actuator that is gone answers what waits, and the write under way when it ends`() {
        var actuators = actuators()
        _ = send("ON", to: one, &actuators)
        _ = send("OFF", to: one, &actuators)
        let answers = actuators.apply([other: ActuatorSettings(accepts: .words(["ON"]))], at: .now)
        #expect(answers.map(\.name) == [one])
        #expect(word(answers.map(\.action)) == .stopping)
        #expect(word(send("ON", to: one, &actuators)) == .notWritable)
        let last = actuators.written(.done(readBack: nil), to: one, at: .now, time: Timestamp(milliseconds: 0))
        guard case .answer(let answer)? = last.first?.action, last.count == 1 else {
            Issue.record("\(last)")
            return
        }
        #expect(answer.refusal == nil)
        #expect(word(send("OFF", to: other, &actuators)) == .notAllowedValue)
    }

    @Test func `a command that waited is refused when it is not allowed any more`() {
        var actuators = actuators()
        _ = send("ON", to: one, &actuators)
        _ = send("OFF", to: one, &actuators)
        #expect(actuators.apply([one: ActuatorSettings(accepts: .words(["ON"]))], at: .now).isEmpty)
        let done = actuators.written(.done(readBack: nil), to: one, at: .now, time: Timestamp(milliseconds: 0))
        #expect(word(done.dropFirst().map(\.action)) == .notAllowedValue)
    }

    @Test func `at the end every command that waits is answered`() {
        var actuators = actuators()
        for _ in 0..<2 {
            _ = send("ON", to: one, &actuators)
            _ = send("ON", to: other, &actuators)
        }
        #expect(Set(actuators.stop(at: .now).map(\.name)) == [one, other])
        #expect(actuators.stop(at: .now).isEmpty)
    }
}
