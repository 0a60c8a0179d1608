import Documents
import MQTTCodec
import Mapping

/// The keys that say how readings are published, the same in `defaults`, a device and a point.
enum PublishKeys {
    /// What the section says, and `base` where it says nothing.
    static func read(_ section: Section, over base: PublishRule) -> PublishRule {
        var rule = base
        if let payload = section.word("payload", PayloadFormat.self) { rule.payload = payload }
        if let report = section.section("report") { rule.report = ReportKeys.read(report, over: base.report) }
        if let staleAfter = staleAfter(section) { rule.staleAfter = staleAfter }
        if let qos = section.integer("qos", 0...2), let qos = QoS(rawValue: UInt8(qos)) { rule.qos = qos }
        if let retain = section.bool("retain") { rule.retain = retain }
        if let expiry = section.duration("expiry", or: "never") { rule.expiry = expiry }
        warnOfExpiring(section, rule, base)
        return rule
    }

    /// `3x`, a time, or `never`.
    private static func staleAfter(_ section: Section) -> StaleAfter? {
        let wanted = "how often to wait for the usual interval (3x), a time with its unit (90s), or never"
        return section.value("stale_after", wanted: wanted) { text in
            if text == "never" { return .never }
            if let time = Scalar.duration(text) { return .duration(time) }
            guard text.hasSuffix("x"), let factor = Scalar.number(String(text.dropLast())) else { return nil }
            return factor >= 1 ? .intervals(factor) : nil
        }?.value
    }

    /// A value that stays the same is sent every `max_interval`; if it expires before, new subscribers find nothing.
    private static func warnOfExpiring(_ section: Section, _ rule: PublishRule, _ base: PublishRule) {
        guard expires(rule), !expires(base), let expiry = rule.expiry else { return }
        let key = section.has("report") ? "report" : section.has("expiry") ? "expiry" : "retain"
        section.problems.warning(
            "a value that stays the same expires after \(expiry.words) and is gone until it changes",
            at: section.mark(of: key), hint: "set report.max_interval below \(expiry.words), or 'expiry: never'")
    }

    private static func expires(_ rule: PublishRule) -> Bool {
        guard let expiry = rule.expiry, rule.retain, rule.report.when == .change else { return false }
        return rule.report.maxInterval.map { $0 >= expiry } ?? true
    }
}

/// `report:` when a reading is worth a message.
enum ReportKeys {
    static func read(_ section: Section, over base: ReportRule) -> ReportRule {
        var rule = base
        if let when = section.word("when", ReportRule.Trigger.self) { rule.when = when }
        if let shortest = section.duration("min_interval") { rule.minInterval = shortest }
        if let longest = section.duration("max_interval", or: "never") { rule.maxInterval = longest }
        if let deadband = section.value("deadband", wanted: "a number from 0, like 0.5", positive)?.value {
            rule.deadband = deadband
        }
        if let longest = rule.maxInterval, longest < rule.minInterval {
            section.problems.error(
                "max_interval (\(longest.words)) is shorter than min_interval (\(rule.minInterval.words))",
                at: section.mark(of: section.has("max_interval") ? "max_interval" : "min_interval"),
                hint: "min_interval is the shortest time between two messages, max_interval the longest")
        }
        section.spelled(["interval": "min_interval", "min": "min_interval", "max": "max_interval", "mode": "when"])
        section.finish(later: ["distance"])
        return rule
    }

    private static func positive(_ text: String) -> Double? {
        Scalar.number(text).flatMap { $0 >= 0 ? $0 : nil }
    }
}

/// `defaults:` what devices and points inherit.
enum DefaultsSection {
    static func read(_ section: Section) -> PublishRule {
        let rule = PublishKeys.read(section, over: PublishRule())
        section.finish(later: ["filters"])
        return rule
    }
}

extension Duration {
    /// As people write it: `5m`, `300ms`.
    var words: String {
        let milliseconds = components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
        for (factor, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")] as [(Int64, String)]
        where milliseconds > 0 && milliseconds % factor == 0 {
            return "\(milliseconds / factor)\(unit)"
        }
        return "\(milliseconds)ms"
    }
}
