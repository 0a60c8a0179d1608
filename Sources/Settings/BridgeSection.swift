import Bridge
import Documents
import MQTTCodec

/// The keys of an upstream that say what goes over it: `client_id`, `out`, `in` and `buffer`.
struct BridgeSection {
    private static let queueBytes = 64_000_000

    var gateway: String

    func read(_ section: Section) -> BridgeSettings {
        let clientID = section.text("client_id").map { resolved($0.value) } ?? gateway
        var settings = BridgeSettings(clientID: Array(clientID.utf8))
        settings.out = lines("out", section)
        settings.in = lines("in", section)
        settings.queue.bytes = Self.queueBytes
        if let buffer = section.section("buffer") { self.buffer(buffer, into: &settings.queue) }
        if !section.has("out"), !section.has("in") {
            section.problems.warning(
                "nothing goes to or comes from '\(section.path)'", at: section.mark,
                hint: "add out: [ { filter: \"{gateway}/#\" } ] to forward all readings")
        }
        return settings
    }

    private func lines(_ key: String, _ section: Section) -> [BridgeSettings.Line] {
        (section.list(key, like: "[ { filter: \"{gateway}/#\" } ]") ?? []).enumerated().compactMap { index, node in
            Section(node, path: "\(section.path).\(key).\(index + 1)", section.problems).flatMap(line)
        }
    }

    private func line(_ section: Section) -> BridgeSettings.Line? {
        let filter = filter(section)
        let rewrite = rewrite(section)
        let qos = section.integer("qos", 0...1).map { $0 == 0 ? QoS.atMostOnce : .atLeastOnce } ?? .atLeastOnce
        section.spelled([
            "topic": "filter", "pattern": "filter", "from": "filter", "remote": "to", "prefix": "to", "rewrite": "to",
        ])
        section.finish(later: ["retain"])
        return filter.map { BridgeSettings.Line(filter: Array($0.utf8), rewrite: rewrite, qos: qos) }
    }

    private func filter(_ section: Section) -> String? {
        guard let filter = section.text("filter") else {
            if section.node("filter") == nil {
                section.missing("filter", hint: "it says which topics: filter: \"{gateway}/#\"")
            }
            return nil
        }
        let text = resolved(filter.value)
        guard let mistake = FilterMistake(text) else { return text }
        section.problems.error(
            "'\(filter.value)' is not a topic filter: \(mistake.words)", at: filter.mark, hint: mistake.advice)
        return nil
    }

    private func rewrite(_ section: Section) -> TopicRewrite {
        guard let to = section.text("to") else { return .same }
        do throws(TopicRewriteError) {
            return try TopicRewrite(to.value, gateway: gateway)
        } catch {
            section.problems.error("'\(to.value)' can't be used for 'to'", at: to.mark, hint: "\(error)")
            return .same
        }
    }

    private func buffer(_ section: Section, into queue: inout QueueLimits) {
        if let count = section.integer("max_messages", 1...100_000_000) { queue.messages = count }
        if let size = section.size("max_size", 1_000...1_000_000_000_000) { queue.bytes = size }
        if let age = section.duration("max_age", or: "never") { queue.age = age }
        section.dropOldest("full")
        section.spelled(["messages": "max_messages", "bytes": "max_size", "size": "max_size"])
        section.finish(later: ["path", "sync", "replay"])
    }

    /// With the gateway's id in its place.
    private func resolved(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        let name = "{gateway}"
        while !rest.isEmpty {
            if rest.hasPrefix(name) {
                result += gateway
                rest = rest.dropFirst(name.count)
            } else {
                result.append(rest.removeFirst())
            }
        }
        return result
    }
}

/// Why a text is no topic filter.
struct FilterMistake {
    var words: String
    var advice: String

    /// Nil for a good filter.
    init?(_ filter: String) {
        let bytes = Array(filter.utf8)
        guard !Topic.isValidFilter(bytes.span, 0..<bytes.count) else { return nil }
        let levels = filter.split(separator: "/", omittingEmptySubsequences: false)
        if filter.isEmpty {
            words = "it is empty"
            advice = "'#' stands for every topic"
        } else if levels.dropLast().contains(where: { $0.contains("#") }) {
            words = "'#' must be the last level"
            advice = "'+' stands for one level: site/+/power"
        } else if levels.contains(where: { $0.count > 1 && ($0.contains("#") || $0.contains("+")) }) {
            words = "'+' and '#' stand for whole levels"
            advice = "write them alone between slashes: site/+/power, site/#"
        } else {
            words = "it has characters that topics can't have"
            advice = "take control characters out"
        }
    }
}
