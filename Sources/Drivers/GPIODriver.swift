import Bytes
import Control
import Decoders
import GPIO
import LinuxIO
import Readings
import Settings

/// Runs one device on GPIO lines: takes them, makes readings of their edges or sets them, and takes them again when their
/// chip was gone.
actor GPIODriver {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// The kernel keeps so many edges for who reads late: at 1,000 a second more than half a second of them.
    private static let eventBuffer = 1_024
    /// How often what stays the same is told again.
    private static let retold: Duration = .seconds(60)
    /// How often a line is asked whether its chip is still there: older kernels (6.1) wake nobody when it goes.
    private static let lookedAfter: Duration = .seconds(1)

    private let device: GPIODeviceSettings
    private let totals: KeptTotals
    private let report: @Sendable (DeviceReport) -> Void
    private let log: @Sendable (DriverLog) -> Void
    private var keeper: StatusKeeper
    private var holder: LineHolder?
    private var decoder: LineDecoder?
    private var lostEdges = 0
    private var keepAt: MonotonicTime = .never
    private var retellAt: MonotonicTime = .never
    /// When the line of a watchdog changes next, and what it is now.
    private var blinkAt: MonotonicTime = .never
    private var isLit = false

    init(
        _ device: GPIODeviceSettings, on loop: EventLoop, _ totals: KeptTotals,
        report: @escaping @Sendable (DeviceReport) -> Void, log: @escaping @Sendable (DriverLog) -> Void
    ) {
        self.device = device
        self.totals = totals
        self.loop = loop
        self.report = report
        self.log = log
        keeper = StatusKeeper(device: device.key)
    }

    /// Runs until its task is cancelled; outputs are safe then.
    func run() async {
        var backoff = Backoff()
        while !Task.isCancelled {
            do throws(GPIOError) {
                try take()
                backoff = Backoff()
                try await serve()
            } catch {
                let reason: OfflineReason = error.isMissing ? .portMissing : .portFailed
                tell(.offline(reason, detail: "\(error)"))
            }
            letGo()
            guard !Task.isCancelled else { break }
            try? await loop.sleep(for: backoff.next())
        }
        tell(.offline(.stopping, detail: "the gateway is stopping"))
    }

    // MARK: taking lines

    private func take() throws(GPIOError) {
        let finder = LineFinder.now()
        var hasDebounce = true
        do throws(GPIOError) {
            holder = LineHolder(try HeldLines(wanted(true), as: "martlet", by: finder, eventBuffer: Self.eventBuffer))
        } catch {
            // Where the chip's driver can't wait for a level to settle, it is done here.
            guard case .failed = error.reason, device.debounce > .zero else { throw error }
            holder = LineHolder(try HeldLines(wanted(false), as: "martlet", by: finder, eventBuffer: Self.eventBuffer))
            hasDebounce = false
        }
        try begin(hasDebounce)
    }

    private func wanted(_ debounces: Bool) -> [WantedLine] {
        device.lines.map { WantedLine($0, device, debounces: debounces) }
    }

    private func begin(_ hasDebounce: Bool) throws(GPIOError) {
        guard let holder else { return }
        let levels = try holder.lines.levels()
        let now = MonotonicTime.now
        retellAt = now + Self.retold
        if case .input(let function, let debounce, let keeps, let start) = device.use {
            let kept = keeps == nil ? start : totals.total(of: device.key) ?? start
            let decoder = LineDecoder(
                function, levels: levels, kept: kept, debounce: hasDebounce ? .zero : debounce, at: now)
            self.decoder = decoder
            keepAt = keeps.map { now + $0 } ?? .never
            tell(.online)
            tell(decoder.current(at: now), now)
        } else {
            if case .watchdog = device.use { (blinkAt, isLit) = (now, false) }
            tell(.online)
            tellOutputs(levels, now)
        }
    }

    /// A watchdog's line changes for as long as this loop turns.
    private func blink(_ holder: LineHolder, _ now: MonotonicTime) throws(GPIOError) {
        guard case .watchdog(let period, _) = device.use, now >= blinkAt else { return }
        isLit.toggle()
        try holder.lines.set([0: isLit])
        blinkAt = max(now, blinkAt + period / 2)
    }

    private func letGo() {
        keep()
        decoder = nil
        blinkAt = .never
        // Outputs are made safe with this.
        holder = nil
    }

    // MARK: edges

    private func serve() async throws(GPIOError) {
        var idle = 0
        while !Task.isCancelled {
            guard let holder else { return }
            let now = MonotonicTime.now
            let due = [decoder?.wakeAt(now), keepAt, retellAt, blinkAt].compactMap(\.self).min() ?? retellAt
            let wait = min(max(.zero, due - now), Self.lookedAfter)
            switch await loop.readable(holder.lines.descriptor, until: ContinuousClock.now + wait) {
            case .cancelled: return
            case .failed(let error): throw GPIOError(.named(device.key), .failed(error))
            case .timedOut: idle = 0
            case .ready:
                // A chip that goes hangs up, and has no edges.
                idle = try readEdges(holder) ? 0 : idle + 1
                if idle > 0 { _ = try holder.lines.levels() }
                if idle > 100 { throw GPIOError(.named(device.key), .lost) }
            }
            try doDue(holder)
        }
    }

    /// Takes what waits; false if nothing did.
    private func readEdges(_ holder: LineHolder) throws(GPIOError) -> Bool {
        guard decoder != nil else { return false }
        var (any, lost) = (false, 0)
        while true {
            let edges = try holder.lines.edges()
            guard !edges.isEmpty else { break }
            any = true
            var readings: [LineReading] = []
            for edge in edges {
                lost += edge.lost
                guard let time = edge.time else { continue }
                if edge.lost > 0 { readings += decoder?.resync(levels: try holder.lines.levels(), at: time) ?? [] }
                readings += decoder?.received(LineEdge(line: edge.line, isActive: edge.isActive, time: time)) ?? []
            }
            tell(readings, MonotonicTime.now)
            guard edges.count >= 64 else { break }
        }
        if lost > 0 { try lostSome(lost, holder) }
        return any
    }

    private func lostSome(_ count: Int, _ holder: LineHolder) throws(GPIOError) {
        let now = MonotonicTime.now
        tell(decoder?.resync(levels: try holder.lines.levels(), at: now) ?? [], now)
        let isFirst = lostEdges == 0
        lostEdges += count
        let text =
            "\(device.key): \(count) edges were lost (\(lostEdges) so far): they came faster than they could be read"
        log(DriverLog(level: isFirst ? .warning : .debug, text: text))
    }

    private func doDue(_ holder: LineHolder) throws(GPIOError) {
        let now = MonotonicTime.now
        try blink(holder, now)
        tell(decoder?.tick(at: now) ?? [], now)
        if now >= keepAt { keep() }
        guard now >= retellAt else { return }
        retellAt = now + Self.retold
        let levels = try holder.lines.levels()
        if decoder == nil {
            tellOutputs(levels, now)
        } else {
            tell(decoder?.current(at: now) ?? [], now)
        }
    }

    private func keep() {
        guard case .input(_, _, let keeps?, _) = device.use, let total = decoder?.kept else { return }
        totals.keep(total, of: device.key)
        keepAt = MonotonicTime.now + keeps
    }

    // MARK: outputs

    /// Sets the output, and reads back what the line has.
    func write(_ word: String, to point: String) async -> WriteOutcome {
        guard let holder, case .output = device.use else {
            return .failed(Refusal(.deviceOffline, "\(device.key) does not have its line"))
        }
        let isActive = word == "ON"
        do throws(GPIOError) {
            try holder.lines.set([0: isActive])
        } catch {
            // Without its chip a line can't have moved.
            if error.isMissing { return .failed(Refusal(.deviceOffline, "\(error)")) }
            return .failed(Refusal(.timeout, "\(error); whether it switched is not known"))
        }
        guard let level = try? holder.lines.levels().first else {
            return .failed(Refusal(.verifyFailed, "set, but the line could not be read back"))
        }
        // After the answer.
        Task {
            try? await self.loop.sleep(for: .milliseconds(2))
            self.retell()
        }
        guard level == isActive else {
            return .failed(
                Refusal(.verifyFailed, "set, but the line is \(level ? "ON" : "OFF"): is something else driving it?"))
        }
        return .done(readBack: .text(word))
    }

    private func retell() {
        guard let holder, let levels = try? holder.lines.levels() else { return }
        tellOutputs(levels, MonotonicTime.now)
    }

    private func tellOutputs(_ levels: [Bool], _ now: MonotonicTime) {
        guard let point = device.points.first, let level = levels.first else { return }
        tell([LineReading(point.name, .text(level ? "ON" : "OFF"), at: now)], now)
    }

    // MARK: telling

    private func tell(_ readings: [LineReading], _ now: MonotonicTime) {
        guard !readings.isEmpty else { return }
        let instant = ContinuousClock.now
        report(
            .readings(
                readings.map { reading in
                    Reading(
                        device: device.key, point: reading.point, value: reading.value,
                        unit: device.points.first { $0.name == reading.point }?.unit,
                        measuredAt: .noticed(instant - max(.zero, now - reading.time)), quality: reading.quality)
                }))
    }

    private func tell(_ status: DeviceStatus) {
        keeper.tell(status, found: "has its lines", report, log)
    }
}
