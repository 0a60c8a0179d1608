import Bytes

/// What the gateway did with an output by itself, or could not do, for its result topic and the log.
package struct OwnMove: Equatable, Sendable {
    /// Why; the raw value is the word in the message's `why`.
    package enum Reason: String, CaseIterable, Sendable {
        /// The gateway has started, or the output is new in its configuration.
        case started = "start"
        case maxOn = "max_on"
        /// It and another of its interlock were both on: somebody else has switched them.
        case interlock
        case controlLost = "control_lost"
        case reloadRejected = "reload_rejected"
        /// The configuration has no such output any more.
        case removed
        case stopping

        package var sentence: String {
            switch self {
            case .started: "the gateway has started"
            case .maxOn: "it has been on, or may have been, for as long as max_on allows"
            case .interlock: "it was on together with one that its interlock names"
            case .controlLost: "nothing was heard of who controls it for as long as safe_after allows"
            case .reloadRejected: "a changed configuration was refused"
            case .removed: "the configuration has no such output any more"
            case .stopping: "the gateway is stopping"
            }
        }
    }

    package var reason: Reason
    package var value: String
    /// Why it could not be done; nil where it was.
    package var refusal: Refusal?

    /// `{"ok":true,"value":"OFF","why":"max_on","detail":"…"}`, or with `"ok":false` and `error`.
    package var payload: [UInt8] {
        var object = JSONObject()
        object.add("ok", literal: refusal == nil ? "true" : "false")
        object.add("value", value)
        object.add("why", reason.rawValue)
        if let refusal { object.add("error", refusal.word.rawValue) }
        object.add("detail", refusal.map { "\(reason.sentence), but: \($0.detail)" } ?? reason.sentence)
        return object.bytes
    }
}
