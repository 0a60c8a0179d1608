/// What an actuator takes, filled in by profile and configuration.
package struct ActuatorSettings: Equatable, Sendable {
    package var accepts: AcceptedValues
    /// A command that waited longer than this is not carried out any more; nil for no limit.
    package var maxAge: Duration? = .seconds(10)
    package var rateLimit: RateLimit?
    /// Words that turn it over and are no state themselves: `TOGGLE`.
    package var toggles: Set<String> = []
    /// The words for what readings say where that is something else, like `ON` for `true`.
    package var wordsRead: [String: String] = [:]
    package var safety = SafetyRules()

    package init(accepts: AcceptedValues) {
        self.accepts = accepts
    }
}

/// The values that an actuator takes.
package enum AcceptedValues: Equatable, Sendable {
    /// Exactly these (`ON`, `OFF`, `TOGGLE`), in the order in which people should see them.
    case words([String])
    case numbers(ClosedRange<Double>)

    /// Whether this is one of them.
    package func contains(_ value: String) -> Bool {
        switch self {
        case .words(let words): words.contains(value)
        case .numbers(let range): JSONNumber.value(value).map(range.contains) ?? false
        }
    }
}

extension AcceptedValues: CustomStringConvertible {
    package var description: String {
        switch self {
        case .words(let words): words.joined(separator: ", ")
        case .numbers(let range): "a number from \(range.lowerBound) to \(range.upperBound)"
        }
    }
}

/// At most `count` commands in any `period`.
package struct RateLimit: Equatable, Sendable {
    package var count: Int
    package var period: Duration

    package init(count: Int, period: Duration) {
        self.count = count
        self.period = period
    }
}
