/// What holds for an output whoever commands it, and what happens when nobody does.
package struct SafetyRules: Equatable, Sendable {
    /// The value in which it is off, for the rules that ask whether it is on; nil where none needs to know.
    package var off: String?
    /// What it is set to when the gateway starts; nil leaves it as it is.
    package var initial: String?
    /// What it is set to when nobody is left to command it; nil leaves it as it is.
    package var safe: String?
    /// Whether somebody chose its safe state, be it to leave it as it is.
    package var isRestChosen = false
    /// How long the control link may say nothing before the output is made safe.
    package var safeAfter: Duration?
    /// It is switched off when it has been on for so long; a repeated command does not make it longer.
    package var maxOn: Duration?
    /// How long it stays off, once it is.
    package var minOff: Duration?
    /// Those of which none may be on with it; each of them names this one, too.
    package var interlock: [Actuators.Name] = []

    package init() {}

    /// Whether the gateway must know how it stands before it lets anybody switch it.
    var asksForState: Bool {
        safe != nil || initial != nil || maxOn != nil || minOff != nil || !interlock.isEmpty
    }
}
