/// Everything Mapping needs to know, filled in by the configuration.
package struct MappingSettings: Equatable, Sendable {
    /// The gateway's id, `{gateway}` in templates.
    package var gateway: String
    package var topics: TopicTemplates
    /// The first rule that selects a point decides; what it leaves out is as in `topics` and the point's own `publish`.
    package var rules: [TopicRule]
    package var devices: [MappedDevice]

    package init(
        gateway: String, topics: TopicTemplates = TopicTemplates(), rules: [TopicRule] = [],
        devices: [MappedDevice] = []
    ) {
        self.gateway = gateway
        self.topics = topics
        self.rules = rules
        self.devices = devices
    }
}

/// A device as Mapping sees it.
package struct MappedDevice: Equatable, Sendable {
    /// The key in the configuration, `{device}` in templates.
    package var key: String
    package var points: [MappedPoint]

    package init(key: String, points: [MappedPoint]) {
        self.key = key
        self.points = points
    }
}

/// A point as Mapping sees it: its names for topics, and how it is published.
package struct MappedPoint: Equatable, Sendable {
    /// `{point}` in templates.
    package var name: String
    /// What kind of thing it is, `{class}`: energy, door.
    package var `class`: String?
    /// `{phase}`: l1, l2, l3.
    package var phase: String?
    /// `{quantity}`: voltage, power.
    package var quantity: String?
    /// The unit that its readings have, `{unit}`.
    package var unit: String?
    /// How often a reading is expected (the poll interval, or the pace of a device that speaks unasked); nil if no pace is
    /// known, and then silence never makes it stale.
    package var interval: Duration?
    package var isWritable: Bool
    package var publish: PublishRule

    package init(
        name: String, class: String? = nil, phase: String? = nil, quantity: String? = nil, unit: String? = nil
    ) {
        self.name = name
        self.class = `class`
        self.phase = phase
        self.quantity = quantity
        self.unit = unit
        interval = nil
        isWritable = false
        publish = PublishRule()
    }
}
