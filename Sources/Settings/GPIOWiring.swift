import Decoders
import Documents

/// `line:`, and how a line is wired: `input:` or `output:`.
struct GPIOWiring {
    var isActiveLow = false
    var bias = GPIOLineSettings.Bias.asIs

    private enum Level: String, CaseIterable {
        case high, low
    }

    /// What `input` and `output` have in common.
    static func read(_ section: Section?) -> GPIOWiring {
        guard let section else { return GPIOWiring() }
        var wiring = GPIOWiring()
        wiring.isActiveLow = section.word("active", Level.self) == .low
        if let bias = section.word("bias", GPIOLineSettings.Bias.self) { wiring.bias = bias }
        section.spelled([
            "pull": "bias", "pullup": "bias", "pull_up": "bias", "inverted": "active", "active_low": "active",
            "bounce": "debounce", "bouncetime": "debounce", "initial": "command", "safe": "command",
        ])
        return wiring
    }

    func applied(to line: GPIOLineSettings) -> GPIOLineSettings {
        var line = line
        (line.isActiveLow, line.bias) = (isActiveLow, bias)
        return line
    }

    static func drive(_ output: Section?) -> GPIODrive {
        output?.word("drive", GPIODrive.self) ?? .pushPull
    }

    /// The kernel takes up to 2^32 microseconds; nobody waits longer than seconds for a contact.
    static func debounce(_ input: Section?) -> Duration {
        input?.duration("debounce", 0...10_000) ?? .zero
    }

    /// A name, or `{ chip_label: …, offset: … }`; never a chip's number, which changes.
    static func line(_ key: String, _ section: Section) -> GPIOLineSettings? {
        guard let node = section.node(key) else {
            section.missing(
                key, hint: "it says which line: a name as 'martlet gpio list' shows it, or { chip_label: …, offset: … }"
            )
            return nil
        }
        if let name = node.text {
            guard !name.isEmpty, !name.hasPrefix("gpiochip"), !name.hasPrefix("/dev/") else {
                section.problems.error(
                    "'\(name)' is not a line's name", at: node.mark,
                    hint:
                        "chips are numbered anew with each kernel: write a line's name, or { chip_label: …, offset: … }, "
                        + "as 'martlet gpio list' shows them")
                return nil
            }
            return GPIOLineSettings(.named(name))
        }
        guard let place = section.section(key) else { return nil }
        if place.has("chip") {
            place.problems.error(
                "a chip is not found by its number", at: place.mark(of: "chip"),
                hint: "it changes with the kernel: write chip_label, as 'martlet gpio list' shows it")
            return nil
        }
        let label = place.text("chip_label")?.value
        let offset = place.integer("offset", 0...4_095)
        if place.node("chip_label") == nil { place.missing("chip_label", hint: "'martlet gpio list' shows it") }
        if place.node("offset") == nil { place.missing("offset", hint: "the line's place on its chip, from 0") }
        place.spelled(["label": "chip_label", "line": "offset", "number": "offset"])
        place.finish()
        guard let label, let offset else { return nil }
        return GPIOLineSettings(.labelled(chip: label, offset: offset))
    }
}
