/// The topics of everything that is not decided by a rule.
package struct TopicTemplates: Equatable, Sendable {
    package var state: TopicTemplate = "{gateway}/{device}/{point}"
    package var command: TopicTemplate = "{gateway}/{device}/{point}/set"
    package var result: TopicTemplate = "{gateway}/{device}/{point}/result"
    /// Whether a device answers; only `{gateway}` and `{device}` have values here.
    package var availability: TopicTemplate = "{gateway}/{device}/$online"
    /// Whether the gateway is there, its will; only `{gateway}` has a value here.
    package var gateway: TopicTemplate = "{gateway}/$online"

    package init() {}
}

/// Other topics or another payload for some points.
package struct TopicRule: Equatable, Sendable {
    package var select: PointSelector
    package var state: TopicTemplate?
    package var command: TopicTemplate?
    package var result: TopicTemplate?
    package var payload: PayloadFormat?

    package init(select: PointSelector) {
        self.select = select
    }
}

/// Which points a rule is about: all patterns given must match.
package struct PointSelector: Equatable, Sendable {
    package var device: Glob?
    package var point: Glob?
    package var `class`: Glob?

    package init(device: Glob? = nil, point: Glob? = nil, class: Glob? = nil) {
        self.device = device
        self.point = point
        self.class = `class`
    }

    /// Whether the rule is about this point; a point without a class matches no class pattern.
    package func matches(device key: String, _ point: MappedPoint) -> Bool {
        guard device?.matches(key) ?? true, self.point?.matches(point.name) ?? true else { return false }
        guard let wanted = self.class else { return true }
        return point.class.map(wanted.matches) ?? false
    }
}
