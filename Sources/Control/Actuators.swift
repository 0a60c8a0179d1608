package import Readings

/// All actuators of the gateway: leads commands, outcomes and news about devices to the ones they are for, and knows who
/// must not be on with whom.
///
/// Whatever is told to it, `wakeAt` says afterwards when `tick` is to be called.
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

    /// What is to be done, and for whom.
    package typealias Step = (name: Name, action: ActuatorState.Action)

    private struct Output {
        var name: Name
        var state: ActuatorState
        /// The places of those that must not be on with it, in both directions.
        var partners: [Int] = []
    }

    /// In the order of their names.
    private var outputs: [Output] = []
    private var places: [Name: Int] = [:]
    /// Those that are gone, until the write that was under way has ended.
    private var leaving: [Name: ActuatorState] = [:]
    private var statuses: [String: DeviceStatus] = [:]
    private var isLinkUp = false
    private var lastSign: ContinuousClock.Instant
    /// Whether the gateway stops: what is changed from now on holds no more.
    private var isStopping = false
    /// When `tick` is to be called if nothing happens before.
    package private(set) var wakeAt: ContinuousClock.Instant?

    package init(_ settings: [Name: ActuatorSettings], at now: ContinuousClock.Instant) {
        lastSign = now
        _ = apply(settings, at: now)
    }

    /// Whether nothing is being written.
    package var isIdle: Bool { leaving.isEmpty && !outputs.contains { $0.state.isWriting } }

    // MARK: commands and writes

    /// A command arrived; one for a point that takes none is answered so.
    package mutating func received(
        _ incoming: IncomingCommand, for name: Name, at now: ContinuousClock.Instant, time: Timestamp
    ) -> [ActuatorState.Action] {
        guard let place = places[name] else {
            return [.answer(incoming.answerNotWritable(point: "\(name.device)/\(name.point)"))]
        }
        defer { updateWakeAt(now) }
        return outputs[place].state.received(incoming, at: now, time: time, surroundings(of: place))
    }

    /// The write that was asked for has ended.
    package mutating func written(
        _ outcome: WriteOutcome, to name: Name, at now: ContinuousClock.Instant, time: Timestamp
    ) -> [Step] {
        var steps: [Step] = []
        if var gone = leaving.removeValue(forKey: name) {
            let around = Surroundings(isLinkUp: isLinkUp, lastSign: lastSign)
            steps = gone.written(outcome, at: now, time: time, around).map { (name, $0) }
        } else if let place = places[name] {
            let around = surroundings(of: place)
            steps = outputs[place].state.written(outcome, at: now, time: time, around).map { (name, $0) }
        }
        // Commands that wait for another output to be off.
        for place in outputs.indices where outputs[place].state.isHeldUp {
            let around = surroundings(of: place)
            let actions = outputs[place].state.startWaiting(at: now, time: time, around)
            steps += actions.map { (outputs[place].name, $0) }
        }
        return steps + tick(at: now)
    }

    // MARK: what happens meanwhile

    /// Does what has become due.
    package mutating func tick(at now: ContinuousClock.Instant) -> [Step] {
        var steps: [Step] = []
        for place in outputs.indices {
            let around = surroundings(of: place)
            for action in outputs[place].state.pursue(at: now, around) { steps.append((outputs[place].name, action)) }
        }
        updateWakeAt(now)
        return steps
    }

    /// A device came or went.
    package mutating func statusChanged(
        of device: String, _ status: DeviceStatus, at now: ContinuousClock.Instant
    ) -> [Step] {
        statuses[device] = status
        for place in outputs.indices where outputs[place].name.device == device {
            outputs[place].state.statusChanged(status, at: now)
        }
        return tick(at: now)
    }

    /// A point was read at `time`.
    package mutating func observed(
        _ value: Value, of name: Name, at time: ContinuousClock.Instant, now: ContinuousClock.Instant
    ) -> [Step] {
        guard let place = places[name] else { return [] }
        // Nearly every reading says what is known already.
        let known = outputs[place].state.output.value
        guard known == nil || outputs[place].state.word(read: value) != known else { return [] }
        outputs[place].state.observed(value, at: time)
        return tick(at: now)
    }

    /// Whoever controls all outputs gave a sign.
    package mutating func controlHeard(at now: ContinuousClock.Instant) {
        lastSign = now
        updateWakeAt(now)
    }

    /// The connection to a server from which commands come is there, or gone.
    package mutating func linkChanged(isUp: Bool, at now: ContinuousClock.Instant) -> [Step] {
        lastSign = now
        isLinkUp = isUp
        return tick(at: now)
    }

    // MARK: other settings, and the end

    /// A changed configuration was refused: every output goes to its safe state once.
    package mutating func reloadRejected(at now: ContinuousClock.Instant) -> [Step] {
        for place in outputs.indices where outputs[place].state.settings.safety.safe != nil {
            outputs[place].state.pending = .reloadRejected
        }
        return tick(at: now)
    }

    /// Other settings are about to hold: the outputs that they don't have go to their safe states.
    package mutating func release(keeping kept: Set<Name>, at now: ContinuousClock.Instant) -> [Step] {
        leave(outputs.indices.filter { !kept.contains(outputs[$0].name) }, .removed, Self.removed, now)
    }

    private static let removed = "the configuration has no such actuator any more"

    /// Goes on with other actuators and settings; returns answers for the commands that wait for one that is gone.
    package mutating func apply(
        _ settings: [Name: ActuatorSettings], at now: ContinuousClock.Instant
    ) -> [Step] {
        guard !isStopping else { return [] }
        var steps: [Step] = []
        var kept: [Name: ActuatorState] = [:]
        for var output in outputs {
            if let wanted = settings[output.name] {
                output.state.apply(wanted, at: now)
                kept[output.name] = output.state
            } else {
                steps += output.state.leave(.removed, why: Self.removed).map { (output.name, $0) }
                if output.state.isWriting { leaving[output.name] = output.state }
            }
        }
        for (name, wanted) in settings {
            // One that comes back while its last write is still under way goes on.
            guard var state = leaving.removeValue(forKey: name) else { continue }
            state.apply(wanted, at: now)
            kept[name] = state
        }
        outputs = settings.keys.sorted().compactMap { name in
            settings[name].map { Output(name: name, state: kept[name] ?? new($0, name, now)) }
        }
        places = Dictionary(outputs.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        joinPartners()
        return steps + tick(at: now)
    }

    private func new(_ settings: ActuatorSettings, _ name: Name, _ now: ContinuousClock.Instant) -> ActuatorState {
        var state = ActuatorState(settings, at: now)
        if let status = statuses[name.device] { state.statusChanged(status, at: now) }
        return state
    }

    /// The gateway stops: commands that wait are answered, and outputs go to their safe states.
    package mutating func stop(at now: ContinuousClock.Instant) -> [Step] {
        isStopping = true
        return leave(Array(outputs.indices), .stopping, "the gateway is stopping", now)
    }

    private mutating func leave(
        _ leaving: [Int], _ reason: OwnMove.Reason, _ why: String, _ now: ContinuousClock.Instant
    ) -> [Step] {
        var steps: [Step] = []
        for place in leaving {
            let actions = outputs[place].state.leave(reason, why: why)
            steps += actions.map { (outputs[place].name, $0) }
        }
        return steps + tick(at: now)
    }

    // MARK: neighbours

    /// Whoever is named by another names it too.
    private mutating func joinPartners() {
        for place in outputs.indices {
            let named = outputs[place].state.settings.safety.interlock.compactMap { places[$0] }
            for other in named where other != place {
                if !outputs[place].partners.contains(other) { outputs[place].partners.append(other) }
                if !outputs[other].partners.contains(place) { outputs[other].partners.append(place) }
            }
        }
    }

    private func surroundings(of place: Int) -> Surroundings {
        var around = Surroundings(isLinkUp: isLinkUp, lastSign: lastSign)
        for other in outputs[place].partners {
            around.partners.append(outputs[other].state.asPartner(outputs[other].name))
        }
        return around
    }

    private mutating func updateWakeAt(_ now: ContinuousClock.Instant) {
        wakeAt = nil
        for place in outputs.indices {
            guard let due = outputs[place].state.wakeAt(now, surroundings(of: place)) else { continue }
            if wakeAt.map({ due < $0 }) ?? true { wakeAt = due }
        }
    }
}

extension Actuators.Name: Comparable {
    package static func < (left: Actuators.Name, right: Actuators.Name) -> Bool {
        (left.device, left.point) < (right.device, right.point)
    }
}
