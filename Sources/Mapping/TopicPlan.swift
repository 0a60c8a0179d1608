import MQTTCodec

/// The topics of gateway, devices and points, worked out once, with what is wrong about them.
package struct TopicPlan: Sendable {
    /// What the configuration asks for and can't have; `martlet check` shows them.
    package private(set) var problems: [MappingProblem] = []
    private(set) var points: [PlannedPoint] = []
    /// In the order of the configuration.
    private(set) var devices: [PlannedDevice] = []
    private(set) var gateway: [UInt8] = []
    private var owners: [[UInt8]: String] = [:]

    package init(_ settings: MappingSettings) {
        let builtIn = TopicTemplates()
        gateway = topic(
            settings.topics.gateway, else: builtIn.gateway, TopicValues(gateway: settings.gateway), of: "the gateway")
        for device in settings.devices {
            let values = TopicValues(gateway: settings.gateway, device: device.key)
            let topic = topic(settings.topics.availability, else: builtIn.availability, values, of: device.key)
            devices.append(PlannedDevice(key: device.key, availability: topic))
        }
        for device in settings.devices {
            for point in device.points {
                plan(point, of: device.key, settings)
            }
        }
    }

    private mutating func plan(_ point: MappedPoint, of device: String, _ settings: MappingSettings) {
        let rule = settings.rules.first { $0.select.matches(device: device, point) }
        let values = TopicValues(gateway: settings.gateway, device: device, point)
        let name = "\(device)/\(point.name)"
        let topics = settings.topics
        points.append(
            PlannedPoint(
                device: device, point: point, payload: rule?.payload ?? point.publish.payload,
                state: topic(rule?.state, else: topics.state, values, of: name),
                command: topic(rule?.command, else: topics.command, values, of: name, claims: point.isWritable),
                result: topic(rule?.result, else: topics.result, values, of: name, claims: false)))
    }

    /// The topic by the rule's template; where that needs a value the point doesn't have, by the one for all.
    private mutating func topic(
        _ special: TopicTemplate?, else common: TopicTemplate, _ values: TopicValues, of name: String,
        claims: Bool = true
    ) -> [UInt8] {
        for template in [special, common].compactMap(\.self) {
            do throws(MissingValue) {
                let topic = try template.topic(values)
                if claims { claim(topic, for: name) }
                return topic
            } catch {
                problems.append(.missingValue(owner: name, template: template.source, placeholder: error.name))
            }
        }
        return [UInt8](name.utf8)
    }

    /// Two owners of one topic would overwrite each other's values.
    private mutating func claim(_ topic: [UInt8], for name: String) {
        if let owner = owners[topic] {
            problems.append(.sameTopic(String(decoding: topic, as: UTF8.self), first: owner, second: name))
        } else {
            owners[topic] = name
        }
    }
}

/// One device with the topic that says whether it is there.
struct PlannedDevice: Sendable {
    var key: String
    var availability: [UInt8]
}

/// One point with its topics.
struct PlannedPoint: Equatable, Sendable {
    var device: String
    var point: MappedPoint
    var payload: PayloadFormat
    var state: [UInt8]
    var command: [UInt8]
    var result: [UInt8]
}

/// Something about topics that the configuration asks for and can't have.
package enum MappingProblem: Equatable, Sendable {
    /// The template needs a value that the point (device, gateway) doesn't have; the common template is used instead.
    case missingValue(owner: String, template: String, placeholder: TopicTemplate.Placeholder)
    case sameTopic(String, first: String, second: String)
}

extension MappingProblem: CustomStringConvertible {
    package var description: String {
        switch self {
        case .missingValue(let owner, let template, let placeholder):
            "'\(template)' can't be the topic of \(owner), which has no \(placeholder.rawValue); "
                + "put {\(placeholder.rawValue)} in square brackets or choose another template"
        case .sameTopic(let topic, let first, let second):
            "\(first) and \(second) would both be published on '\(topic)'"
        }
    }
}
