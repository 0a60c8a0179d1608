import Readings

extension ActuatorState {
    /// Something that the gateway wanted to write and could not.
    struct Failure {
        var reason: OwnMove.Reason
        var count: Int
        var retriesAt: ContinuousClock.Instant
    }

    private static let longestPause: Duration = .seconds(30)
    /// A gateway that stops can't wait until a device is better.
    private static let attemptsAtTheEnd = 3

    /// What the gateway must write by itself, because of the rules.
    private func duty(at now: ContinuousClock.Instant, _ around: Surroundings) -> OwnMove? {
        let safety = settings.safety
        let safe = safety.safe == output.value ? nil : safety.safe
        if let leaving { return hasLeft ? nil : safe.map { OwnMove(reason: leaving.reason, value: $0) } }
        if let off = safety.off, let since = output.mayBeOnSince {
            if let maxOn = safety.maxOn, now >= since + maxOn { return OwnMove(reason: .maxOn, value: off) }
            if isOn, around.partners.contains(where: \.isOn) { return OwnMove(reason: .interlock, value: off) }
        }
        if let safe, let lostAt = linkLost(around), now >= lostAt { return OwnMove(reason: .controlLost, value: safe) }
        switch pending {
        case .reloadRejected: return safe.map { OwnMove(reason: .reloadRejected, value: $0) }
        case .initial: return safety.initial.map { OwnMove(reason: .started, value: $0) }
        case nil: return nil
        }
    }

    /// When the control link counts as lost; nil while it is there, or does not matter.
    private func linkLost(_ around: Surroundings) -> ContinuousClock.Instant? {
        guard let safeAfter = settings.safety.safeAfter, !around.isLinkUp else { return nil }
        return max(around.lastSign, lastCommandAt) + safeAfter
    }

    /// Seen on.
    var isOn: Bool { output.value.map { !settings.isOff($0) } ?? false }

    /// As others see it that must not be on together with it.
    func asPartner(_ name: Actuators.Name) -> Surroundings.Partner {
        Surroundings.Partner(
            name: name, isOff: output.mayBeOnSince == nil,
            isGoingOff: output.writing.map(settings.isOff) ?? false, isOn: isOn)
    }

    /// Writes what has to be written by itself, as soon as the device takes it.
    mutating func pursue(at now: ContinuousClock.Instant, _ around: Surroundings) -> [Action] {
        guard current == nil else { return [] }
        // What it stands at already needs no write.
        if let value = output.value, value == pendingValue { pending = nil }
        guard let duty = duty(at: now, around) else {
            failure = nil
            hasLeft = leaving != nil
            return []
        }
        guard isOnline || leaving != nil, mayTry(duty, at: now) else { return [] }
        guard (try? allows(duty.value, at: now, around)) == true else {
            failure = Failure(reason: duty.reason, count: 0, retriesAt: now + .seconds(1))
            return []
        }
        return begin(.own(duty), duty.value, at: now)
    }

    private var pendingValue: String? {
        switch pending {
        case .initial: settings.safety.initial
        case .reloadRejected: settings.safety.safe
        case nil: nil
        }
    }

    private func mayTry(_ duty: OwnMove, at now: ContinuousClock.Instant) -> Bool {
        guard let failure, failure.reason == duty.reason else { return true }
        return leaving != nil ? failure.count < Self.attemptsAtTheEnd : now >= failure.retriesAt
    }

    /// What the gateway wrote by itself has ended; returns what there is to tell: the first failure, and the success.
    mutating func ended(_ move: OwnMove, _ outcome: WriteOutcome, at now: ContinuousClock.Instant) -> OwnMove? {
        guard case .failed(let refusal) = outcome else {
            failure = nil
            hasLeft = leaving != nil
            return move
        }
        let count = (failure.flatMap { $0.reason == move.reason ? $0.count : nil } ?? 0) + 1
        let pause = min(Duration.seconds(1 << min(count - 1, 5)), Self.longestPause)
        failure = Failure(reason: move.reason, count: count, retriesAt: now + pause)
        guard count == (leaving != nil ? Self.attemptsAtTheEnd : 1) else { return nil }
        var failed = move
        failed.refusal = refusal
        return failed
    }

    /// When `pursue` is to be called again if nothing happens before.
    func wakeAt(_ now: ContinuousClock.Instant, _ around: Surroundings) -> ContinuousClock.Instant? {
        guard current == nil, leaving == nil else { return nil }
        if duty(at: now, around) != nil { return isOnline ? failure?.retriesAt : nil }
        // Without a word for off nothing could be done then.
        let maxOn = settings.safety.off == nil ? nil : settings.safety.maxOn
        let maxOnEnds = maxOn.flatMap { maxOn in output.mayBeOnSince.map { $0 + maxOn } }
        let isSafe = settings.safety.safe == nil || settings.safety.safe == output.value
        return [maxOnEnds, isSafe ? nil : linkLost(around)].compactMap(\.self).min()
    }
}
