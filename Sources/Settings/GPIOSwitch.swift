import Control
import Documents

/// An output that is switched: the words it takes, and its rules.
enum GPIOSwitch {
    static func read(_ section: Section) -> (point: GPIOPointSettings, interlock: [Located<String>]) {
        var actuator = ActuatorSettings(accepts: .words(["ON", "OFF", "TOGGLE"]))
        actuator.toggles = ["TOGGLE"]
        actuator.safety.off = "OFF"
        var interlock: [Located<String>] = []
        if let command = section.section("command") {
            interlock = CommandSection(section: command).read(into: &actuator)
            refuseKeeping(command, "OFF")
        }
        restsOff(&actuator, "OFF")
        var point = GPIOPointSettings("switch")
        point.actuator = actuator
        return (point, interlock)
    }

    /// It gets a level when it is taken, whatever it had before; and nobody is there to switch it off later.
    static func restsOff(_ actuator: inout ActuatorSettings, _ off: String) {
        if actuator.safety.safe == nil, !actuator.safety.isRestChosen { actuator.safety.safe = off }
        if actuator.safety.initial == nil { actuator.safety.initial = actuator.safety.safe ?? off }
    }

    static func refuseKeeping(_ command: Section, _ off: String) {
        guard command.node("initial")?.text == "keep" else { return }
        command.problems.error(
            "a GPIO line can't be taken without a level", at: command.mark(of: "initial"),
            hint: "write 'initial: \(off)' or another level: it is set when the line is taken")
    }
}
