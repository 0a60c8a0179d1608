import Bridge
import Client
import LinuxIO
import MQTTCodec
import NIOCore

/// Carries out what the client's and the bridge's states decide; lives on the link's loop and never leaves it.
final class UpstreamCore {
    var settings: UpstreamLink.Settings
    let loop: any NIOCore.EventLoop
    let report: @Sendable (BridgeEvent) -> Void
    var local: LocalClient?
    var client: ClientState
    var bridge: BridgeState
    var status: UpstreamStatus
    var backOff: BackOff
    let backOffSeed: UInt64
    var channel: (any Channel)?
    /// Counts attempts, so that news of an earlier channel are known as such.
    var attempt = 0
    var connectedAt: ContinuousClock.Instant?
    /// Attempts in a row that the server ended instead of answering CONNECT: RabbitMQ 3 does that to MQTT 5.
    var unanswered = 0
    var dialect: UpstreamDialect
    var places: UpstreamAddresses
    private var conflicts = ConflictWatch()
    /// The bridge's numbers of what the client has in its window.
    private var numbers: [RequestHandle: Int] = [:]
    private var topics: [RequestHandle: [UInt8]] = [:]
    /// Sent at QoS 0, to be called done when the channel has room again.
    private var sentAtMostOnce: [Int] = []
    private var saidRestrictions = ""
    /// To be acknowledged upstream when the local broker acknowledges.
    var localTokens: [RequestHandle: MessageToken] = [:]
    private var timer: (at: ContinuousClock.Instant, task: Scheduled<Void>)?
    var stopped: EventLoopPromise<Void>?
    /// Whether the local broker may still have messages from before `stop`.
    private var awaitsLast = false
    /// Whether the first subscription was answered: an end that comes before that must not take its answer for the last.
    private var isSubscribed = false
    private var subscribed: EventLoopPromise<Void>?

    /// Where the bridge's queue is kept; nil for in memory only.
    private let storage: (any BufferStorage)?

    /// `queue` has what the storage had.
    init(
        _ settings: UpstreamLink.Settings, on loop: any NIOCore.EventLoop, seed: UInt64, queue: OfflineQueue,
        storage: (any BufferStorage)?, report: @escaping @Sendable (BridgeEvent) -> Void
    ) {
        self.settings = settings
        self.storage = storage
        self.loop = loop
        self.report = report
        dialect = UpstreamDialect(settings)
        places = UpstreamAddresses(settings)
        client = ClientState(ClientSettings(settings, dialect), now: .now)
        bridge = BridgeState(settings.bridge, queue: queue)
        bridge.clock(WallClock.millisecondsSince1970, now: .now)
        status = UpstreamStatus(settings.statusName)
        backOffSeed = seed
        backOff = BackOff(settings, seed: seed)
    }

    /// Connects to both sides; `subscribed` succeeds when the local broker sends what it gets from then on.
    func start(_ local: LocalClient, subscribed: EventLoopPromise<Void>) {
        self.local = local
        self.subscribed = subscribed
        if bridge.localSubscriptions.isEmpty { isNowSubscribed() }
        local.subscribe(bridge.localSubscriptions)
        if !bridge.upstreamSubscriptions.isEmpty { _ = client.subscribe(bridge.upstreamSubscriptions) }
        connect()
    }

    /// Takes what the local broker still has for it, sends the queue or has it kept, but not for long, and then ends for
    /// good.
    func stop(patience: Duration, done: EventLoopPromise<Void>) {
        stopped = done
        bridge.end()
        guard bridge.isUp || storage != nil, let local, var last = bridge.localSubscriptions.first else { return end() }
        // Its answer comes behind the messages that are on their way already.
        last.retainHandling = .never
        awaitsLast = true
        local.subscribe([last])
        loop.assumeIsolated().scheduleTask(in: TimeAmount(patience)) { self.end() }
    }

    private func end() {
        guard let done = stopped else { return }
        stopped = nil
        isNowSubscribed()
        timer?.task.cancel()
        attempt += 1
        for message in status.farewell() { local?.publish(message) }
        bridge.close(now: .now)
        for action in bridge.takeActions() { carryOut(action) }
        local?.close()
        local = nil
        client.disconnect()
        write()
        guard let channel else { return done.succeed() }
        channel.close().assumeIsolated().whenComplete { _ in done.succeed() }
    }

    // MARK: the local broker

    func localEvent(_ event: ClientEvent) {
        switch event {
        case .message(let message, let token): bridge.localMessage(message, token, now: .now)
        case .acknowledged(let handle, _):
            if let token = localTokens.removeValue(forKey: handle) { client.acknowledge(token) }
        case .subscribed where isSubscribed && stopped != nil: awaitsLast = false
        case .subscribed(_, let codes):
            isNowSubscribed()
            for (request, code) in zip(bridge.localSubscriptions, codes) where code.isError {
                let filter = String(decoding: request.filter, as: UTF8.self)
                report(.localSubscriptionRefused(filter: filter, reason: "\(code)"))
            }
        case .connected, .unsubscribed, .heldBack, .closed: break
        }
        settle()
    }

