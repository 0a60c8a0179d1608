import MQTTCodec

/// Circles that can be seen in the lines alone.
///
/// They are looked for with sample topics, in which a name that nobody else takes stands for wildcards.
extension BridgeSettings {
    /// A topic that goes out through `other` to the same server, comes in here, and so goes out again and again; nil if
    /// there is none.
    package func loop(through other: BridgeSettings) -> String? {
        samples(through: other).first { local in
            guard let remote = Self.topic(local, other.out), let back = Self.topic(remote, self.in) else {
                return false
            }
            return Self.topic(back, other.out) != nil
        }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// A topic that goes out and comes back over this link, although it has No Local, because one of the
    /// subscriptions is shared and can't have it; nil if there is none. [MQTT-3.8.3-4]
    package var sharedLoop: String? {
        samples(through: self).first { local in
            guard let remote = Self.topic(local, out), let back = Self.topic(remote, self.in),
                Self.topic(back, out) != nil
            else { return false }
            return Self.isShared(remote, self.in) || Self.isShared(back, out)
        }.map { String(decoding: $0, as: UTF8.self) }
    }

    private func samples(through other: BridgeSettings) -> [[UInt8]] {
        let local = other.out.flatMap(\.filters)
        let remote = self.in.flatMap(\.filters)
        // A topic may need several levels behind the filter's for its new name to be one.
        return [1, 3].flatMap { depth in
            local.map { Self.sample($0, depth) }
                + remote.compactMap { Self.topic(Self.sample($0, depth), self.in) }
        }
    }

    private static func sample(_ filter: [UInt8], _ depth: Int) -> [UInt8] {
        let name = Array("example".utf8)[...]
        let levels = BridgeLine.unshared(filter).split(separator: Topic.separator, omittingEmptySubsequences: false)
        let filled = levels.flatMap { level -> [ArraySlice<UInt8>] in
            if level.elementsEqual([Topic.singleLevel]) { return [name] }
            return level.elementsEqual([Topic.multiLevel]) ? Array(repeating: name, count: depth) : [level]
        }
        return Array(filled.joined(separator: [Topic.separator]))
    }

    private static func topic(_ topic: [UInt8], _ lines: [BridgeLine]) -> [UInt8]? {
        for line in lines {
            switch line.verdict(on: topic) {
            case .otherLine: continue
            case .invalid: return nil
            case .topic(let topic): return topic
            }
        }
        return nil
    }

    /// Whether a shared subscription of the lines asks for a topic.
    private static func isShared(_ topic: [UInt8], _ lines: [BridgeLine]) -> Bool {
        lines.flatMap(\.filters).contains { filter in
            BridgeLine.isShared(filter) && Topic.matches(filter: BridgeLine.unshared(filter), name: topic)
        }
    }
}
