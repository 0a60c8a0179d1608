package import Client
package import MQTTCodec

/// One upstream link, without the link: which messages go out, which are kept, which come in.
///
/// A local message is acknowledged to the local broker when the queue holds it, and forgotten when the upstream has
/// acknowledged it. Loops end by No Local on both sides, and so does the way back of what came in.
package struct BridgeState: Sendable {
    package enum Action: Equatable, Sendable {
        /// Publish to the upstream; the answer is `upstreamAcknowledged` with the number.
        case forward(Publish, number: Int)
        /// The queue has it, or has decided not to keep it.
        case acknowledgeLocal(MessageToken)
        /// Publish to the local broker, then acknowledge to the upstream.
        case publishLocally(Publish, MessageToken?)
        case acknowledgeUpstream(MessageToken)
        case alarm(BridgeEvent)
        /// For the disk that the queue is on; the answer is `storageTold`.
        case buffer(BufferAction)
    }

    /// Drops are reported together.
    private static let reportInterval: Duration = .seconds(10)
    private static let alarmFill = 0.8

    private var settings: BridgeSettings
    package private(set) var queue: OfflineQueue
    package private(set) var isUp = false
    private var actions: [Action] = []
    private var reported: [DropReason: Int] = [:]
    private var notWanted = 0
    private var circled = 0
    private var circles = CircleWatch()
    /// Messages that were here before, since the start.
    package private(set) var circledCount = 0
    /// Whether the link's MQTT has user properties, and so lists of hops.
    package var carriesHops = true
    private var lastCause: String?
    private var reportAt: ContinuousClock.Instant?
    private var isEnding = false
    private(set) var isFilling = false
    private(set) var filling = FillWatch()
    private var isCatchingUp = false

    /// `queue` has what was kept before; nil for one that is in memory only.
    package init(_ settings: BridgeSettings, queue: OfflineQueue? = nil) {
        self.settings = settings
        self.queue = queue ?? OfflineQueue(settings.queue)
    }

    /// What to do; ask after each call.
    package mutating func takeActions() -> [Action] {
        takeFromQueue()
        guard !actions.isEmpty else { return [] }
        defer { actions = [] }
        return actions
    }

    /// Whether `takeActions` would return something.
    package var hasActions: Bool { !actions.isEmpty || queue.hasNews }

    private mutating func takeFromQueue() {
        for action in queue.takeActions() { actions.append(.buffer(action)) }
        for token in queue.takeKept() { actions.append(.acknowledgeLocal(token)) }
    }

    /// When `tick` is due.
    package var wakeAt: ContinuousClock.Instant? {
        [reportAt, queue.wakeAt].compactMap(\.self).min()
    }

    /// Says what time of day it is.
    package mutating func clock(_ milliseconds: Int64, now: ContinuousClock.Instant) {
        queue.clock(milliseconds, now: now)
    }

    /// Goes on with other lines and limits; what the queue holds keeps its topics.
    package mutating func apply(_ settings: BridgeSettings) {
        self.settings = settings
        queue.apply(settings.queue)
    }

    // MARK: subscriptions

    /// To make at the local broker: a bridge never gets its own messages back. [MQTT-3.8.3-3]
    package var localSubscriptions: [Subscribe.Request] { Self.requests(settings.out) }

    /// To make at the upstream.
    package var upstreamSubscriptions: [Subscribe.Request] { Self.requests(settings.in) }

    /// The retain flag stays as it was published: Control refuses retained commands.
    private static func requests(_ lines: [BridgeSettings.Line]) -> [Subscribe.Request] {
        var requests: [Subscribe.Request] = []
        for request in lines.flatMap(\.requests) {
            if let index = requests.firstIndex(where: { $0.filter == request.filter }) {
                requests[index].qos = max(requests[index].qos, request.qos)
            } else {
                requests.append(request)
            }
        }
        return requests
    }

    // MARK: out

    /// A message of the local broker that one of the lines asked for.
    package mutating func localMessage(
        _ message: Publish, _ token: MessageToken?, now: ContinuousClock.Instant
    ) {
        let crossing = crossing(message, .out, now)
        if case .message(let message, let priority) = crossing {
            queue.append(message, priority, token: token, now: now)
        } else if let token {
            actions.append(.acknowledgeLocal(token))
        }
        switch crossing {
        case .nobodys: return
        case .here: circled += 1
        case .invalid: queue.drop(.topicInvalid)
        case .message: break
        }
        forward(now: now)
        watch(now: now)
    }

    /// What becomes of a message that crosses the bridge.
    private enum Crossing {
        /// No line is for it.
        case nobodys
        /// It crossed this bridge before, or too many.
        case here
        case invalid
        case message(Publish, Priority)
    }

    private mutating func crossing(
        _ message: Publish, _ direction: Hops.Direction, _ now: ContinuousClock.Instant
    ) -> Crossing {
        for line in direction == .out ? settings.out : settings.in {
            switch line.verdict(on: message.topic) {
            case .otherLine: continue
            case .invalid: return .invalid
            case .topic(let topic):
                let crossing = copy(message, topic, line, direction, now)
                if case .here = crossing { circledCount += 1 }
                return crossing
            }
        }
        return .nobodys
    }

    /// The message under its new topic, without what belonged to the last hop; its payload is untouched.
    private mutating func copy(
        _ message: Publish, _ topic: [UInt8], _ line: BridgeLine, _ direction: Hops.Direction,
        _ now: ContinuousClock.Instant
    ) -> Crossing {
        var hops = Hops(of: message)
        if direction == .into, !carriesHops { hops.cameUnmarked() }
        guard hops.allow(direction, settings.gateway) else { return .here }
        if hops.isIncomplete, circles.isOneTooMany(message, direction, now: now) { return .here }
        var copy = Publish(
            topic: topic, payload: message.payload, qos: line.qos ?? message.qos,
            retain: message.retain && line.keepsRetain)
        copy.properties = message.properties
        copy.properties.subscriptionIdentifiers = []
        copy.properties[number: .topicAlias] = nil
        hops.mark(&copy, direction, settings.gateway)
        return .message(copy, line.priority)
    }

    private mutating func forward(now: ContinuousClock.Instant) {
        // What is on the disk is sent by the next process; what it has not to wait for goes now.
        guard !isEnding || !queue.hasDiskBacklog else { return }
        while isUp, queue.onTheWayCount < settings.maximumInFlight, let entry = queue.startNext(now: now) {
            actions.append(.forward(entry.message, number: entry.number))
        }
    }

    /// The upstream answered a forwarded message.
    ///
    /// An error is final: the same message would be refused for ever, and hold up those behind it.
    package mutating func upstreamAcknowledged(
        _ number: Int, _ code: ReasonCode, now: ContinuousClock.Instant
    ) {
        queue.finished(number, dropReason: code.isError ? .refused : nil)
        forward(now: now)
        watch(now: now)
    }

    /// A forwarded message that the client did not even take.
    package mutating func notForwarded(_ number: Int, _ refusal: PublishRefusal, now: ContinuousClock.Instant) {
        switch refusal {
        case .notConnected, .tooManyWaiting: queue.putBack(number)
        case .topicInvalid: queue.finished(number, dropReason: .topicInvalid)
        case .packetTooLarge: queue.finished(number, dropReason: .refused)
        }
        watch(now: now)
    }

    // MARK: in

    /// A message of the upstream.
    package mutating func upstreamMessage(
        _ message: Publish, _ token: MessageToken?, now: ContinuousClock.Instant
    ) {
        switch crossing(message, .into, now) {
        case .message(let message, _): return actions.append(.publishLocally(message, token))
        case .here: circled += 1
        case .nobodys, .invalid: notWanted += 1
        }
        // Acknowledged all the same: a session that remembers an old filter must not be stuck with it.
        if let token { actions.append(.acknowledgeUpstream(token)) }
        watch(now: now)
    }

    // MARK: link

    package mutating func linkUp(now: ContinuousClock.Instant) {
        isUp = true
        queue.linkUp(now: now)
        isCatchingUp = !queue.isEmpty
        actions.append(.alarm(.linkUp(waiting: queue.count)))
        forward(now: now)
        watch(now: now)
    }

    /// The link is gone, or an attempt failed; what was on its way is sent again by the client.
    package mutating func linkDown(_ cause: String, now: ContinuousClock.Instant) {
        let isNews = isUp || cause != lastCause
        isUp = false
        queue.linkDown()
        lastCause = cause
        // An attempt that fails like the last one is not worth a line.
        if isNews { actions.append(.alarm(.linkDown(cause, waiting: queue.count))) }
        watch(now: now)
    }

    package mutating func upstreamSubscribed(_ codes: [ReasonCode]) {
        for (request, code) in zip(upstreamSubscriptions, codes) where code.isError {
            let filter = String(decoding: request.filter, as: UTF8.self)
            actions.append(.alarm(.subscriptionRefused(filter: filter, reason: "\(code)")))
        }
    }

    // MARK: the buffer

    /// The disk that the queue is on tells something.
    package mutating func storageTold(_ news: BufferNews, now: ContinuousClock.Instant) {
        queue.storageTold(news, now: now)
        switch news {
        case .failing(let why): actions.append(.alarm(.bufferFailing(why)))
        case .recovered: actions.append(.alarm(.bufferRecovered))
        case .chunk(let chunk):
            if let why = chunk.failure { actions.append(.alarm(.bufferUnreadable(why))) }
        case .kept, .shrunk, .diskSize: break
        }
        forward(now: now)
        watch(now: now)
    }

    /// Somebody ordered to send all that waits as fast as the server takes it.
    package mutating func drain(now: ContinuousClock.Instant) {
        queue.pace.isSuspended = true
        forward(now: now)
    }

    /// Somebody ordered to drop all that waits; returns how many messages that was.
    package mutating func dropEverything(now: ContinuousClock.Instant) -> Int {
        defer { watch(now: now) }
        return queue.dropEverything()
    }

    /// The process is about to end: no more of what is on the disk is sent.
    package mutating func end() { isEnding = true }

    /// Whether an end now costs nothing that another moment would save.
    package var isReadyToEnd: Bool {
        queue.isEmpty || queue.isStored && (!isUp || queue.hasDiskBacklog && queue.onTheWayCount == 0)
    }

    /// The process ends.
    package mutating func close(now: ContinuousClock.Instant) {
        queue.close(now: now)
    }

    // MARK: alarms

    package mutating func tick(now: ContinuousClock.Instant) {
        queue.tick(now: now)
        forward(now: now)
        guard let due = reportAt, now >= due else { return watch(now: now) }
        reportAt = nil
        report(now: now)
    }

    /// The first drop is reported at once, more of them together.
    private mutating func watch(now: ContinuousClock.Instant) {
        if isCatchingUp, queue.isEmpty {
            isCatchingUp = false
            actions.append(.alarm(.caughtUp))
        }
        let fill = queue.fill
        filling.see(fill, now: now)
        if fill >= Self.alarmFill, !isFilling {
            isFilling = true
            actions.append(.alarm(.queueFilling(percent: Int(fill * 100))))
        } else if fill < Self.alarmFill / 2 {
            isFilling = false
        }
        if reportAt == nil { report(now: now) }
    }

    private mutating func report(now: ContinuousClock.Instant) {
        var isNews = notWanted > 0 || circled > 0
        if notWanted > 0 { actions.append(.alarm(.notWanted(count: notWanted))) }
        if circled > 0 { actions.append(.alarm(.circled(count: circled))) }
        (notWanted, circled) = (0, 0)
        for reason in DropReason.allCases {
            let count = queue.dropped[reason, default: 0] - reported[reason, default: 0]
            guard count > 0 else { continue }
            isNews = true
            reported[reason, default: 0] += count
            actions.append(.alarm(.dropped(reason, count: count)))
        }
        if isNews { reportAt = now + Self.reportInterval }
    }
}