    private func isNowSubscribed() {
        isSubscribed = true
        subscribed?.succeed()
        subscribed = nil
    }

    private func publishLocally(_ message: Publish, _ token: MessageToken?) {
        let handle = local?.publish(message)
        guard let token else { return }
        if message.qos > .atMostOnce, let handle {
            localTokens[handle] = token
        } else {
            client.acknowledge(token)
        }
    }

    /// The storage of the queue tells something.
    func storageTold(_ news: BufferNews) {
        bridge.storageTold(news, now: .now)
        settle()
    }

    /// What waits for the server.
    var bufferStatus: BufferStatus { bridge.bufferStatus(now: .now) }

    /// Sends all that waits as fast as the server takes it.
    func drain() {
        bridge.drain(now: .now)
        settle()
    }

    /// Drops all that waits; returns how many messages that was.
    func dropEverything() -> Int {
        defer { settle() }
        return bridge.dropEverything(now: .now)
    }

    // MARK: the channel

    /// The settings with the address that is in use.
    var here: UpstreamLink.Settings { settings.at(places.index) }

    func connect() {
        attempt += 1
        let number = attempt
        let opening = UpstreamChannel.open(here, on: loop, for: self, attempt: number)
        opening.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel): self.opened(channel, attempt: number)
            case .failure(let error): self.failed(error, attempt: number)
            }
        }
    }

    private func opened(_ channel: any Channel, attempt number: Int) {
        guard number == attempt else { return channel.close(promise: nil) }
        // It may be gone before this call: then nobody else notices.
        guard channel.isActive else {
            return ended(UpstreamFailure.closed(nil, wasAccepted: false, here))
        }
        self.channel = channel
        client.transportOpened(now: .now)
        settle()
    }

    private func failed(_ error: any Error, attempt number: Int) {
        if number == attempt { ended(UpstreamFailure.sentence(error, here)) }
    }

    /// An attempt came to nothing.
    private func ended(_ cause: String) {
        down(cause)
        reconnect()
        settle()
    }

    func received(_ buffer: ByteBuffer, attempt number: Int) {
        guard number == attempt else { return }
        client.received(buffer.readableBytesUInt8Span, now: .now)
    }

    /// Once after everything that came at once.
    func receivedAll(attempt number: Int) {
        if number == attempt { settle() }
    }

    func writabilityChanged(attempt number: Int) {
        if number == attempt { settle() }
    }

    func closed(_ error: (any Error)?, attempt number: Int) {
        guard number == attempt else { return }
        channel = nil
        client.transportClosed(UpstreamFailure.closed(error, wasAccepted: connectedAt != nil, here))
        settle()
    }

    private func reconnect() {
        guard stopped == nil else { return end() }
        let lasted = connectedAt.map { .now - $0 }
        let isRoundOver = places.failed(wasConnected: lasted != nil)
        // The next address is tried soon; after the last one there is a pause.
        let wait = isRoundOver ? backOff.delay(connectedFor: lasted) : settings.shortestWait
        connectedAt = nil
        attempt += 1
        let number = attempt
        loop.assumeIsolated().scheduleTask(in: TimeAmount(wait)) {
            guard number == self.attempt else { return }
            self.tryOtherDialect()
            self.connect()
        }
    }

    // MARK: turns

    /// Carries out everything that was decided, until nothing more follows from it.
    func settle() {
        repeat {
            for event in client.takeEvents() { carryOut(event) }
            for action in bridge.takeActions() { carryOut(action) }
            write()
            if channel?.isWritable == true { finishAtMostOnce() }
        } while client.hasEvents || bridge.hasActions
        if let connectedAt, .now - connectedAt >= settings.stableAfter { status.stable() }
        for message in status.messages(bridge, client, now: .now) { local?.publish(message) }
        if stopped != nil, !awaitsLast, bridge.isReadyToEnd { end() }
        setTimer()
    }

    private func carryOut(_ event: ClientEvent) {
        switch event {
        case .connected:
            connectedAt = .now
            bridge.clock(WallClock.millisecondsSince1970, now: .now)
            status.connected()
            if unanswered > 0, client.version == .v311 { report(.olderVersion) }
            unanswered = 0
            bridge.carriesHops = client.version == .v5
            bridge.linkUp(now: .now)
            if client.restrictions != saidRestrictions {
                saidRestrictions = client.restrictions
                if !saidRestrictions.isEmpty { report(.serverLimits(saidRestrictions)) }
            }
            watchForFirst()
        case .message(let message, let token): bridge.upstreamMessage(message, token, now: .now)
        case .acknowledged(let handle, let code):
            let topic = topics.removeValue(forKey: handle)
            guard let number = numbers.removeValue(forKey: handle) else { return }
            if code.isError { status.rejected(topic ?? [], "\(code)") }
            bridge.upstreamAcknowledged(number, code, now: .now)
        case .heldBack(let handle):
            let topic = topics[handle] ?? []
            report(.heldBack(topic: String(decoding: topic, as: UTF8.self)))
            status.rejected(topic, "the server hangs up at it again and again; it is kept and tried now and then")
        case .subscribed(_, let codes): bridge.upstreamSubscribed(codes)
        case .unsubscribed: break
        case .closed(.refused(.unsupportedProtocolVersion, _)) where dialect.afterRefusal(settings) != nil:
            let wasNew = dialect.version == .v5
            if let next = dialect.afterRefusal(settings) { speak(next) }
            if wasNew { report(.olderVersion) }
            connect()
        case .closed(let reason):
            if connectedAt == nil, case .transport = reason { unanswered += 1 }
            linkLost(reason)
        }
    }

    private func linkLost(_ reason: CloseReason) {
        let lasted = connectedAt.map { .now - $0 }
        if let verdict = conflicts.ended(reason, after: lasted, settings.stableAfter) {
            let event = BridgeEvent.clientIDShared(
                String(decoding: settings.bridge.clientID, as: UTF8.self), isCertain: verdict == .certain)
            report(event)
            status.problem(event.description, lasts: true)
        }
        write()
        channel?.close(promise: nil)
        channel = nil
        finishAtMostOnce()
        down(UpstreamFailure.sentence(reason, here))
        reconnect()
    }

    func down(_ cause: String) {
        bridge.linkDown(cause, now: .now)
        status.problem(cause)
    }

    /// Whoever hangs up on one version may answer the other.
    private func tryOtherDialect() {
        if let next = dialect.afterSilence(settings, unanswered: unanswered) { speak(next) }
    }

    /// The same again in another version of MQTT.
    ///
    /// 3.1.1 has no No Local, so a line of `in` that covers what `out` sends gets it back once; the local broker's
    /// No Local keeps it from going round again.
    func speak(_ dialect: UpstreamDialect) {
        self.dialect = dialect
        channel?.close(promise: nil)
        channel = nil
        for number in numbers.values.sorted() { bridge.notForwarded(number, .notConnected, now: .now) }
        numbers = [:]
        topics = [:]
        let downgrades = client.downgrades
        client = ClientState(ClientSettings(settings, dialect), now: .now)
        client.downgrades = downgrades
        if !bridge.upstreamSubscriptions.isEmpty { _ = client.subscribe(bridge.upstreamSubscriptions) }
    }

    private func carryOut(_ action: BridgeState.Action) {
        switch action {
        case .forward(let message, let number): forward(message, number)
        case .acknowledgeLocal(let token): local?.acknowledge(token)
        case .publishLocally(let message, let token): publishLocally(message, token)
        case .acknowledgeUpstream(let token): client.acknowledge(token)
        case .alarm(let event): report(event)
        case .buffer(let action): storage?.carryOut(action)
        }
    }

    private func forward(_ message: Publish, _ number: Int) {
        do throws(PublishRefusal) {
            let handle = try client.publish(message, now: .now)
            if message.qos > .atMostOnce {
                numbers[handle] = number
                topics[handle] = message.topic
            } else {
                sentAtMostOnce.append(number)
            }
        } catch {
            if error == .packetTooLarge {
                status.rejected(message.topic, "too large for the server")
            }
            bridge.notForwarded(number, error, now: .now)
        }
    }

    func finishAtMostOnce() {
        let numbers = sentAtMostOnce
        sentAtMostOnce = []
        for number in numbers { bridge.upstreamAcknowledged(number, .success, now: .now) }
    }

    func write() {
        let bytes = client.takeOutput(now: .now)
        guard !bytes.isEmpty, let channel else { return }
        channel.writeAndFlush(channel.allocator.buffer(bytes: bytes), promise: nil)
    }

    /// One timer; one that fires early only asks again.
    private func setTimer() {
        guard local != nil, let wakeAt = [client.wakeAt, bridge.wakeAt, status.wakeAt].compactMap(\.self).min() else {
            return
        }
        if let timer, timer.at <= wakeAt { return }
        timer?.task.cancel()
        let task = loop.assumeIsolated().scheduleTask(in: TimeAmount(max(.zero, wakeAt - .now))) { self.timerFired() }
        timer = (wakeAt, task)
    }

    private func timerFired() {
        timer = nil
        bridge.clock(WallClock.millisecondsSince1970, now: .now)
        client.tick(now: .now)
        bridge.tick(now: .now)
        settle()
    }
}
