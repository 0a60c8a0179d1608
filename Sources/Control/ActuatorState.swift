import Readings

/// Decides what becomes of the commands for one actuator, and what the gateway does with it by itself.
///
/// One write is under way at a time. One command more may wait; a newer one takes its place, and the one that waited is
/// told so: what an actuator should do is what was wanted last. Every command gets exactly one answer.
package struct ActuatorState: Sendable {
    /// What is to be done, in order.
    package enum Action: Equatable, Sendable {
        /// Write this value and tell `written` how it ended.
        case write(String)
        case answer(CommandAnswer)
        /// Tell what was done without a command.
        case moved(OwnMove)
    }

    struct Accepted {
        var command: Command
        var replyTo: ReplyAddress?
        var arrivedAt: ContinuousClock.Instant
    }

    /// What is being written, and for whom.
    enum Write {
        case command(Accepted, word: String)
        case own(OwnMove)
    }

    /// What is still to be done, whatever it stands at.
    enum Pending {
        case initial
        case reloadRejected
    }

    var settings: ActuatorSettings
    var output: OutputState
    private(set) var current: Write?
    private(set) var waiting: Accepted?
    /// When the last commands were accepted, as many as the rate limit counts.
    var recent: [ContinuousClock.Instant] = []
    /// Why the device can't be written to.
    private(set) var offline: (reason: OfflineReason, detail: String)?
    /// Whether the device has been heard of, and is there.
    private(set) var isOnline = false
    /// Whether it was there, or expected, and is not.
    private var isGone = false
    var pending: Pending? = .initial
    /// When a command came last that was neither old nor retained.
    private(set) var lastCommandAt: ContinuousClock.Instant
    /// Why it takes no commands any more.
    private(set) var leaving: (reason: OwnMove.Reason, why: String)?
    /// Whether it has gone to its safe state for good, or could not: what becomes of the device now is no news.
    var hasLeft = false
    /// What the gateway could not do, and when it tries again.
    var failure: Failure?

    init(_ settings: ActuatorSettings, at now: ContinuousClock.Instant) {
        self.settings = settings
        output = OutputState(at: now)
        lastCommandAt = now
    }

    /// Goes on with other settings; what is being carried out is not affected.
    mutating func apply(_ settings: ActuatorSettings, at now: ContinuousClock.Instant) {
        if settings.safety.off != self.settings.safety.off || settings.wordsRead != self.settings.wordsRead {
            output.forget(at: now)
        }
        self.settings = settings
        leaving = nil
        hasLeft = false
    }

    /// Whether a write was asked for that has not ended.
    var isWriting: Bool { current != nil }

    /// Whether a command waits although nothing is being written: for another output to be off.
    var isHeldUp: Bool { current == nil && waiting != nil }

    /// The device came or went.
    ///
    /// A device not heard of yet may be written to: the write itself will tell.
    mutating func statusChanged(_ status: DeviceStatus, at now: ContinuousClock.Instant) {
        switch status {
        case .online:
            offline = nil
            (isOnline, isGone) = (true, false)
            failure?.retriesAt = now
        case .offline(let reason, let detail):
            offline = reason == .starting ? nil : (reason, detail)
            (isOnline, isGone) = (false, true)
            output.forget(at: now)
        }
    }

    /// The output was read.
    mutating func observed(_ value: Value, at time: ContinuousClock.Instant) {
        let word = word(read: value)
        output.observed(word, isOff: settings.isOff(word), at: time)
    }

    /// The word for what was read.
    func word(read value: Value) -> String { settings.wordsRead[value.description] ?? value.description }

    /// A command arrived; `time` is the wall clock, for commands that say when they were given.
    mutating func received(
        _ incoming: IncomingCommand, at now: ContinuousClock.Instant, time: Timestamp, _ around: Surroundings
    ) -> [Action] {
        do throws(Refusal) {
            let command = try incoming.command()
            let accepted = Accepted(command: command, replyTo: incoming.replyTo, arrivedAt: now)
            if let leaving { throw Refusal(.stopping, leaving.why) }
            try checkValue(command.value)
            try checkAge(accepted, at: now, time: time)
            lastCommandAt = now
            let verdict = try judge(accepted, at: now, around)
            try countTowardsLimit(command.value, at: now)
            return queue(accepted, verdict, at: now)
        } catch {
            return [.answer(CommandAnswer(refusing: error, id: incoming.id, replyTo: incoming.replyTo))]
        }
    }

    /// The write that was asked for has ended.
    mutating func written(
        _ outcome: WriteOutcome, at now: ContinuousClock.Instant, time: Timestamp, _ around: Surroundings
    ) -> [Action] {
        guard let finished = current else { return [] }
        current = nil
        let actions: [Action]
        switch finished {
        case .command(let accepted, let word):
            learn(outcome, of: word, at: now)
            actions = [.answer(answer(to: accepted, outcome, at: now, time: time))]
        case .own(let move):
            learn(outcome, of: move.value, at: now)
            actions = ended(move, outcome, at: now).map { [.moved($0)] } ?? []
        }
        // It went away while it was being written to.
        if isGone { output.forget(at: now) }
        return actions + startWaiting(at: now, time: time, around)
    }

    /// It takes no commands any more, and goes to its safe state.
    mutating func leave(_ reason: OwnMove.Reason, why: String) -> [Action] {
        leaving = (reason, why)
        failure = nil
        defer { waiting = nil }
        return waiting.map { [refuse($0, Refusal(.stopping, why))] } ?? []
    }

    /// Carries out what waits, if nothing is in its way any more.
    mutating func startWaiting(
        at now: ContinuousClock.Instant, time: Timestamp, _ around: Surroundings
    ) -> [Action] {
        guard current == nil, let next = waiting else { return [] }
        waiting = nil
        do throws(Refusal) {
            try checkValue(next.command.value)
            try checkAge(next, at: now, time: time)
            return queue(next, try judge(next, at: now, around), at: now)
        } catch {
            return [refuse(next, error)]
        }
    }

    private mutating func queue(_ accepted: Accepted, _ verdict: Verdict, at now: ContinuousClock.Instant) -> [Action] {
        if current == nil, case .write(let word) = verdict {
            let superseded = waiting
            waiting = nil
            return supersede(superseded) + begin(.command(accepted, word: word), word, at: now)
        }
        defer { waiting = accepted }
        return supersede(waiting)
    }

    private func supersede(_ waited: Accepted?) -> [Action] {
        waited.map { [refuse($0, Refusal(.superseded, "a newer command came while this one waited"))] } ?? []
    }

    mutating func begin(_ write: Write, _ word: String, at now: ContinuousClock.Instant) -> [Action] {
        current = write
        output.beginsWriting(word, isOff: settings.isOff(word), at: now)
        return [.write(word)]
    }

    /// What the end of a write tells of how the output stands.
    private mutating func learn(_ outcome: WriteOutcome, of word: String, at now: ContinuousClock.Instant) {
        switch outcome {
        case .done(let readBack):
            let read = readBack.map(word(read:))
            if read == nil, settings.toggles.contains(word) { return output.lostWrite(at: now) }
            output.wrote(read ?? word, isOff: settings.isOff(read ?? word), at: now)
            pending = nil
        case .failed(let refusal) where refusal.leavesAllAsItWas: output.didNotWrite(at: now)
        case .failed: output.lostWrite(at: now)
        }
    }

    private func answer(
        to finished: Accepted, _ outcome: WriteOutcome, at now: ContinuousClock.Instant, time: Timestamp
    ) -> CommandAnswer {
        switch outcome {
        case .done(let readBack):
            CommandAnswer(
                done: readBack?.description ?? output.value ?? finished.command.value, id: finished.command.id,
                took: now - finished.arrivedAt, offAt: offAt(now, time), replyTo: finished.replyTo)
        case .failed(let refusal):
            CommandAnswer(refusing: refusal, id: finished.command.id, replyTo: finished.replyTo)
        }
    }

    /// When `max_on` will end it.
    private func offAt(_ now: ContinuousClock.Instant, _ time: Timestamp) -> Timestamp? {
        guard let maxOn = settings.safety.maxOn, let since = output.mayBeOnSince else { return nil }
        return Timestamp(milliseconds: time.milliseconds + (since + maxOn - now).wholeMilliseconds)
    }

    private func refuse(_ accepted: Accepted, _ refusal: Refusal) -> Action {
        .answer(CommandAnswer(refusing: refusal, id: accepted.command.id, replyTo: accepted.replyTo))
    }
}
