import Control
import Documents

/// A stepper motor's way and pace.
package struct StepperSettings: Equatable, Sendable {
    /// Steps a second.
    package var speed = 200.0
    package var stepsPerUnit = 1.0
    /// In units, from the contact.
    package var range: ClosedRange<Double>
    /// Whether the motor keeps its current at rest.
    package var holds = false
    package var hasEnable = false
    package var debounce = Duration.zero

    /// The range in steps.
    package var steps: ClosedRange<Int64> {
        Int64((range.lowerBound * stepsPerUnit).rounded())...Int64((range.upperBound * stepsPerUnit).rounded())
    }
}

/// `as: stepper`: lines for steps and direction, and the contact where its way begins.
struct GPIOStepper {
    let section: Section

    func read() -> GPIOCover.Result? {
        let output = section.section("output")
        let input = section.section("input")
        defer {
            output?.finish()
            input?.finish()
        }
        let (outputWiring, contactWiring) = (GPIOWiring.read(output), GPIOWiring.read(input))
        let drive = GPIOWiring.drive(output)
        let debounce = GPIOWiring.debounce(input)
        let read = settings()
        guard let lines = section.section("lines") else {
            if section.node("lines") == nil {
                section.missing(
                    "lines",
                    hint: "lines: { step: GPIO20, direction: GPIO21, home: GPIO5 }, and enable where there is one")
            }
            return nil
        }
        let outputs = ["step", "direction"].compactMap { GPIOWiring.line($0, lines) }
        let enable = lines.has("enable") ? GPIOWiring.line("enable", lines) : nil
        let home = GPIOWiring.line("home", lines)
        lines.spelled(["dir": "direction", "en": "enable", "limit": "home", "end": "home", "pulse": "step"])
        lines.finish()
        guard outputs.count == 2, let home, var settings = read?.settings else { return nil }
        (settings.hasEnable, settings.debounce) = (enable != nil, debounce)
        return GPIOCover.Result(
            lines: (outputs + [enable].compactMap(\.self)).map(outputWiring.applied) + [
                contactWiring.applied(to: home)
            ],
            use: .stepper(settings, drive), points: points(settings, read?.unit))
    }

    private func settings() -> (settings: StepperSettings, unit: String?)? {
        guard let stepper = section.section("stepper") else {
            if section.node("stepper") == nil {
                section.missing(
                    "stepper", hint: "how far it may go: stepper: { maximum: 100, steps_per_unit: 20, unit: \"%\" }")
            }
            return nil
        }
        let minimum = stepper.number("minimum") ?? 0
        let maximum = stepper.number("maximum")
        if stepper.node("maximum") == nil { stepper.missing("maximum", hint: "how far it may go, in units") }
        let speed = positive("speed", 1_000, stepper)
        let perUnit = positive("steps_per_unit", 1_000_000, stepper)
        let holds = stepper.bool("hold")
        let unit = stepper.text("unit")?.value
        stepper.spelled(["min": "minimum", "max": "maximum", "steps": "steps_per_unit", "rate": "speed"])
        stepper.finish()
        guard let maximum else { return nil }
        guard minimum < maximum, max(abs(minimum), abs(maximum)) * (perUnit ?? 1) <= 1e9 else {
            section.problems.error(
                "the way from \(minimum) to \(maximum) is none that a stepper can go", at: stepper.mark(of: "maximum"),
                hint: "'minimum' is below 'maximum', and both are at most a thousand million steps away")
            return nil
        }
        var settings = StepperSettings(range: minimum...maximum)
        if let speed { settings.speed = speed }
        if let perUnit { settings.stepsPerUnit = perUnit }
        settings.holds = holds ?? false
        return (settings, unit)
    }

    private func positive(_ key: String, _ most: Double, _ section: Section) -> Double? {
        section.value(key, wanted: "a number above 0, at most \(Int(most))") { text in
            Scalar.number(text).flatMap { $0 > 0 && $0 <= most ? $0 : nil }
        }?.value
    }

    private func points(_ settings: StepperSettings, _ unit: String?) -> [GPIOPointSettings] {
        var words = ActuatorSettings(accepts: .words(["HOME", "STOP"]))
        var numbers = ActuatorSettings(accepts: .numbers(settings.range))
        if let command = section.section("command") {
            CommandSection(section: command).readLimits(into: &words)
            (numbers.maxAge, numbers.rateLimit) = (words.maxAge, words.rateLimit)
        }
        var stepper = GPIOPointSettings("stepper")
        stepper.actuator = words
        var position = GPIOPointSettings("position", unit: unit)
        position.actuator = numbers
        return [stepper, position]
    }
}
