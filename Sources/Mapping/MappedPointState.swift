import Readings

/// One point while the gateway runs: where its messages go, and which readings become one.
struct MappedPointState: Sendable {
    let planned: PlannedPoint
    var report: ReportState

    init(_ planned: PlannedPoint) {
        self.planned = planned
        let rule = planned.point.publish
        report = ReportState(rule.report, staleAfter: rule.staleAfter.limit(interval: planned.point.interval))
    }

    private var publish: PublishRule { planned.point.publish }

    /// The message for a reading, or nil where its format can't say it or its time is over.
    func publication(of reading: Reading, number: UInt64, at now: ContinuousClock.Instant) -> Publication? {
        guard let payload = planned.payload.payload(of: reading, number: number) else { return nil }
        return Publication(
            topic: planned.state, payload: payload, qos: publish.qos, retain: publish.retain,
            expirySeconds: expiry(at: now))
    }

    /// Counted from the reading's arrival, so that sending it again does not make it younger; at least a second, for 0
    /// would mean it is over before it is sent [MQTT-3.3.2-5].
    private func expiry(at now: ContinuousClock.Instant) -> UInt32? {
        guard let expiry = publish.expiry else { return nil }
        let age = report.latestAt.map { now - $0 } ?? .zero
        return UInt32(clamping: max(1, (expiry - age).components.seconds))
    }
}
