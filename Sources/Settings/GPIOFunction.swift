import Decoders
import Documents

/// What the input lines of a device are, and the points that follow from it.
struct GPIOFunction {
    struct Result {
        var function: LineFunction
        var points: [GPIOPointSettings]
        /// How often a total is kept.
        var keeps: Duration?
        /// Where a counter begins, in pulses.
        var start: Int64 = 0
    }

    let section: Section

    func read(_ kind: GPIOSection.Kind) -> Result {
        switch kind {
        case .contact: contact()
        case .switch: level("switch", "ON", "OFF")
        case .button: button()
        case .counter: counter()
        case .frequency: frequency()
        case .encoder: encoder()
        // These are no inputs, and read elsewhere.
        case .cover, .stepper, .watchdog, .pwm: level("switch", "ON", "OFF")
        }
    }

    private func level(_ point: String, _ active: String, _ inactive: String) -> Result {
        Result(
            function: .level(point: point, active: active, inactive: inactive), points: [GPIOPointSettings(point)])
    }

    private func contact() -> Result {
        var (active, inactive) = ("closed", "open")
        if let map = section.section("map") {
            active = map.text("active")?.value ?? active
            inactive = map.text("inactive")?.value ?? inactive
            map.finish()
            if active == inactive {
                section.problems.error("'\(active)' stands for both levels", at: section.mark(of: "map"))
            }
        }
        return level("contact", active, inactive)
    }

    private func button() -> Result {
        var settings = ButtonDecoder.Settings()
        if let button = section.section("button") {
            if let double = button.duration("double", or: "off") { settings.double = double ?? .zero }
            if let long = button.duration("long", 100...60_000) { settings.long = long }
            button.finish()
        }
        return Result(function: .button(settings), points: [GPIOPointSettings("event")])
    }

    private func counter() -> Result {
        var settings = PulseCounter.Settings()
        var result = Result(function: .counter(settings), points: [], keeps: .seconds(60))
        guard let counter = section.section("counter") else {
            result.points = [GPIOPointSettings("total")]
            return result
        }
        if let perUnit = positive("per_unit", counter) { settings.perUnit = perUnit }
        if let minimum = counter.duration("min_pulse", 0...10_000) { settings.minimumPulse = minimum }
        let unit = counter.text("unit")?.value
        if let start = counter.number("start") {
            let pulses = (start * settings.perUnit).rounded()
            if abs(pulses) < 9e15 {
                result.start = Int64(pulses)
            } else {
                counter.problems.error("'start' is more than can be counted", at: counter.mark(of: "start"))
            }
        }
        if let save = counter.duration("save", 1_000...86_400_000) { result.keeps = save }
        result.points = [GPIOPointSettings("total", unit: unit)]
        if let rate = counter.section("rate") {
            if let factor = factor(rate, of: unit) { settings.rateFactor = factor.value }
            if let timeout = rate.duration("timeout", 1_000...86_400_000) { settings.rateTimeout = timeout }
            result.points.append(GPIOPointSettings("rate", unit: rate.text("unit")?.value))
            rate.finish()
        }
        counter.spelled([
            "pulses_per_unit": "per_unit", "pulses_per_kwh": "per_unit", "imp": "per_unit", "debounce": "min_pulse",
            "initial": "start", "offset": "start", "power": "rate",
        ])
        counter.finish()
        result.function = .counter(settings)
        return result
    }

    /// What one unit of the total in a second is in the unit of the rate.
    private func factor(_ rate: Section, of unit: String?) -> Located<Double>? {
        let unit = unit ?? ""
        let known = Self.factors(of: unit)
        guard rate.node("unit") != nil else {
            rate.missing("unit", hint: "one of \(known.map(\.unit).joined(separator: ", "))")
            return nil
        }
        return rate.value("unit", wanted: "one of \(known.map(\.unit).joined(separator: ", "))") { text in
            known.first { $0.unit == text }?.factor
        }
    }

    static func factors(of unit: String) -> [(unit: String, factor: Double)] {
        let own = [("\(unit)/s", 1.0), ("\(unit)/min", 60), ("\(unit)/h", 3_600)]
        switch unit {
        case "kWh": return [("W", 3_600_000), ("kW", 3_600)]
        case "Wh": return [("W", 3_600), ("kW", 3.6)]
        case "m³", "m3": return own + [("l/h", 3_600_000), ("l/min", 60_000)]
        case "": return [("1/s", 1), ("1/min", 60), ("1/h", 3_600)]
        default: return own
        }
    }

    private func frequency() -> Result {
        var settings = FrequencyMeter.Settings()
        var (scale, unit) = (1.0, "Hz")
        if let frequency = section.section("frequency") {
            if let window = frequency.duration("window", 100...3_600_000) { settings.window = window }
            if let timeout = frequency.duration("timeout", 100...3_600_000) { settings.timeout = timeout }
            scale = positive("scale", frequency) ?? scale
            unit = frequency.text("unit")?.value ?? unit
            frequency.finish()
        }
        settings.timeout = max(settings.timeout, settings.window)
        return Result(
            function: .frequency(settings, scale: scale), points: [GPIOPointSettings("frequency", unit: unit)])
    }

    private func encoder() -> Result {
        var settings = RotaryEncoder.Settings()
        var keeps: Duration?
        if let encoder = section.section("encoder") {
            if let changes = encoder.integer("changes", 1...8) { settings.changesPerStep = changes }
            settings.minimum = encoder.integer("minimum", -1_000_000_000...1_000_000_000).map(Int64.init)
            settings.maximum = encoder.integer("maximum", -1_000_000_000...1_000_000_000).map(Int64.init)
            if let minimum = settings.minimum, let maximum = settings.maximum, minimum > maximum {
                encoder.problems.error("'minimum' is above 'maximum'", at: encoder.mark(of: "minimum"))
            }
            if let save = encoder.duration("save", or: "never") { keeps = save }
            encoder.spelled(["steps": "changes", "min": "minimum", "max": "maximum"])
            encoder.finish()
        }
        let start = min(max(0, settings.minimum ?? 0), settings.maximum ?? .max)
        return Result(
            function: .encoder(settings), points: [GPIOPointSettings("position")], keeps: keeps, start: start)
    }

    private func positive(_ key: String, _ section: Section) -> Double? {
        section.value(key, wanted: "a number above 0, like 1000") { text in
            Scalar.number(text).flatMap { $0 > 0 && $0 <= 1e9 ? $0 : nil }
        }?.value
    }
}
