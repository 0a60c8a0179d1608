import Control
import Documents
import Mapping
import Profiles

/// `points:` of a device: what it changes about its profile's points.
struct PointsSection {
    /// A point for those who read it and for those who publish it.
    struct Point {
        var settings: DevicePoint
        var mapped: MappedPoint
        /// The outputs that must not be on with it, as they are written.
        var interlock: [Located<String>] = []
    }

    var device: String
    var profile: Profile
    var pace: DevicePace
    var rule: PublishRule

    /// The profile's points, in its order, without those that are switched off.
    func read(_ device: Section) -> [Point] {
        guard let section = device.section("points") else {
            return profile.points.map { point($0, poll: pace.poll($0.pace), rule) }
        }
        let points = profile.points.compactMap { definition -> Point? in
            guard let node = section.node(definition.name) else {
                return point(definition, poll: pace.poll(definition.pace), rule)
            }
            if let word = node.text {
                return keeps(definition.name, word, node.mark, section) ? plain(definition) : nil
            }
            return section.section(definition.name).map { overridden(definition, $0) } ?? plain(definition)
        }
        finish(section)
        return points
    }

    private func plain(_ definition: ProfilePoint) -> Point {
        point(definition, poll: pace.poll(definition.pace), rule)
    }

    /// `off` drops a point.
    private func keeps(_ name: String, _ word: String, _ mark: Mark, _ section: Section) -> Bool {
        let keeps = Scalar.bool(word)
        if keeps == nil {
            section.problems.error(
                "'\(word)' is not allowed for '\(name)'", at: mark,
                hint: "write off to leave the point out, or keys like { poll: 30s, report: { deadband: 5 } }")
        }
        return keeps ?? true
    }

    private func overridden(_ definition: ProfilePoint, _ section: Section) -> Point {
        let poll = DevicePace.poll(section)
        if pace.every != nil { DevicePace.warnIfUseless(section, profile) }
        let rule = PublishKeys.read(section, over: rule)
        section.spelled(["interval": "poll", "poll_interval": "poll", "scan_interval": "poll", "deadband": "report"])
        var point = point(definition, poll: pace.poll == nil ? nil : poll ?? pace.poll(definition.pace), rule)
        point.interlock = command(section, &point.settings)
        section.finish(later: [
            "filters", "map", "unit", "class", "name", "at", "table", "type", "order", "scale", "offset",
            "quantity", "phase", "from",
        ])
        return point
    }

    /// What holds for the point's commands; returns its interlock.
    private func command(_ section: Section, _ point: inout DevicePoint) -> [Located<String>] {
        guard let command = section.section("command") else { return [] }
        guard var actuator = point.actuator else {
            section.problems.error(
                "'\(point.definition.name)' takes no commands", at: section.mark(of: "command"),
                hint: "take 'command' out: the profile '\(profile.name)' says nothing of how to write this point")
            return []
        }
        let interlock = CommandSection(section: command).read(into: &actuator)
        point.actuator = actuator
        return interlock
    }

    private func point(_ definition: ProfilePoint, poll: Duration?, _ rule: PublishRule) -> Point {
        var settings = DevicePoint(definition: definition)
        settings.poll = poll
        settings.actuator = ActuatorSettings(definition)
        var mapped = MappedPoint(
            name: definition.name, class: definition.class, phase: definition.phase, quantity: definition.quantity,
            unit: definition.unit)
        mapped.interval = poll ?? pace.every
        mapped.isWritable = definition.command != nil
        mapped.publish = rule
        return Point(settings: settings, mapped: mapped)
    }

    private func finish(_ section: Section) {
        let names = profile.points.map(\.name)
        for (name, mark, _) in section.names where !names.contains(name) {
            let nearest = NearestWord.of(name, among: names).map { "did you mean '\($0)'? " } ?? ""
            section.problems.error(
                "profile '\(profile.name)' has no point '\(name)'", at: mark,
                hint: "\(nearest)it has: \(names.joined(separator: ", "))")
        }
    }
}
