import Control
import Documents
import Profiles
import Readings

/// `command:` of a point that can be written: what holds for its commands, and what becomes of it without any.
struct CommandSection {
    let section: Section

    private var problems: ProblemList { section.problems }

    /// Returns the names of its interlock, which may be of other devices.
    func read(into actuator: inout ActuatorSettings) -> [Located<String>] {
        var safety = actuator.safety
        let safe = state("safe", actuator)
        let initial = state("initial", actuator)
        if safety.off == nil, case .some(.word(let word)) = safe { safety.off = word }
        safety.maxOn = time("max_on", 100...86_400_000 * 365)
        safety.minOff = time("min_off", 0...86_400_000)
        safety.safeAfter = time("safe_after", 1_000...86_400_000 * 365)
        let interlock = interlock()
        actuator.safety = safety
        actuator.safety.rest(safe: safe, initial: initial, isInterlocked: !interlock.isEmpty)
        check(actuator.safety, isInterlocked: !interlock.isEmpty)
        limits(&actuator)
        section.spelled([
            "maximum_on": "max_on", "max_on_time": "max_on", "timeout": "max_on", "minimum_off": "min_off",
            "restore": "initial", "default": "initial", "fail_safe": "safe", "failsafe": "safe",
            "interlocks": "interlock",
            "rate": "rate_limit", "expire": "max_age", "retain": "ignore_retained",
        ])
        section.finish(later: ["accept", "send", "verify", "write"])
        return interlock
    }

    /// Only what holds for any command: for what ends by itself and rests where it is.
    func readLimits(into actuator: inout ActuatorSettings) {
        limits(&actuator)
        section.spelled(["rate": "rate_limit", "expire": "max_age", "retain": "ignore_retained"])
        section.finish()
    }

    /// One of the point's states, or `keep`.
    private func state(_ key: String, _ actuator: ActuatorSettings) -> SafetyRules.Rest? {
        guard case .words(let words) = actuator.accepts else {
            return section.value(key, wanted: "\(actuator.accepts), or keep") { text in
                if text == "keep" { return .keep }
                return actuator.accepts.contains(text) ? .word(text) : nil
            }?.value
        }
        let states = words.filter { !actuator.toggles.contains($0) }
        return section.value(key, wanted: "one of \(states.joined(separator: ", ")), or keep") { text in
            if text == "keep" { return .keep }
            return states.contains(text) ? .word(text) : nil
        }?.value
    }

    /// A time, or `never`, which is none.
    private func time(_ key: String, _ milliseconds: ClosedRange<Int>) -> Duration? {
        section.node(key)?.text == "never" ? nil : section.duration(key, milliseconds)
    }

    private func interlock() -> [Located<String>] {
        (section.list("interlock", like: "[relay_2, other-device/relay_1]") ?? []).compactMap { node in
            if let name = node.text { return Located(name, at: node.mark) }
            problems.error("an interlock is a list of points, not of groups", at: node.mark)
            return nil
        }
    }

    private func limits(_ actuator: inout ActuatorSettings) {
        if let maxAge = section.duration("max_age", or: "never") { actuator.maxAge = maxAge }
        if let limit = section.value(
            "rate_limit", wanted: "so many in a time, like 6/min, 2/s or 100/h, or off", Rate.init)
        {
            actuator.rateLimit = limit.value.limit
        }
        if section.bool("ignore_retained") == false {
            problems.error(
                "a retained command can't be allowed", at: section.mark(of: "ignore_retained"),
                hint: "it would fire again at every restart; send commands without retain")
        }
    }

    /// Rules that ask whether it is on need to know which state that is, and that it rests there.
    private func check(_ safety: SafetyRules, isInterlocked: Bool) {
        let rules = [("max_on", safety.maxOn != nil), ("min_off", safety.minOff != nil), ("interlock", isInterlocked)]
        let rule = rules.first { $0.1 }?.0
        if let rule {
            guard let off = safety.off else {
                return problems.error(
                    "'\(rule)' needs to know which value is off", at: section.mark(of: rule), hint: "say it with 'safe'"
                )
            }
            for (key, value) in [("safe", safety.safe), ("initial", safety.initial)] {
                guard let value, value != off, section.has(key) else { continue }
                problems.error(
                    "'\(key): \(value)' does not go with '\(rule)'", at: section.mark(of: key),
                    hint: "an output with '\(rule)' rests at \(off)")
            }
        }
        for (key, isThere) in [("max_on", safety.maxOn != nil), ("safe_after", safety.safeAfter != nil)] {
            guard isThere, safety.safe == nil else { continue }
            problems.error(
                "'\(key)' needs a safe state", at: section.mark(of: key),
                hint: section.has("safe")
                    ? "with 'safe: keep' it would stay on when the gateway stops" : "say it with 'safe'")
        }
    }
}

extension SafetyRules {
    /// What `safe` and `initial` say.
    enum Rest {
        case word(String)
        case keep

        var word: String? { if case .word(let word) = self { word } else { nil } }
    }

    /// An output with a rule is off when nobody commands it, unless it says otherwise; and it begins as it is safe.
    mutating func rest(safe: Rest?, initial: Rest?, isInterlocked: Bool) {
        let hasRules = maxOn != nil || minOff != nil || safeAfter != nil || isInterlocked
        isRestChosen = safe != nil
        self.safe = safe.map(\.word) ?? (hasRules ? off : nil)
        self.initial = initial.map(\.word) ?? self.safe
    }
}

extension ActuatorSettings {
    /// What a profile says of a point; nil where it takes no commands.
    init?(_ point: ProfilePoint) {
        guard let command = point.command else { return nil }
        self.init(accepts: .words(command.values.map(\.word)))
        toggles = point.toggles
        safety.off = point.off
        for value in command.values {
            guard let read = point.state(after: value.word)?.description, read != value.word else { continue }
            wordsRead[read] = value.word
        }
    }
}

/// `6/min`, or `off`.
private struct Rate {
    var limit: RateLimit?

    init?(_ text: String) {
        guard text != "off" else { return }
        let parts = text.split(separator: "/")
        let periods: [Substring: Duration] = [
            "s": .seconds(1), "min": .seconds(60), "m": .seconds(60), "h": .seconds(3600),
        ]
        guard parts.count == 2, let count = Scalar.integer(String(parts[0])), (1...100_000).contains(count),
            let period = periods[parts[1]]
        else { return nil }
        limit = RateLimit(count: count, period: period)
    }
}
