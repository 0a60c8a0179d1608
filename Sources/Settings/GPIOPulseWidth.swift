import Control
import Documents

/// A channel of a PWM chip.
package struct PWMSettings: Equatable, Sendable {
    /// The chip's folder, with a `*` for what the kernel numbers anew at each start.
    package var chip: String
    package var channel = 0
    /// Hz.
    package var frequency = 1_000.0
    package var isInverted = false
}

/// `as: pwm`: an output whose level is a part of the time.
struct GPIOPulseWidth {
    private static let example = "like /sys/bus/platform/devices/fe20c000.pwm/pwm/pwmchip*"

    let section: Section

    func read() -> (settings: PWMSettings, point: GPIOPointSettings, interlock: [Located<String>])? {
        let (point, interlock) = actuator()
        guard let pwm = section.section("pwm") else {
            if section.node("pwm") == nil {
                section.missing(
                    "pwm", hint: "which channel: pwm: { chip: …, channel: 0 }; the chip's folder is \(Self.example)")
            }
            return nil
        }
        var settings = PWMSettings(chip: "")
        let chip = pwm.text("chip")
        if pwm.node("chip") == nil { pwm.missing("chip", hint: "its folder, \(Self.example)") }
        if let channel = pwm.integer("channel", 0...255) { settings.channel = channel }
        if let frequency = pwm.value("frequency", wanted: "Hz, from 1 to 10000000", Self.frequency) {
            settings.frequency = frequency.value
        }
        settings.isInverted = pwm.bool("inverted") ?? false
        pwm.spelled(["path": "chip", "hz": "frequency", "polarity": "inverted", "pin": "channel"])
        pwm.finish()
        guard let chip else { return nil }
        guard chip.value.hasPrefix("/"), !chip.value.hasSuffix("/") else {
            section.problems.error("'\(chip.value)' is no folder of a chip", at: chip.mark, hint: Self.example)
            return nil
        }
        settings.chip = chip.value
        return (settings, point, interlock)
    }

    private static func frequency(_ text: String) -> Double? {
        Scalar.number(text).flatMap { (1...10_000_000).contains($0) ? $0 : nil }
    }

    private func actuator() -> (point: GPIOPointSettings, interlock: [Located<String>]) {
        var actuator = ActuatorSettings(accepts: .numbers(0...100))
        actuator.safety.off = "0"
        var interlock: [Located<String>] = []
        if let command = section.section("command") {
            interlock = CommandSection(section: command).read(into: &actuator)
            GPIOSwitch.refuseKeeping(command, "0")
        }
        GPIOSwitch.restsOff(&actuator, "0")
        var point = GPIOPointSettings("level", unit: "%")
        point.actuator = actuator
        return (point, interlock)
    }
}
