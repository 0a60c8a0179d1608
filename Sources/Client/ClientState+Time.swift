import MQTTCodec

extension ClientState {
    /// When `tick` is due; nil if only the network can change something.
    package var wakeAt: ContinuousClock.Instant? {
        switch phase {
        case .idle: nil
        case .awaitingConnack(let until): until
        case .open: [pingAt, pingAnsweredBy, acknowledgedBy, poison.restsUntil].compactMap(\.self).min()
        }
    }

    /// Time has passed.
    package mutating func tick(now: ContinuousClock.Instant) {
        switch phase {
        case .idle: break
        case .awaitingConnack(let until): if now >= until { end(.noConnack) }
        case .open: tickOpen(now: now)
        }
    }

    private mutating func tickOpen(now: ContinuousClock.Instant) {
        if let deadline = pingAnsweredBy, now >= deadline {
            return fail(.keepAliveTimeout, .keepAliveTimeout)  // [MQTT-3.1.2-24] says what a client should do
        }
        if let deadline = acknowledgedBy, now >= deadline {
            return fail(.noAcknowledgement, .unspecifiedError)
        }
        if let due = poison.restsUntil, now >= due {
            poison.wake()
            send(now: now)
        }
        guard let due = pingAt, now >= due else { return }
        Ping.encode(.pingreq, into: &output)
        activity.pingSent = now
    }

    private var keepAlive: Duration? {
        let seconds = limits.keepAliveSeconds ?? settings.keepAliveSeconds
        return seconds == 0 ? nil : .seconds(Int(seconds))
    }

    /// A ping is due when either direction was silent: a client that only sends QoS 0 would not notice a dead link.
    private var pingAt: ContinuousClock.Instant? {
        guard activity.pingSent == nil, let keepAlive else { return nil }
        return min(activity.lastSent, activity.lastReceived) + keepAlive
    }

    private var pingAnsweredBy: ContinuousClock.Instant? {
        guard let sent = activity.pingSent, let keepAlive else { return nil }
        return sent + min(keepAlive, .seconds(15))
    }

    private var acknowledgedBy: ContinuousClock.Instant? {
        guard let timeout = settings.acknowledgeTimeout, outgoing.isAnswerOwed else { return nil }
        return activity.lastProgress + timeout
    }
}
