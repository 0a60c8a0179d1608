import Decoders
import LinuxIO
import Profiles
import Readings
import Serial
import Settings

/// Runs one device that speaks unasked, or that answers to its profile's requests: bytes into its decoder, what it
/// says out as readings.
actor StreamDriver {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let port: PortSettings
    private let device: DeviceSettings
    private let bus: SerialBus
    private let simulated: String?
    private let bell: PortBell
    private let board: StatisticsBoard
    /// When the request that waits for its answer went out.
    private var askedAt: ContinuousClock.Instant?
    /// The wait that a port which is pulled out interrupts.
    private var waiting: Task<Readiness, Never>?
    private let report: @Sendable (DeviceReport) -> Void
    private let log: @Sendable (DriverLog) -> Void
    private let wanted: Set<String>
    private var keeper: StatusKeeper
    private var decoder: StreamDecoder
    private var lastTelegramAt: ContinuousClock.Instant
    /// Whether a whole telegram has come since the port was opened.
    private var hasHeard = false
    private var skippedSince = 0
    private var lastSkip = ""
    private var turns: RequestTurns
    /// Whether the connection was ended for its silence, which was told already.
    private var connectsAnew = false
    /// What was sent and may come back on a line that echoes.
    private var echo: [UInt8] = []
    /// Where a meter and the line change their speed.
    private var speed: LineSpeed?
    private var line: LineSettings
    private var arrivals: ArrivalTimes
    private var buffer = [UInt8](repeating: 0, count: 4_096)

    init(
        _ port: PortSettings, _ device: DeviceSettings, _ bus: SerialBus, simulated: String?, on loop: EventLoop,
        _ bell: PortBell, _ board: StatisticsBoard, report: @escaping @Sendable (DeviceReport) -> Void,
        log: @escaping @Sendable (DriverLog) -> Void
    ) {
        self.port = port
        self.device = device
        self.bus = bus
        self.simulated = simulated
        self.bell = bell
        self.board = board
        self.loop = loop
        self.report = report
        self.log = log
        wanted = Set(device.points.map(\.definition.name))
        keeper = StatusKeeper(device: device.key)
        decoder = StreamDecoder(bus.decoder)
        lastTelegramAt = ContinuousClock.now
        turns = RequestTurns(bus.requests, from: lastTelegramAt)
        line = LineSettings(port, device.profile.bus)
        arrivals = ArrivalTimes(from: lastTelegramAt)
    }

    /// Runs until its task is cancelled.
    func run() async {
        var backoff = Backoff()
        while !Task.isCancelled {
            let arrivals = bell.arrivals
            do {
                let link = try await PortLink.open(port, line, simulated: simulated, on: loop)
                log(DriverLog(level: .info, text: link.openingText))
                let openedAt = ContinuousClock.now
                let why = await serve(link)
                if let why, !connectsAnew {
                    tell(.offline(.portMissing, detail: "port \(port.key): \(why)"))
                }
                backoff.wasOpen(for: ContinuousClock.now - openedAt)
            } catch {
                guard !(error is CancellationError) else { break }
                let isMissing = (error as? SerialError)?.isMissing ?? false
                tell(.offline(isMissing ? .portMissing : .portFailed, detail: "port \(port.key): \(error)"))
            }
            if await bell.sleep(for: backoff.next(), after: arrivals, on: loop) { backoff = Backoff() }
        }
        tell(.offline(.stopping, detail: "the gateway is stopping"))
    }

    /// Three times the pace of its telegrams without one: it has gone silent.
    private var silenceLimit: Duration { max(bus.every, bus.requests.compactMap(\.every).min() ?? .zero) * 3 }

    /// Listens until the port is lost; returns why, or nil when the gateway stops.
    private func serve(_ link: consuming PortLink) async -> String? {
        let watch = link.path.map { path in bell.watch(path) { [weak self] in self?.portRemoved() } }
        defer { if let watch { bell.unwatch(watch) } }
        // The halves of two telegrams must not meet over a lost port.
        let now = ContinuousClock.now
        // Who is asked begins to speak then; all others may be in the middle of a line.
        let openedAt = bus.requests.isEmpty ? now : nil
        decoder = StreamDecoder(bus.decoder, longestPause: bus.longestPause, openedAt: openedAt)
        turns = RequestTurns(bus.requests, from: now)
        arrivals = ArrivalTimes(from: now)
        lastTelegramAt = now
        hasHeard = false
        skippedSince = 0
        echo = []
        askedAt = nil
        connectsAnew = false
        // Who gives bytes to the network keeps the speed.
        speed = bus.changesSpeed && link.path != nil ? LineSpeed(line) : nil
        while !Task.isCancelled {
            var wakeAt = lastTelegramAt + silenceLimit
            switch turns.next(at: ContinuousClock.now) {
            case .send(let number):
                if let why = await setSlow(link) ?? send(bus.requests[number], link) { return why }
                continue
            case .wait(let until): wakeAt = min(wakeAt, until)
            case .nothing: break
            }
            if let why = await setLine(link) { return why }
            if let changesAt = speed?.changesAt { wakeAt = min(wakeAt, changesAt) }
            switch await readable(link.descriptor, until: wakeAt) {
            case .cancelled: if link.isGone { return "it was pulled out" }
            case .failed(let error): return "\(error)"
            case .timedOut: break
            case .ready:
                switch link.receive(into: &buffer) {
                case .lost(let why): return why
                case .nothing: break
                case .bytes(let count):
                    if let why = received(count, link) { return why }
                    // Who reads late does not call the line silent before all is read.
                    if count >= ArrivalTimes.backlog { continue }
                }
            }
            guard ContinuousClock.now >= lastTelegramAt + silenceLimit else { continue }
            silent()
            // The other end of a connection may be gone without a word; a line stays the same when it is opened anew.
            connectsAnew = link.path == nil
            if connectsAnew { return "nothing is heard" }
        }
        return nil
    }

    private func readable(_ descriptor: CInt, until deadline: ContinuousClock.Instant) async -> Readiness {
        let wait = Task(executorPreference: loop) { [loop] in await loop.readable(descriptor, until: deadline) }
        waiting = wait
        defer { waiting = nil }
        return await withTaskCancellationHandler {
            await wait.value
        } onCancel: {
            wait.cancel()
        }
    }

    private nonisolated func portRemoved() {
        Task { await self.interrupt() }
    }

    private func interrupt() { waiting?.cancel() }

    /// Sends a request; returns why the port is lost, if it is.
    private func send(_ request: StreamRequest, _ link: borrowing PortLink) -> String? {
        if let why = put(request.bytes, link) { return why }
        board.count(device.key) { counts in
            counts.polls += 1
            if askedAt != nil { counts.timeouts += 1 }
        }
        let now = ContinuousClock.now
        askedAt = now
        // An answer does not begin before its question.
        arrivals = ArrivalTimes(from: now)
        return nil
    }

    /// Puts bytes on the line; returns why the port is lost, if it is.
    private func put(_ bytes: [UInt8], _ link: borrowing PortLink) -> String? {
        // A meter's line has seven bits and a parity; where it is set to eight, the parity is ours to add.
        let bytes = bus.changesSpeed && line.format == "8N1" ? bytes.map(EvenParity.adding) : bytes
        // A request fits into the driver's buffer; what does not go out now is a request without an answer.
        switch link.send(bytes.span) {
        case .lost(let why): return why
        case .count: break
        }
        if bus.echoes { echo = bytes }
        return nil
    }

    /// Goes back to the speed at which a meter is asked; returns why the port is lost, if it is.
    private func setSlow(_ link: borrowing PortLink) async -> String? {
        guard let failed = speed?.asks(at: ContinuousClock.now) else { return await setLine(link) }
        let text = "\(device.key): no readout came at \(failed) baud, which was agreed on; trying a slower speed"
        log(DriverLog(level: .warning, text: text))
        return await setLine(link)
    }

    /// Sets the line where its speed changes now; returns why the port is lost, if it is.
    private func setLine(_ link: borrowing PortLink) async -> String? {
        guard let line = speed?.change(at: ContinuousClock.now) else { return nil }
        do {
            try await link.set(line, on: loop)
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// How many of the bytes that came are our own, given back by the line.
    private func echoed(_ count: Int) -> Int {
        guard !echo.isEmpty else { return 0 }
        let same = zip(buffer.prefix(count), echo).prefix { $0 == $1 }.count
        guard same == min(count, echo.count) else {
            echo = []
            return 0
        }
        echo.removeFirst(same)
        return same
    }

    private func received(_ count: Int, _ link: borrowing PortLink) -> String? {
        // An answer to what was agreed comes at the new speed: what comes before is an echo.
        guard speed?.changesAt == nil else { return nil }
        let byteTime = link.path == nil ? .zero : (speed?.line ?? line).byteTime
        let spread = arrivals.read(count, at: ContinuousClock.now, byteTime: byteTime)
        let own = echoed(count)
        let reply = Self.agree(&speed, buffer, own..<count)
        for event in Self.decode(&decoder, buffer, spread, from: own) {
            if case .skipped(let bytes) = event { skipped(bytes) } else { received(event) }
        }
        return reply.flatMap { put($0, link) }
    }

    private static func agree(_ speed: inout LineSpeed?, _ buffer: [UInt8], _ range: Range<Int>) -> [UInt8]? {
        speed?.received(buffer.span.extracting(range), at: ContinuousClock.now)
    }

    private func skipped(_ bytes: SkippedBytes) {
        skippedSince += bytes.count
        board.count(device.key) { counts in
            counts.skippedBytes += bytes.count
            // Noise between messages is none that was lost.
            if bytes.reason != .noise { counts.garbled += 1 }
        }
        lastSkip = "\(bytes.reason)"
        // Who begins to listen in the middle of a message misses its beginning; that is no news.
        let level = hasHeard ? DriverLog.Level.warning : .debug
        log(DriverLog(level: level, text: "\(device.key): bytes skipped: \(bytes.reason)"))
    }

    private static func decode(
        _ decoder: inout StreamDecoder, _ buffer: [UInt8], _ spread: ArrivalTimes.Spread, from start: Int
    ) -> [StreamEvent] {
        var events: [StreamEvent] = []
        for portion in 0..<spread.portions {
            let bytes = spread.bytes(of: portion).clamped(to: start..<max(start, spread.count))
            guard !bytes.isEmpty else { continue }
            events += decoder.received(buffer.span.extracting(bytes), at: spread.time(of: portion))
        }
        return events
    }

    private func received(_ message: StreamEvent) {
        lastTelegramAt = ContinuousClock.now
        hasHeard = true
        skippedSince = 0
        turns.answered()
        speed?.answered()
        let startedAt = message.startedAt ?? lastTelegramAt
        countMessage(at: startedAt)
        let arrived = Moment.noticed(startedAt)
        let readings = device.profile.values(in: message).filter { wanted.contains($0.point) }.map { value in
            Reading(
                device: device.key, point: value.point, value: value.value, unit: value.unit,
                measuredAt: value.time.map(Moment.at) ?? arrived,
                quality: device.profile.point(value.point)?.isPlausible(value.value) == false ? .bad : .good)
        }
        if !readings.isEmpty { report(.readings(readings)) }
        tell(.online)
    }

    private func countMessage(at startedAt: ContinuousClock.Instant) {
        let asked = askedAt
        askedAt = nil
        board.count(device.key) { counts in
            counts.messages += 1
            guard let asked else { return }
            counts.answers += 1
            counts.responses.add(startedAt - asked)
        }
    }

    private func silent() {
        let limit = silenceLimit.components.seconds
        lastTelegramAt = ContinuousClock.now
        if let untold = decoder.takeSkipped() { skipped(untold) }
        if skippedSince > 0 {
            let detail = "port \(port.key): \(skippedSince) bytes came in \(limit) s, but no good message: \(lastSkip)"
            tell(.offline(.garbled, detail: detail))
        } else if turns.missed > 0 {
            tell(.offline(.timeout, detail: "port \(port.key): no answer to \(turns.missed) requests in \(limit) s"))
        } else {
            tell(.offline(.silent, detail: "port \(port.key): nothing heard for \(limit) s; is the cable in?"))
        }
        skippedSince = 0
    }

    private func tell(_ status: DeviceStatus) {
        guard let change = keeper.change(to: status) else { return }
        report(change)
        switch status {
        case .online: log(DriverLog(level: .info, text: "\(device.key) speaks"))
        case .offline(let reason, let detail):
            let level = reason == .stopping ? DriverLog.Level.debug : .warning
            log(DriverLog(level: level, text: "\(device.key) is offline: \(detail)"))
        }
    }
}
