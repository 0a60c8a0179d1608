package import Readings

/// All actuators of the gateway: leads commands, outcomes and news about devices to the ones they are for.
package struct Actuators: Sendable {
    /// Which point of which device.
    package struct Name: Hashable, Sendable {
        package var device: String
        package var point: String

        package init(device: String, point: String) {
            self.device = device
            self.point = point
        }
    }

    private var states: [Name: ActuatorState]
    /// Those that are gone, until the write that was under way has ended.
    private var leaving: [Name: ActuatorState] = [:]

    package init(_ settings: [Name: ActuatorSettings]) {
        states = settings.mapValues(ActuatorState.init)
    }

    /// A command arrived; one for a point that takes none is answered so.
    package mutating func received(
        _ incoming: IncomingCommand, for name: Name, at now: ContinuousClock.Instant, time: Timestamp
    ) -> [ActuatorState.Action] {
        states[name]?.received(incoming, at: now, time: time)
            ?? [.answer(incoming.answerNotWritable(point: "\(name.device)/\(name.point)"))]
    }

    /// The write that was asked for has ended.
    package mutating func written(
        _ outcome: WriteOutcome, to name: Name, at now: ContinuousClock.Instant, time: Timestamp
    ) -> [ActuatorState.Action] {
        if var gone = leaving.removeValue(forKey: name) { return gone.written(outcome, at: now, time: time) }
        return states[name]?.written(outcome, at: now, time: time) ?? []
    }

    /// Goes on with other actuators and settings; returns answers for the commands that wait for one that is gone.
    package mutating func apply(_ settings: [Name: ActuatorSettings]) -> [(name: Name, action: ActuatorState.Action)] {
        var answers: [(Name, ActuatorState.Action)] = []
        for (name, state) in states where settings[name] == nil {
            var state = state
            answers += state.stop(why: "the configuration has no such actuator any more").map { (name, $0) }
            if state.isWriting { leaving[name] = state }
            states[name] = nil
        }
        for (name, settings) in settings {
            if states[name] == nil { states[name] = ActuatorState(settings) } else { states[name]?.apply(settings) }
        }
        return answers
    }

    /// A device came or went.
    package mutating func statusChanged(of device: String, _ status: DeviceStatus) {
        for name in states.keys where name.device == device {
            states[name]?.statusChanged(status)
        }
    }

    /// The gateway stops: answers for the commands that wait.
    package mutating func stop() -> [(name: Name, action: ActuatorState.Action)] {
        states.keys.flatMap { name in
            (states[name]?.stop() ?? []).map { (name, $0) }
        }
    }
}
