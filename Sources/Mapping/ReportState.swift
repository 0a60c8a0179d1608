import Readings

/// Decides which readings of one point are worth a message, and when.
///
/// Each function returns the reading to publish, or nil.
struct ReportState: Sendable {
    private struct Sent {
        var value: Value
        var quality: Quality
        var at: ContinuousClock.Instant
    }

    private let rule: ReportRule
    private let staleAfter: Duration?
    private var latest: Reading?
    /// When the latest reading arrived.
    private(set) var latestAt: ContinuousClock.Instant?
    private var sent: Sent?
    /// Whether the latest reading waits for the end of the shortest interval.
    private var isWaiting = false

    init(_ rule: ReportRule, staleAfter: Duration?) {
        self.rule = rule
        self.staleAfter = staleAfter
    }

    mutating func received(_ reading: Reading, at now: ContinuousClock.Instant) -> Reading? {
        latest = reading
        latestAt = now
        guard let sent, sent.quality == reading.quality, rule.when != .always else { return send(reading, at: now) }
        guard rule.when == .interval || isChange(from: sent.value, to: reading.value) else {
            isWaiting = false
            return nil
        }
        guard now - sent.at >= rule.minInterval else {
            isWaiting = true
            return nil
        }
        return send(reading, at: now)
    }

    /// What is due by now.
    mutating func tick(at now: ContinuousClock.Instant) -> Reading? {
        guard let dueAt, dueAt <= now, let latest else { return nil }
        if let staleAt, staleAt <= now { return becameStale(at: now) }
        return send(latest, at: now)
    }

    /// The point won't be read for a while: its last value, marked stale, unless that was said already.
    mutating func becameStale(at now: ContinuousClock.Instant) -> Reading? {
        guard var reading = latest, reading.quality != .stale else { return nil }
        reading.quality = .stale
        latest = reading
        return send(reading, at: now)
    }

    /// When `tick` has something to do.
    ///
    /// A stale value waits for nothing: it is not repeated, so that it expires.
    var dueAt: ContinuousClock.Instant? {
        guard let sent, let latest, latest.quality != .stale else { return nil }
        let held = isWaiting ? sent.at + rule.minInterval : nil
        let repeated = rule.maxInterval.map { sent.at + $0 }
        return [held, repeated, staleAt].compactMap(\.self).min()
    }

    private var staleAt: ContinuousClock.Instant? {
        guard let staleAfter, let latestAt else { return nil }
        return latestAt + staleAfter
    }

    private mutating func send(_ reading: Reading, at now: ContinuousClock.Instant) -> Reading {
        sent = Sent(value: reading.value, quality: reading.quality, at: now)
        isWaiting = false
        return reading
    }

    private func isChange(from old: Value, to new: Value) -> Bool {
        guard let deadband = rule.deadband, deadband > 0, let before = old.asNumber, let after = new.asNumber else {
            return old != new
        }
        // 230.2 - 230.1 is a little less than 0.1; what people wrote as the limit counts as reached.
        let rounding = max(abs(before), abs(after)) * 1e-12
        return abs(after - before) >= deadband - rounding
    }
}
