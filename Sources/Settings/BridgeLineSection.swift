import Bridge
import Documents
import MQTTCodec

/// One line of `out`, `in` or `both`: which messages go over the bridge, and as what.
struct BridgeLineSection {
    private static let keep = "keep"

    var gateway: GatewayName

    /// A line of `out` or `in`.
    func read(_ section: Section) -> BridgeLine? {
        let filters = filters("filter", section)
        let prefixes = prefixes(section)
        let rewrite = rewrite(section, prefixes)
        var line = BridgeLine(filters: filters ?? [], rewrite: rewrite)
        common(section, &line)
        finish(section)
        check(line, section)
        return filters.map { _ in line }
    }

    /// A line of `both`: as one of `out`, and the way back.
    func readBoth(_ section: Section) -> (out: BridgeLine, in: BridgeLine)? {
        let filters = filters("filter", section)
        let prefixes = prefixes(section)
        if let to = section.text("to") {
            section.problems.error(
                "'to' says no way back", at: to.mark,
                hint: "write add_prefix or strip_prefix, which can be undone; or a line under 'out' and one under 'in'")
        }
        var out = BridgeLine(
            filters: filters ?? [], rewrite: TopicRewrite(removing: prefixes.strip, adding: prefixes.add))
        common(section, &out)
        finish(section)
        guard let filters else { return nil }
        var back = out
        back.rewrite = TopicRewrite(removing: prefixes.add, adding: prefixes.strip)
        let there = filters.map { moved($0, prefixes) }
        back.filters = there.compactMap(\.self)
        back.excluded = out.excluded.compactMap { moved($0, prefixes) }
        for filter in filters where moved(filter, prefixes) == nil {
            section.problems.error(
                "'\(String(decoding: filter, as: UTF8.self))' does not begin with what 'strip_prefix' takes away",
                at: section.mark(of: "strip_prefix"), hint: "begin the filter with the same levels")
        }
        return (out, back)
    }

    /// A local filter as the server sees it.
    private func moved(_ filter: [UInt8], _ prefixes: (strip: [UInt8], add: [UInt8])) -> [UInt8]? {
        filter.starts(with: prefixes.strip) ? prefixes.add + filter.dropFirst(prefixes.strip.count) : nil
    }

    private func finish(_ section: Section) {
        section.spelled([
            "topic": "filter", "pattern": "filter", "from": "filter", "topics": "filter", "remote": "to",
            "rewrite": "to", "prefix": "add_prefix", "remote_prefix": "add_prefix", "local_prefix": "strip_prefix",
            "excludes": "exclude", "except": "exclude", "ignore": "exclude",
        ])
        section.finish()
    }

    private func common(_ section: Section, _ line: inout BridgeLine) {
        if section.node("exclude") != nil { line.excluded = self.filters("exclude", section) ?? [] }
        if let qos = section.value("qos", wanted: "0, 1, 2 or keep", Self.qos) { line.qos = qos.value }
        let retain = section.value("retain", wanted: "keep or off") { text in
            text == Self.keep ? true : Scalar.bool(text) == false || text == "off" ? false : nil
        }
        if let retain { line.keepsRetain = retain.value }
        if let priority = section.word("priority", PriorityWord.self) { line.priority = priority.priority }
    }

    private enum PriorityWord: String, CaseIterable {
        case high
        case normal
        case low

        var priority: Priority {
            switch self {
            case .high: .high
            case .normal: .normal
            case .low: .low
            }
        }
    }

    /// Nil inside for the message's own.
    private static func qos(_ text: String) -> QoS?? {
        if text == keep { return .some(nil) }
        return Scalar.integer(text).flatMap { (0...2).contains($0) ? QoS(rawValue: UInt8($0)) : nil }.map { .some($0) }
    }

    // MARK: filters

    /// One filter or a list of them; nil if something is wrong with them.
    private func filters(_ key: String, _ section: Section) -> [[UInt8]]? {
        guard let node = section.node(key) else {
            section.missing(key, hint: "it says which topics: filter: \"{gateway}/#\"")
            return nil
        }
        let texts: [Located<String>?]
        if let items = node.items {
            texts = items.map { item in
                if let text = item.text, item.tag == nil { return Located(text, at: item.mark) }
                section.problems.error("'\(key)' must hold texts, not \(item.kind)", at: item.mark)
                return nil
            }
        } else {
            texts = [section.text(key)]
        }
        let filters = texts.map { $0.flatMap { checked($0, section) } }
        return filters.contains(nil) || filters.isEmpty ? nil : filters.compactMap(\.self)
    }

    private func checked(_ filter: Located<String>, _ section: Section) -> [UInt8]? {
        let text = gateway.resolved(filter.value)
        let bare = String(decoding: BridgeLine.unshared(Array(text.utf8)), as: UTF8.self)
        guard let mistake = FilterMistake(bare) else { return Array(text.utf8) }
        section.problems.error(
            "'\(filter.value)' is not a topic filter: \(mistake.words)", at: filter.mark, hint: mistake.advice)
        return nil
    }

    // MARK: topics

    private func prefixes(_ section: Section) -> (strip: [UInt8], add: [UInt8]) {
        (prefix("strip_prefix", section), prefix("add_prefix", section))
    }

    private func prefix(_ key: String, _ section: Section) -> [UInt8] {
        guard let text = section.text(key) else { return [] }
        let bytes = Array(gateway.resolved(text.value).utf8)
        if bytes.isEmpty || Topic.isValidName(bytes.span, 0..<bytes.count) { return bytes }
        section.problems.error(
            "'\(text.value)' can't be used for '\(key)'", at: text.mark,
            hint: "a topic to publish to has no + or # and no NUL")
        return []
    }

    private func rewrite(_ section: Section, _ prefixes: (strip: [UInt8], add: [UInt8])) -> TopicRewrite {
        guard let to = section.text("to") else {
            return TopicRewrite(removing: prefixes.strip, adding: prefixes.add)
        }
        for key in ["add_prefix", "strip_prefix"] where section.has(key) {
            section.problems.error(
                "'to' and '\(key)' say the same thing twice", at: section.mark(of: key), hint: "keep one of them")
        }
        do throws(TopicRewriteError) {
            return try TopicRewrite(to.value, gateway: gateway.id)
        } catch {
            section.problems.error("'\(to.value)' can't be used for 'to'", at: to.mark, hint: "\(error)")
            return .same
        }
    }

    private func check(_ line: BridgeLine, _ section: Section) {
        let needed = line.rewrite.wildcardsNeeded
        for filter in line.filters where BridgeLine.wildcards(of: filter) < needed {
            section.problems.error(
                "'{\(needed)}' in 'to' asks for a wildcard that '\(String(decoding: filter, as: UTF8.self))' has not",
                at: section.mark(of: "to"), hint: "{1} is what the first + or # of the filter stands for")
        }
    }
}

/// `{gateway}` in texts.
struct GatewayName {
    var id: String

    /// With the gateway's id in its place.
    func resolved(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        let name = "{gateway}"
        while !rest.isEmpty {
            if rest.hasPrefix(name) {
                result += id
                rest = rest.dropFirst(name.count)
            } else {
                result.append(rest.removeFirst())
            }
        }
        return result
    }
}
