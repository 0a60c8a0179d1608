import Control
import Decoders
import Documents
import Mapping

/// A GPIO device with the places where it is written.
struct ReadGPIO {
    var settings: GPIODeviceSettings
    var mapped: MappedDevice
    var mark: Mark
    /// Which outputs must not be on with which of its points, as they are written.
    var interlocks: [String: [Located<String>]] = [:]
}

/// `gpio:` contacts, counters, relays: what hangs on single lines.
struct GPIOSection {
    /// The word of `as:`.
    enum Kind: String, CaseIterable {
        case contact, button, `switch`, counter, frequency, encoder, cover, stepper, pwm, watchdog
    }

    /// How often a level that stays the same is told again, so that nobody takes an old one for a new one.
    static let retold: Duration = .seconds(60)

    var defaults: PublishRule
    /// Where the devices of other sections are written.
    var taken: [String: Mark]

    func read(_ root: Section) -> [ReadGPIO] {
        guard let section = root.section("gpio") else { return [] }
        let devices = section.sections.compactMap { name, section in
            Key.check(name, "a GPIO device", section)
            if let other = taken[name] {
                section.problems.error(
                    "there is a device '\(name)' already, in line \(other.line)", at: section.mark,
                    hint: "give one of them another key: it is in their topics")
            }
            return device(name, section)
        }
        checkLines(devices, root)
        return devices
    }

    private func device(_ key: String, _ section: Section) -> ReadGPIO? {
        let name = section.text("name")?.value
        let kind = kind(section)
        let rule = rule(section, kind)
        if kind == .cover { return moving(GPIOCover(section: section).read(), key, name, section, rule) }
        if kind == .stepper { return moving(GPIOStepper(section: section).read(), key, name, section, rule) }
        if kind == .pwm { return pulseWidth(key, name, section, rule) }
        let lines = lines(section, kind)
        let input = section.section("input")
        let output = section.section("output")
        let isOutput = output != nil
        checkDirection(section, kind, hasInput: input != nil, isOutput: isOutput)
        let wiring = GPIOWiring.read(input ?? output)
        var device: ReadGPIO?
        if let kind {
            var settings = GPIODeviceSettings(
                key: key, lines: lines.map(wiring.applied), use: .output(.pushPull), points: [])
            settings.name = name
            device = ReadGPIO(settings: settings, mapped: MappedDevice(key: key, points: []), mark: section.mark)
            if kind == .watchdog {
                settings.use = .watchdog(period: watchdogPeriod(section), GPIOWiring.drive(output))
            } else if isOutput {
                settings.use = .output(GPIOWiring.drive(output))
                let read = GPIOSwitch.read(section)
                settings.points = [read.point]
                device?.interlocks = read.interlock.isEmpty ? [:] : [read.point.name: read.interlock]
            } else {
                let function = GPIOFunction(section: section).read(kind)
                let debounce = GPIOWiring.debounce(input)
                settings.use = .input(
                    function.function, debounce: debounce, keeps: function.keeps, start: function.start)
                settings.points = function.points
            }
            device?.settings = settings
            device?.mapped.points = settings.points.map { mapped($0, section, rule, kind) }
        }
        _ = section.text("class")
        input?.finish()
        output?.finish()
        finish(section)
        return lines.isEmpty ? nil : device
    }

    private func moving(
        _ read: GPIOCover.Result?, _ key: String, _ name: String?, _ section: Section, _ rule: PublishRule
    ) -> ReadGPIO? {
        let kind = section.text("class")?.value
        finish(section)
        guard let read else { return nil }
        var settings = GPIODeviceSettings(key: key, lines: read.lines, use: read.use, points: read.points)
        settings.name = name
        return ReadGPIO(settings: settings, mapped: outputs(settings, kind, rule), mark: section.mark)
    }

    private func pulseWidth(_ key: String, _ name: String?, _ section: Section, _ rule: PublishRule) -> ReadGPIO? {
        let pwm = GPIOPulseWidth(section: section).read()
        let kind = section.text("class")?.value
        finish(section)
        guard let pwm else { return nil }
        var settings = GPIODeviceSettings(key: key, lines: [], use: .pwm(pwm.settings), points: [pwm.point])
        settings.name = name
        var device = ReadGPIO(settings: settings, mapped: outputs(settings, kind, rule), mark: section.mark)
        if !pwm.interlock.isEmpty { device.interlocks = [pwm.point.name: pwm.interlock] }
        return device
    }

