import Readings

/// One point while the gateway runs: where its messages go, and which readings become one.
struct MappedPointState: Sendable {
    private let topic: [UInt8]
    private let format: PayloadFormat
    private let publish: PublishRule
    var report: ReportState

    init(_ planned: PlannedPoint) {
        topic = planned.state
        format = planned.payload
        publish = planned.point.publish
        report = ReportState(publish.report, staleAfter: publish.staleAfter.limit(interval: planned.point.interval))
    }

    /// The message for a reading, or nil where its format can't say it or its time is over.
    func publication(of reading: Reading, number: UInt64, at now: ContinuousClock.Instant) -> Publication? {
        guard let payload = format.payload(of: reading, number: number) else { return nil }
        return Publication(
            topic: topic, payload: payload, qos: publish.qos, retain: publish.retain, expirySeconds: expiry(at: now))
    }

    /// Counted from the reading's arrival, so that sending it again does not make it younger; at least a second, for 0
    /// would mean it is over before it is sent [MQTT-3.3.2-5].
    private func expiry(at now: ContinuousClock.Instant) -> UInt32? {
        guard let expiry = publish.expiry else { return nil }
        let age = report.latestAt.map { now - $0 } ?? .zero
        return UInt32(clamping: max(1, (expiry - age).components.seconds))
    }
}
