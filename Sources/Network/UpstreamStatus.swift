import Bridge
import Broker
import Client
import LinuxIO
import MQTTCodec

/// What the bridge tells about itself on `$SYS`: whether it is connected, at once, and what waits, now and then.
///
/// What did not change is not said again.
struct UpstreamStatus {
    /// Of the bridge's queue.
    private struct Depth: Equatable {
        var queued: Int
        var queuedBytes: Int
        var inFlight: Int
        var dropped: Int
        var circled: Int
        var heldBack: Int
        var downgrades: Downgrades
        var reasons: [Int]
        var percent: Int
        /// Seconds; 0 while nothing waits.
        var oldest: Int
        /// Seconds; -1 while it does not fill up.
        var untilFull: Int

        init(_ bridge: BridgeState, _ client: ClientState, now: ContinuousClock.Instant) {
            let queue = bridge.queue
            let status = bridge.bufferStatus(now: now)
            reasons = DropReason.allCases.map { status.dropped[$0, default: 0] }
            percent = status.percent
            oldest = Int(status.oldest?.components.seconds ?? 0)
            untilFull = Int(status.untilFull?.components.seconds ?? -1)
            queued = queue.count
            queuedBytes = queue.sizeInBytes
            inFlight = queue.onTheWayCount
            dropped = queue.dropped.values.reduce(0, +)
            circled = bridge.circledCount
            heldBack = client.heldBackCount
            downgrades = client.downgrades
        }

        var values: [(String, Int)] {
            [
                ("queued", queued), ("queued_bytes", queuedBytes), ("in_flight", inFlight), ("dropped", dropped),
                ("circled", circled), ("held_back", heldBack), ("qos_lowered", downgrades.qos),
                ("retain_removed", downgrades.retain), ("fill", percent), ("oldest_age", oldest),
                ("until_full", untilFull),
            ] + zip(DropReason.allCases, reasons).map { ("dropped/\($0.word)", $1) }
        }
    }

    /// The queue changes with every message; nobody wants to read that.
    private static let interval: Duration = .seconds(10)

    private let name: String
    private var isUp: Bool?
    /// What is wrong with the link, in words; empty for nothing.
    private var problem = ""
    private var rejected: [String] = []
    private var hasNewRejected = false
    private var saidProblem = ""
    private var saidAlarm = ""
    /// Whether a connection alone does not end the problem.
    private var isLasting = false
    private var depth: Depth?
    private var depthSaidAt: ContinuousClock.Instant?
    /// When a change of the queue is to be said.
    private(set) var wakeAt: ContinuousClock.Instant?

    /// `name` is the client id at the server, as long as no other link has it too.
    init(_ name: String) {
        self.name = String(decoding: BrokerState.level(Array(name.utf8)), as: UTF8.self)
    }

    /// The server refused a message for good; the last ten are told.
    mutating func rejected(_ topic: [UInt8], _ reason: String) {
        let topic = String(decoding: topic.prefix(200), as: UTF8.self)
        rejected.append("\(WallClock.secondsSince1970) \(topic): \(reason)")
        if rejected.count > 10 { rejected.removeFirst() }
        hasNewRejected = true
    }

    /// The link has a problem; one that `lasts` is not over when the server accepts the next connection.
    mutating func problem(_ text: String, lasts: Bool = false) {
        guard lasts || !isLasting else { return }
        problem = text
        isLasting = lasts
    }

    /// The server accepted the connection.
    mutating func connected() {
        if !isLasting { problem = "" }
    }

    /// The connection has lasted.
    mutating func stable() {
        isLasting = false
        problem = ""
    }

    /// What is to be published now.
    mutating func messages(
        _ bridge: BridgeState, _ client: ClientState, now: ContinuousClock.Instant
    ) -> [Publish] {
        var messages: [Publish] = []
        if isUp != bridge.isUp { messages.append(say(bridge.isUp)) }
        if problem != saidProblem {
            saidProblem = problem
            messages.append(Self.message("$SYS/martlet/bridges/\(name)/problem", problem))
        }
        if hasNewRejected {
            hasNewRejected = false
            messages.append(
                Self.message("$SYS/martlet/bridges/\(name)/rejected", rejected.joined(separator: "\n")))
        }
        if bridge.alarm != saidAlarm {
            saidAlarm = bridge.alarm
            messages.append(Self.message("$SYS/martlet/bridges/\(name)/alarm", saidAlarm))
        }
        let newDepth = Depth(bridge, client, now: now)
        guard newDepth != depth else {
            // What was to be said later has changed back: a time that has passed would wake the loop for ever.
            wakeAt = nil
            return messages
        }
        if let depthSaidAt, now < depthSaidAt + Self.interval {
            wakeAt = depthSaidAt + Self.interval
            return messages
        }
        wakeAt = nil
        depthSaidAt = now
        let old = depth?.values
        for (index, (key, value)) in newDepth.values.enumerated() where old?[index].1 != value {
            messages.append(Self.message("$SYS/martlet/bridges/\(name)/\(key)", String(value)))
        }
        depth = newDepth
        return messages
    }

    /// The link ends for good.
    mutating func farewell() -> [Publish] { isUp == false ? [] : [say(false)] }

    /// mosquitto's topic and words.
    private mutating func say(_ isUp: Bool) -> Publish {
        self.isUp = isUp
        return Self.message("$SYS/broker/connection/\(name)/state", isUp ? "1" : "0")
    }

    private static func message(_ topic: String, _ value: String) -> Publish {
        Publish(topic: Array(topic.utf8), payload: Array(value.utf8), retain: true)
    }
}
