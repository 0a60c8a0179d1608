import Documents
import Mapping
import Modbus
import Profiles

/// A device with the places where it is written, as far as it could be read.
struct ReadDevice {
    var key: String
    var mark: Mark
    /// The port's key, right or wrong, if one is given.
    var port: Located<String>?
    var unitMark: Mark
    var settings: DeviceSettings?
    var mapped: MappedDevice?
    /// Which outputs must not be on with which of its points, as they are written.
    var interlocks: [String: [Located<String>]] = [:]

    /// The port that `port: simulated` stands for.
    var simulatedPort: ReadPort? {
        guard let port, let settings, port.value == "\(DevicesSection.simulated)-\(key)" else { return nil }
        return ReadPort(
            settings: PortSettings(key: port.value, place: .simulate(profile: settings.profile.name)), mark: port.mark,
            isPlaced: true)
    }
}

/// `devices:` what is on the wires.
struct DevicesSection {
    var profiles: [String: Profile]
    var ports: [ReadPort]
    var defaults: PublishRule

    func read(_ root: Section) -> [ReadDevice] {
        guard let section = root.section("devices") else { return [] }
        return section.sections.map { name, section in
            Key.check(name, "a device", section)
            return device(name, section)
        }
    }

    private func device(_ key: String, _ section: Section) -> ReadDevice {
        let name = section.text("name")?.value
        let profile = profile(section)
        let port = port(key, section)
        var device = ReadDevice(key: key, mark: section.mark, port: port, unitMark: section.mark)
        let pace = DevicePace.read(section, profile)
        let unit = unit(section, profile, port)
        let rule = PublishKeys.read(section, over: defaults)
        device.unitMark = section.has("unit") ? section.mark(of: "unit") : section.mark
        if let profile {
            let points = PointsSection(device: key, profile: profile, pace: pace, rule: rule).read(section)
            var settings = DeviceSettings(
                key: key, profile: profile, port: port?.value ?? "", unit: unit, points: points.map(\.settings))
            settings.name = name
            settings.poll = pace.poll
            device.settings = settings
            device.mapped = MappedDevice(key: key, points: points.map(\.mapped))
            for point in points where !point.interlock.isEmpty {
                device.interlocks[point.settings.definition.name] = point.interlock
            }
        } else {
            _ = section.node("points")
        }
        finish(section)
        return device
    }

    private func profile(_ section: Section) -> Profile? {
        guard let name = section.text("profile") else {
            if section.node("profile") == nil, !section.has("reader") {
                section.missing(
                    "profile",
                    hint: "it says what the device is; \(UnknownName.known("profile", profiles.keys.sorted()))")
            }
            return nil
        }
        if profiles[name.value] == nil { UnknownProfile.complain(name, profiles, section.problems) }
        return profiles[name.value]
    }

    /// The port of a device that is to be simulated without one of its own in the file.
    static let simulated = "simulated"

    private func port(_ key: String, _ section: Section) -> Located<String>? {
        let keys = ports.map(\.settings.key)
        guard let port = section.text("port") else {
            if section.node("port") == nil {
                let known = keys.isEmpty ? "add one below 'ports:'" : "one of \(keys.joined(separator: ", "))"
                section.missing("port", hint: "it says which port the device is on: \(known)")
            }
            return nil
        }
        if port.value == Self.simulated, !keys.contains(port.value) {
            return Located("\(Self.simulated)-\(key)", at: port.mark)
        }
        if !keys.contains(port.value) { UnknownName.complain(port, "port", among: keys, section.problems) }
        return port
    }

    private func unit(_ section: Section, _ profile: Profile?, _ port: Located<String>?) -> UInt8 {
        let place = ports.first { $0.settings.key == port?.value }
        // Over TCP, 255 is a device that is its own gateway (Modbus messaging on TCP V1.0b, p. 23).
        let highest = place?.settings.modbus.mode == .tcp ? 255 : 247
        // On a line, 0 is all of them, who can be told something and answer nothing.
        let given = section.integer("unit", 0...highest)
        if given == 0, highest == 247, let profile, profile.points.allSatisfy({ $0.command == nil }) {
            section.problems.error(
                "unit 0 is all units of the line, which can only be told something: '\(profile.name)' takes no commands",
                at: section.mark(of: "unit"), hint: "write the device's own number, 1 to 247")
        }
        switch profile?.bus {
        case .modbus(let bus):
            return given.map { UInt8($0) } ?? bus.unit
        case .serial:
            if section.has("unit") {
                section.problems.warning(
                    "a device of profile '\(profile?.name ?? "")' has no unit", at: section.mark(of: "unit"),
                    hint: "take it out: only Modbus devices have one")
            }
            return 0
        case nil: return 0
        }
    }

    private func finish(_ section: Section) {
        section.spelled([
            "slave_id": "unit", "slave": "unit", "address": "unit", "id": "unit", "unit_id": "unit", "type": "profile",
            "template": "profile", "model": "profile", "device_type": "profile", "interval": "poll",
            "poll_interval": "poll", "scan_interval": "poll", "update_interval": "poll", "friendly_name": "name",
            "adapter": "port", "bus": "port", "serial_port": "port", "device": "port", "registers": "points",
        ])
        section.finish(later: ["reader", "sleep", "options", "filters"])
    }
}

/// How often a device is read, or heard.
struct DevicePace {
    static let usual: Duration = .seconds(5)
    static let shortest: Duration = .milliseconds(100)
    /// Slow points are read once in so many polls.
    static let slowFactor = 10

    /// Nil for a device that speaks unasked.
    var poll: Duration?
    /// How often a device that speaks unasked is heard.
    var every: Duration?

    static func read(_ section: Section, _ profile: Profile?) -> DevicePace {
        let poll = poll(section)
        guard case .serial(let bus) = profile?.bus else { return DevicePace(poll: poll ?? usual) }
        warnIfUseless(section, profile)
        return DevicePace(every: bus.every)
    }

    static func poll(_ section: Section) -> Duration? {
        guard let poll = section.duration("poll") else { return nil }
        guard poll >= shortest else {
            section.problems.error(
                "'poll' is too short", at: section.mark(of: "poll"), hint: "write \(shortest.words) or more")
            return nil
        }
        return poll
    }

    /// A device that speaks unasked sets its own pace.
    static func warnIfUseless(_ section: Section, _ profile: Profile?) {
        guard section.has("poll") else { return }
        section.problems.warning(
            "'poll' has no effect: a device of profile '\(profile?.name ?? "")' speaks unasked",
            at: section.mark(of: "poll"), hint: "take it out; report.min_interval says how often values are published")
    }

    /// For a point that does not say it itself.
    func poll(_ pace: ProfilePoint.Pace) -> Duration? {
        poll.map { pace == .slow ? $0 * Self.slowFactor : $0 }
    }
}
