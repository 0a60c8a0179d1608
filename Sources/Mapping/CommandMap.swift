/// Which topics carry commands, and for which point.
package struct CommandMap: Sendable {
    /// What to subscribe to: every command template with wildcards where points differ.
    ///
    /// So a command for a point that takes none arrives as well, and can be answered.
    package let filters: [[UInt8]]
    private let targets: [[UInt8]: CommandTarget]

    package init(_ settings: MappingSettings) {
        var targets: [[UInt8]: CommandTarget] = [:]
        for planned in TopicPlan(settings).points {
            let target = CommandTarget(
                device: planned.device, point: planned.point.name, isWritable: planned.point.isWritable,
                resultTopic: planned.result)
            // A point that takes commands comes before one that does not; otherwise the first has it.
            let taken = targets[planned.command].map { $0.isWritable || !target.isWritable } ?? false
            if !taken { targets[planned.command] = target }
        }
        self.targets = targets
        filters = Self.filters(settings)
    }

    /// The point that a message on `topic` is a command for; nil if it is for none.
    package func target(of topic: [UInt8]) -> CommandTarget? {
        targets[topic]
    }

    /// The points that take commands.
    package var writable: [CommandTarget] { targets.values.filter(\.isWritable) }

    private static func filters(_ settings: MappingSettings) -> [[UInt8]] {
        var filters: [[UInt8]] = []
        for template in [settings.topics.command] + settings.rules.compactMap(\.command) {
            for filter in template.filters(gateway: settings.gateway) where !filters.contains(filter) {
                filters.append(filter)
            }
        }
        return filters
    }
}

/// The point that a command is for.
package struct CommandTarget: Equatable, Sendable {
    package var device: String
    package var point: String
    /// Whether the point takes commands at all; if not, the answer says so.
    package var isWritable: Bool
    /// Where the answer goes unless the command names a response topic.
    package var resultTopic: [UInt8]
}

extension TopicTemplate {
    /// The filters that match every topic this template can make: a level with any placeholder but the gateway's becomes
    /// `+`, and each part in brackets may be there or not.
    fileprivate func filters(gateway: String) -> [[UInt8]] {
        var texts = [""]
        for segment in segments {
            let text = segment.pieces.map { $0.filterText(gateway: gateway) }.joined()
            texts = (segment.isOptional ? texts : []) + texts.map { $0 + text }
        }
        return texts.map { text in
            let levels = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            let wild = levels.map { $0.contains(UInt8(ascii: "+")) ? [UInt8(ascii: "+")] : [UInt8]($0) }
            return [UInt8](wild.joined(separator: [UInt8(ascii: "/")]))
        }
    }
}

extension TopicTemplate.Piece {
    fileprivate func filterText(gateway: String) -> String {
        switch self {
        case .text(let text): text
        case .value(.gateway): gateway
        case .value: "+"
        }
    }
}
