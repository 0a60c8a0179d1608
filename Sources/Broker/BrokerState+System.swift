import Bytes
import MQTTCodec
import Readings

/// The broker's own topics, `$SYS/…`: brought up to date each `sysInterval`, in step with the clock on the wall.
///
/// What they say stands in `docs/sys-topics.md`.
extension BrokerState {
    /// Brings `$SYS` up to date, and says when the next time is.
    mutating func systemDue() {
        guard limits.sysInterval > .zero else { return }
        let time = host.wallClock()
        updateLoads()
        publishBrokerTopics()
        publishNodeTopics(time)
        publishOwnTopics()
        startDepthScan()
        deadlines.add(
            Deadlines.Entry(at: now + timeUntilNextUpdate(time), kind: .system, generation: systemGeneration))
    }

    /// Until the time of day is a multiple of the interval: many gateways' values then belong together.
    ///
    /// Asked anew each time, so a clock that was set only costs one uneven interval.
    private func timeUntilNextUpdate(_ time: Timestamp) -> Duration {
        let (seconds, attoseconds) = limits.sysInterval.components
        let interval = max(1, seconds * 1_000 + attoseconds / 1_000_000_000_000_000)
        let rest = interval - max(0, time.milliseconds) % interval
        // A tick that came a little early must not come again at once.
        return .milliseconds(rest > interval / 10 ? rest : rest + interval)
    }

    private mutating func updateLoads() {
        let elapsed = now - system.updatedAt
        system.updatedAt = now
        system.loads.update(
            [
                counters.packetsReceived.total, counters.allPacketsSent, counters.messagesReceived.total,
                counters.messagesSent.total, counters.messagesDropped, counters.bytesReceived, counters.bytesSent,
                counters.socketsOpened, counters.packetsReceived[.connect],
            ], elapsed: elapsed)
    }

    // MARK: publishing

    mutating func setSystem(_ topic: String, _ value: Int) { setSystem(topic, String(value)) }

    mutating func setSystem(_ topic: String, _ value: String) {
        setSystem(Array(topic.utf8), Array(value.utf8))
    }

    /// Publishes a retained value unless it is what was published last; an empty one takes the topic away.
    mutating func setSystem(_ topic: [UInt8], _ payload: [UInt8]) {
        guard retainedPayload(topic) != payload else { return }
        publishSystem(SystemState.Message(topic: topic, payload: payload), retain: true)
    }

    /// What is retained for a topic; empty when nothing is.
    private func retainedPayload(_ topic: [UInt8]) -> [UInt8] {
        guard let message = retained.message(for: topic.span) else { return [] }
        var payload: [UInt8] = []
        messages.append(messages[message].payload, of: message, to: &payload)
        return payload
    }

    private mutating func publishSystem(_ message: SystemState.Message, retain: Bool) {
        let none: [UInt8] = []
        route(
            Incoming(qos: .atMostOnce, retain: retain), message.topic.span, none.span, message.payload.span)
    }

    /// Publishes what the last event had to tell; each to those who subscribed, and kept for nobody.
    mutating func publishSystemMessages() {
        while !system.messages.isEmpty {
            let due = system.messages
            system.messages = []
            for message in due { publishSystem(message, retain: false) }
        }
    }

    /// A client id as one level of a topic: `+`, `#` and `/` mean something there. [MQTT-3.3.2-2]
    package static func level(_ clientID: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        var level: [UInt8] = []
        level.reserveCapacity(clientID.count)
        for byte in clientID {
            switch byte {
            case UInt8(ascii: "+"), UInt8(ascii: "#"), UInt8(ascii: "/"), UInt8(ascii: "%"):
                level += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: level.append(byte)
            }
        }
        return level
    }
}
