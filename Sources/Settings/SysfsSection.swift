import Documents
import Mapping

/// A device of files with the places where it is written.
struct ReadSysfs {
    var settings: SysfsDeviceSettings
    var mapped: MappedDevice
    var mark: Mark
}

/// `sysfs:` sensors that the kernel drives itself, and whose values it has in files: one-wire, I²C, its own temperature.
struct SysfsSection {
    /// How often a file is read if nobody says otherwise.
    static let poll: Duration = .seconds(10)

    var defaults: PublishRule
    /// Where the devices of other sections are written.
    var taken: [String: Mark]

    func read(_ root: Section) -> [ReadSysfs] {
        guard let section = root.section("sysfs") else { return [] }
        return section.sections.compactMap { name, section in
            Key.check(name, "a device", section)
            if let other = taken[name] {
                section.problems.error(
                    "there is a device '\(name)' already, in line \(other.line)", at: section.mark,
                    hint: "give one of them another key: it is in their topics")
            }
            return device(name, section)
        }
    }

    private func device(_ key: String, _ section: Section) -> ReadSysfs? {
        let name = section.text("name")?.value
        let poll = section.duration("poll", 100...86_400_000) ?? Self.poll
        let rule = PublishKeys.read(section, over: defaults)
        var read: [(settings: SysfsPointSettings, mapped: MappedPoint)] = []
        if let points = section.section("points") {
            refuseBoth(section)
            let sections = points.sections
            for (name, point) in sections {
                Key.check(name, "a point", point)
                let own = PublishKeys.read(point, over: rule)
                if let one = self.point(name, point, own, poll) { read.append(one) }
                finish(point)
            }
            if sections.isEmpty { section.missing("points", hint: Self.example) }
        } else if section.node("points") == nil {
            let name = section.text("point")?.value ?? "value"
            Key.check(name, "a point", section)
            if let one = point(name, section, rule, poll) { read.append(one) }
        }
        finish(section)
        guard !read.isEmpty else { return nil }
        var settings = SysfsDeviceSettings(key: key, poll: poll, points: read.map(\.settings))
        settings.name = name
        return ReadSysfs(
            settings: settings, mapped: MappedDevice(key: key, points: read.map(\.mapped)), mark: section.mark)
    }

    private static let example = "like path: /sys/bus/w1/devices/28-0316a2794b2a/temperature"

    /// What stands for one file can stand beside it only where there is one.
    private func refuseBoth(_ section: Section) {
        for key in ["path", "point", "scale", "offset", "unit", "class", "range"] where section.node(key) != nil {
            section.problems.error(
                "'\(key)' belongs to a point, and '\(section.path)' has 'points'", at: section.mark(of: key),
                hint: "move it into the point that it is for")
        }
    }

    private func point(
        _ name: String, _ section: Section, _ rule: PublishRule, _ poll: Duration
    ) -> (settings: SysfsPointSettings, mapped: MappedPoint)? {
        let unit = section.text("unit")?.value
        var settings = SysfsPointSettings(name: name, path: "", unit: unit)
        settings.scale = section.number("scale") ?? 1
        settings.offset = section.number("offset") ?? 0
        settings.range = range(section)
        var mapped = MappedPoint(name: name, class: section.text("class")?.value, unit: unit)
        mapped.interval = poll
        mapped.publish = rule
        guard let path = path(section) else { return nil }
        settings.path = path
        return (settings, mapped)
    }

    private func path(_ section: Section) -> String? {
        guard let path = section.text("path") else {
            if section.node("path") == nil { section.missing("path", hint: Self.example) }
            return nil
        }
        guard path.value.hasPrefix("/"), !path.value.hasSuffix("/"), !path.value.utf8.contains(0) else {
            section.problems.error("'\(path.value)' is no path of a file", at: path.mark, hint: Self.example)
            return nil
        }
        return path.value
    }

    private func range(_ section: Section) -> ClosedRange<Double>? {
        guard let range = section.section("range") else { return nil }
        defer { range.finish() }
        let minimum = range.number("min") ?? -.infinity
        let maximum = range.number("max") ?? .infinity
        guard minimum <= maximum else {
            range.problems.error("'min' is above 'max'", at: range.mark(of: "min"))
            return nil
        }
        return minimum...maximum
    }

    private func finish(_ section: Section) {
        section.spelled([
            "file": "path", "factor": "scale", "multiplier": "scale", "interval": "poll", "every": "poll",
            "correction": "offset", "sensors": "points", "files": "points",
        ])
        section.finish()
    }
}
