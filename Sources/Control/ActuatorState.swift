package import Readings

/// Decides what becomes of the commands for one actuator.
///
/// One command is carried out at a time. One more may wait; a newer one takes its place, and the one that waited is told
/// so: what an actuator should do is what was wanted last. Every command gets exactly one answer.
package struct ActuatorState: Sendable {
    /// What is to be done, in order.
    package enum Action: Equatable, Sendable {
        /// Write this value and tell `written` how it ended.
        case write(String)
        case answer(CommandAnswer)
    }

    private struct Accepted {
        var command: Command
        var replyTo: ReplyAddress?
        var arrivedAt: ContinuousClock.Instant
    }

    private var settings: ActuatorSettings
    private var current: Accepted?
    private var waiting: Accepted?
    /// When the last commands were accepted, as many as the rate limit counts.
    private var recent: [ContinuousClock.Instant] = []
    /// Why the device can't be written to.
    private var offline: (reason: OfflineReason, detail: String)?

    package init(_ settings: ActuatorSettings) {
        self.settings = settings
    }

    /// Goes on with other settings; what is being carried out is not affected.
    package mutating func apply(_ settings: ActuatorSettings) { self.settings = settings }

    /// Whether a write was asked for that has not ended.
    package var isWriting: Bool { current != nil }

    /// The device came or went.
    ///
    /// A device not heard of yet may be written to: the write itself will tell.
    package mutating func statusChanged(_ status: DeviceStatus) {
        switch status {
        case .online, .offline(.starting, _): offline = nil
        case .offline(let reason, let detail): offline = (reason, detail)
        }
    }

    /// A command arrived; `time` is the wall clock, for commands that say when they were given.
    package mutating func received(
        _ incoming: IncomingCommand, at now: ContinuousClock.Instant, time: Timestamp
    ) -> [Action] {
        do throws(Refusal) {
            let command = try incoming.command()
            let accepted = Accepted(command: command, replyTo: incoming.replyTo, arrivedAt: now)
            try checkValue(command.value)
            try check(accepted, at: now, time: time)
            try countTowardsLimit(at: now)
            return queue(accepted)
        } catch {
            return [.answer(CommandAnswer(refusing: error, id: incoming.id, replyTo: incoming.replyTo))]
        }
    }

    /// The write that was asked for has ended.
    package mutating func written(
        _ outcome: WriteOutcome, at now: ContinuousClock.Instant, time: Timestamp
    ) -> [Action] {
        guard let finished = current else { return [] }
        current = nil
        return [.answer(answer(to: finished, outcome, at: now))] + startWaiting(at: now, time: time)
    }

    /// The gateway stops, or only this actuator: what waits is not carried out any more.
    package mutating func stop(why: String = "the gateway is stopping") -> [Action] {
        defer { waiting = nil }
        return waiting.map { [refuse($0, Refusal(.stopping, why))] } ?? []
    }

    private mutating func queue(_ accepted: Accepted) -> [Action] {
        guard current != nil else {
            current = accepted
            return [.write(accepted.command.value)]
        }
        defer { waiting = accepted }
        return waiting.map { [refuse($0, Refusal(.superseded, "a newer command came while this one waited"))] } ?? []
    }

    private mutating func startWaiting(at now: ContinuousClock.Instant, time: Timestamp) -> [Action] {
        guard let next = waiting else { return [] }
        waiting = nil
        do throws(Refusal) {
            try checkValue(next.command.value)
            try check(next, at: now, time: time)
            return queue(next)
        } catch {
            return [refuse(next, error)]
        }
    }

    private func answer(
        to finished: Accepted, _ outcome: WriteOutcome, at now: ContinuousClock.Instant
    ) -> CommandAnswer {
        switch outcome {
        case .done(let readBack):
            CommandAnswer(
                done: readBack?.description ?? finished.command.value, id: finished.command.id,
                took: now - finished.arrivedAt, replyTo: finished.replyTo)
        case .failed(let refusal):
            CommandAnswer(refusing: refusal, id: finished.command.id, replyTo: finished.replyTo)
        }
    }

    private func refuse(_ accepted: Accepted, _ refusal: Refusal) -> Action {
        .answer(CommandAnswer(refusing: refusal, id: accepted.command.id, replyTo: accepted.replyTo))
    }
}

extension ActuatorState {
    private func checkValue(_ value: String) throws(Refusal) {
        guard !settings.accepts.contains(value) else { return }
        throw Refusal(.notAllowedValue, "'\(value)' is not allowed here; allowed: \(settings.accepts)")
    }

    /// What may change while a command waits: its age, and whether the device is there.
    private func check(
        _ accepted: Accepted, at now: ContinuousClock.Instant, time: Timestamp
    ) throws(Refusal) {
        if let maxAge = settings.maxAge {
            try check(age: now - accepted.arrivedAt, limit: maxAge)
            if let givenAt = accepted.command.givenAt { try check(age: time.elapsed(since: givenAt), limit: maxAge) }
        }
        if let offline {
            throw Refusal(.deviceOffline, "the device is offline (\(offline.reason.rawValue)): \(offline.detail)")
        }
    }

    private func check(age: Duration, limit: Duration) throws(Refusal) {
        if age > limit {
            throw Refusal(.tooOld, "the command is \(age.inSeconds) old; at most \(limit.inSeconds) is allowed")
        }
        // A clock that is ahead would make a command that waited long look young.
        if age < .zero - limit {
            throw Refusal(
                .clockDiffers,
                "the command's time is \((.zero - age).inSeconds) ahead of this gateway's clock; "
                    + "at most \(limit.inSeconds) is allowed")
        }
    }

    private mutating func countTowardsLimit(at now: ContinuousClock.Instant) throws(Refusal) {
        guard let limit = settings.rateLimit else { return }
        recent.removeAll { now - $0 >= limit.period }
        guard recent.count < limit.count else {
            throw Refusal(.rateLimited, "at most \(limit.count) commands in \(limit.period.inSeconds) are allowed")
        }
        recent.append(now)
    }
}

extension Timestamp {
    /// Bounded to a few thousand years: a command may carry any number.
    fileprivate func elapsed(since earlier: Timestamp) -> Duration {
        let bound: Int64 = 1 << 47
        let (difference, overflow) = milliseconds.subtractingReportingOverflow(earlier.milliseconds)
        guard overflow else { return .milliseconds(min(max(difference, -bound), bound)) }
        return .milliseconds(earlier.milliseconds < 0 ? bound : -bound)
    }
}

extension Duration {
    /// For sentences: `12 s`, or `0.5 s` below a second.
    fileprivate var inSeconds: String {
        let milliseconds = wholeMilliseconds
        return milliseconds.magnitude < 1000 ? "\(Double(milliseconds) / 1000) s" : "\(milliseconds / 1000) s"
    }
}
