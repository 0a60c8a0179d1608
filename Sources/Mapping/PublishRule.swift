package import MQTTCodec

/// How a point's readings are published; the defaults are those of `config/martlet.yaml`.
package struct PublishRule: Equatable, Sendable {
    package var payload = PayloadFormat.json
    package var report = ReportRule()
    package var staleAfter = StaleAfter.intervals(3)
    package var qos = QoS.atLeastOnce
    package var retain = true
    /// MQTT 5 message expiry, counted from the arrival of the reading: no week-old value ever looks fresh.
    package var expiry: Duration? = .seconds(3600)

    package init() {}
}

/// When a reading is worth a message.
package struct ReportRule: Equatable, Sendable {
    package var when = Trigger.change
    /// The shortest time between two messages; the latest value waits for its end and is then sent.
    package var minInterval: Duration = .seconds(1)
    /// The longest time without a message while readings come; nil for no limit.
    package var maxInterval: Duration? = .seconds(300)
    /// A number that differs from the last one sent by less than this has not changed.
    package var deadband: Double?

    /// The word of `when:`.
    package enum Trigger: String, CaseIterable, Sendable {
        /// When the value is another, at most every `minInterval`.
        case change
        /// Every `minInterval`, changed or not.
        case interval
        /// Every reading, at once.
        case always
    }

    package init() {}
}

/// How long a point may be silent before its last value is called stale.
package enum StaleAfter: Equatable, Sendable {
    /// So many times the expected interval (`3x`).
    case intervals(Double)
    case duration(Duration)
    case never

    /// The limit for a point that is expected every `interval`; nil where there is none.
    package func limit(interval: Duration?) -> Duration? {
        switch self {
        case .intervals(let factor): interval.map { $0 * factor }
        case .duration(let duration): duration
        case .never: nil
        }
    }
}
