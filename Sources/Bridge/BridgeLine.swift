package import MQTTCodec

/// One line of `out` or `in`: messages that match a filter go on under another topic.
package struct BridgeLine: Equatable, Sendable {
    /// Matched where the message comes from, the first that fits; checked by the caller with `Topic.isValidFilter`.
    package var filters: [[UInt8]]
    /// Messages that match one of these are left to the next line.
    package var excluded: [[UInt8]] = []
    package var rewrite: TopicRewrite
    /// The QoS it goes on with, whatever it came with: a message published at QoS 0 is worth keeping too.
    ///
    /// Nil keeps the message's own.
    package var qos: QoS?
    /// Whether a message that was published to be retained is retained on the other side too.
    package var keepsRetain = true
    /// Which messages go first when several wait.
    package var priority = Priority.normal

    package init(filter: [UInt8], rewrite: TopicRewrite = .same, qos: QoS? = .atLeastOnce) {
        self.init(filters: [filter], rewrite: rewrite, qos: qos)
    }

    package init(filters: [[UInt8]], rewrite: TopicRewrite = .same, qos: QoS? = .atLeastOnce) {
        self.filters = filters
        self.rewrite = rewrite
        self.qos = qos
    }

    /// What the line makes of a topic.
    enum Verdict: Equatable {
        case otherLine
        case topic([UInt8])
        /// It is this line's, but the new topic can't be one.
        case invalid
    }

    func verdict(on topic: [UInt8]) -> Verdict {
        guard let filter = filters.first(where: { Topic.matches(filter: Self.unshared($0), name: topic) }),
            !excluded.contains(where: { Topic.matches(filter: $0, name: topic) })
        else { return .otherLine }
        return rewrite.apply(to: topic, matchedBy: Self.unshared(filter)).map { .topic($0) } ?? .invalid
    }

    /// What the subscriptions for this line ask for.
    var requests: [Subscribe.Request] {
        filters.map { filter in
            // Above QoS 0 whatever the line says: the local side always acknowledges.
            var request = Subscribe.Request(filter: filter, qos: max(qos ?? .exactlyOnce, .atLeastOnce))
            request.noLocal = !Self.isShared(filter)  // [MQTT-3.8.3-4]
            request.retainAsPublished = true
            return request
        }
    }

    static func isShared(_ filter: [UInt8]) -> Bool { filter.starts(with: Array("$share/".utf8)) }

    /// The filter that a shared subscription stands for. [MQTT 5, section 4.8.2]
    package static func unshared(_ filter: [UInt8]) -> [UInt8] {
        guard isShared(filter) else { return filter }
        let parts = filter.split(separator: Topic.separator, maxSplits: 2, omittingEmptySubsequences: false)
        return parts.count == 3 ? Array(parts[2]) : filter
    }
}

extension BridgeLine {
    /// How many wildcards a filter has.
    package static func wildcards(of filter: [UInt8]) -> Int {
        unshared(filter).count { $0 == Topic.singleLevel || $0 == Topic.multiLevel }
    }
}
