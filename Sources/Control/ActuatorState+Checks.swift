import Readings

extension ActuatorState {
    /// What becomes of a command that is allowed.
    enum Verdict {
        case write(String)
        /// Another output is being switched off first.
        case wait
    }

    func checkValue(_ value: String) throws(Refusal) {
        guard !settings.accepts.contains(value) else { return }
        throw Refusal(.notAllowedValue, "'\(value)' is not allowed here; allowed: \(settings.accepts)")
    }

    func checkAge(_ accepted: Accepted, at now: ContinuousClock.Instant, time: Timestamp) throws(Refusal) {
        guard let maxAge = settings.maxAge else { return }
        try check(age: now - accepted.arrivedAt, limit: maxAge)
        if let givenAt = accepted.command.givenAt { try check(age: time.elapsed(since: givenAt), limit: maxAge) }
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

    /// Switching off is never held up: it is what every limit is for.
    mutating func countTowardsLimit(_ value: String, at now: ContinuousClock.Instant) throws(Refusal) {
        guard let limit = settings.rateLimit else { return }
        recent.removeAll { now - $0 >= limit.period }
        guard recent.count < limit.count || isRest(value) else {
            throw Refusal(.rateLimited, "at most \(limit.count) commands in \(limit.period.inSeconds) are allowed")
        }
        recent.append(now)
    }

    /// Off, or safe: no rule stands in its way.
    private func isRest(_ word: String) -> Bool { settings.isOff(word) || word == settings.safety.safe }

    /// Whether the device and the rules allow a command, at this moment.
    func judge(
        _ accepted: Accepted, at now: ContinuousClock.Instant, _ around: Surroundings
    ) throws(Refusal) -> Verdict {
        if let offline {
            throw Refusal(.deviceOffline, "the device is offline (\(offline.reason.rawValue)): \(offline.detail)")
        }
        let word = try word(for: accepted.command.value)
        return try allows(word, at: now, around) ? .write(word) : .wait
    }

    /// Whether a value may be written now; false where it may in a moment.
    func allows(_ word: String, at now: ContinuousClock.Instant, _ around: Surroundings) throws(Refusal) -> Bool {
        guard !isRest(word) else { return true }
        try checkMaxOn(now)
        // How it stands is asked again when what is being written has ended.
        if !isWriting { try checkMinOff(now) }
        return try checkInterlock(around)
    }

    /// The word to write for the word of a command: a toggle becomes the state that it leads to.
    private func word(for value: String) throws(Refusal) -> String {
        guard settings.toggles.contains(value), settings.safety.asksForState, let off = settings.safety.off else {
            return value
        }
        guard let state = output.writing ?? output.value else {
            throw Refusal(.stateUnknown, "how it stands is not known yet, so it can't be turned over; send its state")
        }
        guard settings.isOff(state) else { return off }
        let others = settings.statesOtherThanOff
        guard others.count == 1, let on = others.first else {
            throw Refusal(.stateUnknown, "it has several states beside \(off), so it can't be turned over")
        }
        return on
    }

    private func checkMaxOn(_ now: ContinuousClock.Instant) throws(Refusal) {
        guard let maxOn = settings.safety.maxOn, let since = output.mayBeOnSince, now >= since + maxOn else { return }
        throw Refusal(
            .maxOn, "it has been on, or may have been, for \(maxOn.inSeconds) and is switched off before anything else")
    }

    private func checkMinOff(_ now: ContinuousClock.Instant) throws(Refusal) {
        guard let minOff = settings.safety.minOff else { return }
        guard output.mayBeOnSince == nil else {
            guard output.value == nil else { return }
            throw Refusal(.minOff, "since when it is off is not known yet, and it must be for \(minOff.inSeconds)")
        }
        let rest = minOff - (now - output.offSince)
        guard rest > .zero else { return }
        throw Refusal(
            .minOff, "it must be off for \(minOff.inSeconds); it can be switched on again in \(rest.inSecondsUp)")
    }

    /// False where all that are in its way are being switched off.
    private func checkInterlock(_ around: Surroundings) throws(Refusal) -> Bool {
        let blockers = around.partners.filter { !$0.isOff }
        guard let blocker = blockers.first(where: { !$0.isGoingOff }) else { return blockers.isEmpty }
        let name = "\(blocker.name.device)/\(blocker.name.point)"
        throw Refusal(
            .interlock,
            blocker.isOn
                ? "\(name) is on, and must be off first" : "whether \(name) is off is not known, and it must be")
    }
}

extension ActuatorSettings {
    func isOff(_ word: String) -> Bool {
        guard let off = safety.off else { return false }
        if word == off { return true }
        guard case .numbers = accepts, let number = JSONNumber.value(off) else { return false }
        return JSONNumber.value(word) == number
    }

    var statesOtherThanOff: [String] {
        guard case .words(let words) = accepts else { return [] }
        return words.filter { !isOff($0) && !toggles.contains($0) }
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

    /// The same for what is left, so that waiting so long is enough.
    fileprivate var inSecondsUp: String {
        let milliseconds = wholeMilliseconds + 1
        return milliseconds < 1000 ? "\(Double(milliseconds) / 1000) s" : "\((milliseconds + 999) / 1000) s"
    }
}
