import Control
import Documents

/// `as: cover`: two relays that open and close something, and the contacts at its ends.
struct GPIOCover {
    /// What travels for longer is something else; and what takes no time can't be timed.
    private static let travelTime = 1_000...600_000

    let section: Section

    struct Result {
        /// Open, close, and the contacts that are there.
        var lines: [GPIOLineSettings]
        var use: GPIOUse
        var points: [GPIOPointSettings]
    }

    func read() -> Result? {
        let output = section.section("output")
        let input = section.section("input")
        defer {
            output?.finish()
            input?.finish()
        }
        let (relayWiring, contactWiring) = (GPIOWiring.read(output), GPIOWiring.read(input))
        let drive = GPIOWiring.drive(output)
        let debounce = GPIOWiring.debounce(input)
        let times = times()
        let actuators = actuators()
        guard let lines = section.section("lines") else {
            if section.node("lines") == nil {
                section.missing("lines", hint: "a cover has two relays: lines: { open: GPIO22, close: GPIO23 }")
            }
            return nil
        }
        let relays = ["open", "close"].compactMap { GPIOWiring.line($0, lines) }
        let opened = lines.has("opened") ? GPIOWiring.line("opened", lines) : nil
        let closed = lines.has("closed") ? GPIOWiring.line("closed", lines) : nil
        lines.spelled(["up": "open", "down": "close", "opened_contact": "opened", "closed_contact": "closed"])
        lines.finish()
        guard relays.count == 2, var settings = times else { return nil }
        (settings.hasOpenedContact, settings.hasClosedContact) = (opened != nil, closed != nil)
        let contacts = [opened, closed].compactMap(\.self)
        return Result(
            lines: relays.map(relayWiring.applied) + contacts.map(contactWiring.applied),
            use: .cover(settings, drive, debounce: debounce), points: actuators)
    }

    private func times() -> CoverMotion.Settings? {
        guard let cover = section.section("cover") else {
            if section.node("cover") == nil {
                section.missing(
                    "cover", hint: "how long the whole way takes: cover: { open_time: 20s, close_time: 18s }")
            }
            return nil
        }
        let open = cover.duration("open_time", Self.travelTime)
        let close = cover.duration("close_time", Self.travelTime)
        for key in ["open_time", "close_time"] where cover.node(key) == nil {
            cover.missing(key, hint: "how long the whole way takes, like 20s")
        }
        let pause = cover.duration("pause", 100...10_000)
        cover.spelled([
            "travel_time": "open_time", "up_time": "open_time", "down_time": "close_time", "dead_time": "pause",
        ])
        cover.finish()
        guard let open, let close else { return nil }
        var settings = CoverMotion.Settings(openTime: open, closeTime: close)
        if let pause { settings.pause = pause }
        return settings
    }

    private func actuators() -> [GPIOPointSettings] {
        var words = ActuatorSettings(accepts: .words(["OPEN", "CLOSE", "STOP"]))
        var numbers = ActuatorSettings(accepts: .numbers(0...100))
        if let command = section.section("command") {
            CommandSection(section: command).readLimits(into: &words)
            (numbers.maxAge, numbers.rateLimit) = (words.maxAge, words.rateLimit)
        }
        var cover = GPIOPointSettings("cover")
        cover.actuator = words
        var position = GPIOPointSettings("position", unit: "%")
        position.actuator = numbers
        return [cover, position]
    }
}
