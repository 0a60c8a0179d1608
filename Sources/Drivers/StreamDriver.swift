import Decoders
import LinuxIO
import Profiles
import Readings
import Serial
import Settings

/// Runs one device that speaks unasked: bytes into its decoder, telegrams out as readings.
actor StreamDriver {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let port: PortSettings
    private let device: DeviceSettings
    private let bus: SerialBus
    private let simulated: String?
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
    private var buffer = [UInt8](repeating: 0, count: 4_096)

    init(
        _ port: PortSettings, _ device: DeviceSettings, _ bus: SerialBus, simulated: String?, on loop: EventLoop,
        report: @escaping @Sendable (DeviceReport) -> Void, log: @escaping @Sendable (DriverLog) -> Void
    ) {
        self.port = port
        self.device = device
        self.bus = bus
        self.simulated = simulated
        self.loop = loop
        self.report = report
        self.log = log
        wanted = Set(device.points.map(\.definition.name))
        keeper = StatusKeeper(device: device.key)
        decoder = StreamDecoder(bus.decoder)
        lastTelegramAt = ContinuousClock.now
    }

    /// Runs until its task is cancelled.
    func run() async {
        var backoff = Backoff()
        while !Task.isCancelled {
            do {
                let line = LineSettings(port, device.profile.bus)
                let link = try await PortLink.open(port, line, simulated: simulated, on: loop)
                log(DriverLog(level: .info, text: "\(port.key) is open"))
                let openedAt = ContinuousClock.now
                if let why = await serve(link) {
                    tell(.offline(.portMissing, detail: "port \(port.key): \(why)"))
                }
                backoff.wasOpen(for: ContinuousClock.now - openedAt)
            } catch {
                guard !(error is CancellationError) else { break }
                let isMissing = (error as? SerialError)?.isMissing ?? false
                tell(.offline(isMissing ? .portMissing : .portFailed, detail: "port \(port.key): \(error)"))
            }
            try? await loop.sleep(for: backoff.next())
        }
        tell(.offline(.stopping, detail: "the gateway is stopping"))
    }

    /// Three times the pace of its telegrams without one: it has gone silent.
    private var silenceLimit: Duration { bus.every * 3 }

    /// Listens until the port is lost; returns why, or nil when the gateway stops.
    private func serve(_ link: consuming PortLink) async -> String? {
        // The halves of two telegrams must not meet over a lost port.
        decoder = StreamDecoder(bus.decoder)
        lastTelegramAt = ContinuousClock.now
        hasHeard = false
        skippedSince = 0
        while !Task.isCancelled {
            let deadline = lastTelegramAt + silenceLimit
            switch await loop.readable(link.descriptor, until: deadline) {
            case .cancelled: return nil
            case .failed(let error): return "\(error)"
            case .timedOut: silent()
            case .ready:
                switch link.receive(into: &buffer) {
                case .lost(let why): return why
                case .nothing: break
                case .bytes(let count): received(count)
                }
                if ContinuousClock.now >= deadline { silent() }
            }
        }
        return nil
    }

    private func received(_ count: Int) {
        for event in Self.decode(&decoder, buffer, count) {
            switch event {
            case .telegram(let telegram): received(telegram)
            case .frame, .record: break
            case .skipped(let skipped):
                skippedSince += skipped.count
                lastSkip = "\(skipped.reason)"
                // Who begins to listen in the middle of a telegram misses its beginning; that is no news.
                let level = hasHeard ? DriverLog.Level.warning : .debug
                log(DriverLog(level: level, text: "\(device.key): bytes skipped: \(skipped.reason)"))
            }
        }
    }

    private static func decode(_ decoder: inout StreamDecoder, _ buffer: [UInt8], _ count: Int) -> [StreamEvent] {
        decoder.received(buffer.span.extracting(0..<count), at: ContinuousClock.now)
    }

    private func received(_ telegram: Telegram) {
        lastTelegramAt = ContinuousClock.now
        hasHeard = true
        skippedSince = 0
        let arrived = Moment.noticed(telegram.startedAt)
        let readings = device.profile.values(in: telegram).filter { wanted.contains($0.point) }.map { value in
            Reading(
                device: device.key, point: value.point, value: value.value, unit: value.unit,
                measuredAt: value.time.map(Moment.at) ?? arrived,
                quality: device.profile.point(value.point)?.isPlausible(value.value) == false ? .bad : .good)
        }
        if !readings.isEmpty { report(.readings(readings)) }
        tell(.online)
    }

    private func silent() {
        let limit = silenceLimit.components.seconds
        lastTelegramAt = ContinuousClock.now
        if skippedSince > 0 {
            let detail = "port \(port.key): \(skippedSince) bytes came in \(limit) s, but no good telegram: \(lastSkip)"
            tell(.offline(.garbled, detail: detail))
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