    private func outputs(_ settings: GPIODeviceSettings, _ kind: String?, _ rule: PublishRule) -> MappedDevice {
        let points = settings.points.map { point in
            var mapped = MappedPoint(name: point.name, class: kind, unit: point.unit)
            mapped.isWritable = true
            mapped.interval = Self.retold
            mapped.publish = rule
            return mapped
        }
        return MappedDevice(key: settings.key, points: points)
    }

    /// How often a watchdog's line goes on and off again.
    private func watchdogPeriod(_ section: Section) -> Duration {
        guard let watchdog = section.section("watchdog") else { return .seconds(1) }
        defer { watchdog.finish() }
        watchdog.spelled(["interval": "period", "timeout": "period"])
        return watchdog.duration("period", 20...60_000) ?? .seconds(1)
    }

    private func kind(_ section: Section) -> Kind? {
        if let kind = section.word("as", Kind.self) { return kind }
        if section.node("as") == nil {
            section.missing(
                "as", hint: "it says what the line is: \(Kind.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return nil
    }

    /// A level is told at once, unless somebody wants it otherwise: it comes from an edge, and not from a poll.
    private func rule(_ section: Section, _ kind: Kind?) -> PublishRule {
        var base = defaults
        let isUsual = base.report.minInterval == ReportRule().minInterval
        if isUsual, kind != .counter, kind != .frequency { base.report.minInterval = .zero }
        if kind == .button {
            // A press is no state: the same one again is news, and nobody who comes later gets it.
            base.report.when = .always
            base.retain = false
        }
        return PublishKeys.read(section, over: base)
    }

    private func mapped(_ point: GPIOPointSettings, _ section: Section, _ rule: PublishRule, _ kind: Kind)
        -> MappedPoint
    {
        var mapped = MappedPoint(name: point.name, class: section.text("class")?.value, unit: point.unit)
        mapped.isWritable = point.actuator != nil
        mapped.interval = kind == .button ? nil : Self.retold
        mapped.publish = rule
        return mapped
    }

    private func lines(_ section: Section, _ kind: Kind?) -> [GPIOLineSettings] {
        guard kind == .encoder else {
            return [GPIOWiring.line("line", section)].compactMap(\.self)
        }
        guard let lines = section.section("lines") else {
            if section.node("lines") == nil {
                section.missing("lines", hint: "an encoder has two: lines: { a: GPIO19, b: GPIO26 }")
            }
            return []
        }
        let both = [GPIOWiring.line("a", lines), GPIOWiring.line("b", lines)].compactMap(\.self)
        lines.finish()
        return both.count == 2 ? both : []
    }

    private func checkDirection(_ section: Section, _ kind: Kind?, hasInput: Bool, isOutput: Bool) {
        if hasInput, isOutput {
            section.problems.error(
                "a line is an input or an output, not both", at: section.mark(of: "output"),
                hint: "take one of them out")
        } else if kind == .watchdog, !isOutput {
            section.problems.error(
                "a watchdog is an output", at: section.mark, hint: "write 'output: {}', or how its line is wired")
        } else if isOutput, let kind, kind != .switch, kind != .watchdog {
            section.problems.error(
                "a \(kind.rawValue) is no output", at: section.mark(of: "output"),
                hint: "write 'input: {}', or 'as: switch'")
        } else if !hasInput, !isOutput, kind == .switch, section.node("input") == nil, section.node("output") == nil {
            section.problems.error(
                "a switch can be one that somebody presses, or one that is switched", at: section.mark,
                hint: "write 'input: {}' for the first, 'output: {}' for the second")
        }
    }

    /// A line has one holder.
    private func checkLines(_ devices: [ReadGPIO], _ root: Section) {
        var seen: [GPIOLineSettings.Address: String] = [:]
        for device in devices {
            for line in device.settings.lines {
                if let other = seen[line.address] {
                    root.problems.error(
                        "'\(device.settings.key)' and '\(other)' have the same line", at: device.mark,
                        hint: "a line has one holder: give them different lines")
                }
                seen[line.address] = device.settings.key
            }
        }
    }

    private func finish(_ section: Section) {
        section.spelled([
            "pin": "line", "gpio": "line", "type": "as", "kind": "as", "device_class": "class", "friendly_name": "name",
            "bias": "input", "pull": "input", "pullup": "input", "debounce": "input", "inverted": "input",
            "active": "input", "active_low": "input", "interlock": "command", "max_on": "command", "safe": "command",
            "initial": "command", "a": "lines", "b": "lines",
        ])
        section.finish(later: ["filters"])
    }
}
