import Bridge
import Documents
import MQTTCodec

/// The keys of an upstream that say what goes over it: `client_id`, `out`, `in`, `both` and `buffer`.
struct BridgeSection {
    var gateway: GatewayName
    /// What a buffer has that does not say it itself.
    var sync: StoreSettings.Sync

    func read(_ section: Section) -> BridgeSettings {
        let clientID = section.text("client_id").map { gateway.resolved($0.value) } ?? gateway.id
        var settings = BridgeSettings(clientID: Array(clientID.utf8))
        settings.gateway = Array(gateway.id.utf8)
        let reader = BridgeLineSection(gateway: gateway)
        settings.out = lines("out", section).compactMap(reader.read)
        settings.in = lines("in", section).compactMap(reader.read)
        for (out, back) in lines("both", section).compactMap(reader.readBoth) {
            settings.out.append(out)
            settings.in.append(back)
        }
        settings.queue.sync = sync.ofBuffer
        if let buffer = section.section("buffer") { BufferSection.read(buffer, into: &settings) }
        if !section.has("out"), !section.has("in"), !section.has("both") {
            section.problems.warning(
                "nothing goes to or comes from '\(section.path)'", at: section.mark,
                hint: "add out: [ { filter: \"{gateway}/#\" } ] to forward all readings")
        }
        return settings
    }

    private func lines(_ key: String, _ section: Section) -> [Section] {
        (section.list(key, like: "[ { filter: \"{gateway}/#\" } ]") ?? []).enumerated().compactMap { index, node in
            Section(node, path: "\(section.path).\(key).\(index + 1)", section.problems)
        }
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
