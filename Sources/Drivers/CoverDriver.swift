import Bytes
import Control
import GPIO
import LinuxIO
import Readings
import Settings

/// Runs one cover: takes its relays and end contacts, moves it, and takes them again when their chip was gone.
///
/// When the gateway stops, or its lines are lost, both relays are off.
actor CoverDriver {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// How often what moves is told, and a line is asked whether its chip is there.
    private static let pace: Duration = .seconds(1)
    /// A position is kept in thousandths; below zero it is not known.
    private static let unknown: Int64 = -1

    private let device: GPIODeviceSettings
    private let settings: CoverMotion.Settings
    private let totals: KeptTotals
    private let report: @Sendable (DeviceReport) -> Void
    private let log: @Sendable (DriverLog) -> Void
    private var keeper: StatusKeeper
    private var relays: LineHolder?
    private var contacts: LineHolder?
    private var motion: CoverMotion
    private var told: ToldValues
    /// Sees to it that a movement ends in time.
    private var timer: Task<Void, Never>?

    init(
        _ device: GPIODeviceSettings, _ settings: CoverMotion.Settings, on loop: EventLoop, _ totals: KeptTotals,
        report: @escaping @Sendable (DeviceReport) -> Void, log: @escaping @Sendable (DriverLog) -> Void
    ) {
        self.device = device
        self.settings = settings
        self.totals = totals
        self.loop = loop
        self.report = report
        self.log = log
        keeper = StatusKeeper(device: device.key)
        told = ToldValues(of: device)
        motion = CoverMotion(settings, position: nil, contacts: [], at: .now)
    }

    /// Runs until its task is cancelled; both relays are off then.
    func run() async {
        var backoff = Backoff()
        while !Task.isCancelled {
            do throws(GPIOError) {
                try take()
                backoff = Backoff()
                try await serve()
            } catch {
                motion.lose()
                tell(.offline(error.isMissing ? .portMissing : .portFailed, detail: "\(error)"))
            }
            letGo()
            guard !Task.isCancelled else { break }
            try? await loop.sleep(for: backoff.next())
        }
        tell(.offline(.stopping, detail: "the gateway is stopping"))
    }

    // MARK: lines

    private func take() throws(GPIOError) {
        let finder = LineFinder.now()
        guard case .cover(_, let drive, let debounce) = device.use else { return }
        let wanted = device.lines.enumerated().map { WantedLine($1, drive, debounce: debounce, isRelay: $0 < 2) }
        relays = LineHolder(try HeldLines(Array(wanted[..<2]), as: "martlet", by: finder))
        if wanted.count > 2 { contacts = LineHolder(try HeldLines(Array(wanted[2...]), as: "martlet", by: finder)) }
        let kept = totals.total(of: device.key) ?? Self.unknown
        motion = CoverMotion(
            settings, position: kept < 0 ? nil : Double(kept) / 1_000, contacts: try ends(), at: .now)
        told.forget()
        tell(.online)
        tellChanges()
    }

    /// The ends whose contacts say that it is there.
    private func ends() throws(GPIOError) -> Set<CoverMotion.End> {
        guard let contacts else { return [] }
        let levels = try contacts.lines.levels()
        return Set(zip(contactEnds, levels).filter(\.1).map(\.0))
    }

    private var contactEnds: [CoverMotion.End] {
        (settings.hasOpenedContact ? [.opened] : []) + (settings.hasClosedContact ? [.closed] : [])
    }

    private func letGo() {
        timer?.cancel()
        motion.rest(at: .now)
        keep()
        // Both are off with this.
        relays = nil
        contacts = nil
    }

    private func serve() async throws(GPIOError) {
        while !Task.isCancelled {
            guard let relays else { return }
            let due = ContinuousClock.now + Self.pace
            if let contacts {
                switch await loop.readable(contacts.lines.descriptor, until: due) {
                case .cancelled: return
                case .failed(let error): throw GPIOError(.named(device.key), .failed(error))
                case .timedOut: break
                case .ready: _ = try contacts.lines.edges()
                }
                try look()
            } else {
                try? await loop.sleep(for: Self.pace)
            }
            // Older kernels wake nobody when a chip goes.
            _ = try relays.lines.levels()
            try follow()
        }
    }

    private func look() throws(GPIOError) {
        let (active, now) = (try ends(), ContinuousClock.now)
        for end in contactEnds { motion.contact(end, isActive: active.contains(end), at: now) }
    }

    /// Makes the relays what the motion wants.
    private func follow() throws(GPIOError) {
        motion.tick(at: .now)
        try switchRelays()
        if let end = motion.takeMissed() {
            let (word, time) = end == .opened ? ("opened", settings.openTime) : ("closed", settings.closeTime)
            let text =
                "\(device.key) ran for more than \(time.components.seconds) s, and its contact '\(word)' did not come: "
                + "it is stopped, and where it is is not known"
            log(DriverLog(level: .warning, text: text))
        }
        tellChanges()
    }

    private func switchRelays() throws(GPIOError) {
        guard let relays else { return }
        let running = motion.running
        // Known before it moves: what is read after a crash must not be where it was before.
        if running != nil { keep() }
        try relays.lines.set([0: running == .opened, 1: running == .closed])
        if running == nil { keep() }
        timer?.cancel()
        timer = motion.wakeAt.map { wakeAt in
            Task {
                try? await self.loop.sleep(for: max(.zero, wakeAt - .now))
                guard !Task.isCancelled else { return }
                // Lines that are lost are found out where they are waited for.
                try? self.follow()
            }
        }
    }

    private func keep() {
        let position = motion.isResting ? motion.position(at: .now) : nil
        totals.keep(position.map { Int64(($0 * 1_000).rounded()) } ?? Self.unknown, of: device.key)
    }

    // MARK: commands

    /// Begins to carry out a command; where it goes is told as it moves.
    func write(_ word: String, to point: String) -> WriteOutcome {
        guard let relays else {
            return .failed(Refusal(.deviceOffline, "\(device.key) does not have its lines"))
        }
        guard let command = Self.command(word, to: point) else {
            return .failed(Refusal(.notAllowedValue, "'\(word)' is nothing that \(point) takes"))
        }
        let refusal = motion.received(command, at: .now)
        do throws(GPIOError) {
            // Also what is refused may have stopped it.
            try switchRelays()
            let levels = try relays.lines.levels()
            guard levels == [motion.running == .opened, motion.running == .closed] else {
                motion.rest(at: .now)
                try switchRelays()
                return .failed(
                    Refusal(.verifyFailed, "a relay's line is not as it was set: is something else driving it?"))
            }
        } catch {
            motion.lose()
            if error.isMissing { return .failed(Refusal(.deviceOffline, "\(error)")) }
            return .failed(Refusal(.timeout, "\(error); whether it moves is not known"))
        }
        // After the answer.
        Task {
            try? await self.loop.sleep(for: .milliseconds(2))
            self.tellChanges()
        }
        return refusal.map { .failed($0) } ?? .done(readBack: nil)
    }

    private static func command(_ word: String, to point: String) -> CoverMotion.Command? {
        switch (point, word) {
        case ("cover", "OPEN"): .open
        case ("cover", "CLOSE"): .close
        case ("cover", "STOP"): .stop
        case ("position", _): Double(word).map { .position($0 / 100) }
        default: nil
        }
    }

    // MARK: telling

    private func tellChanges() {
        let now = ContinuousClock.now
        guard relays != nil else { return }
        var values: [String: Value] = ["cover": .text(motion.state.rawValue)]
        if let position = motion.position(at: now) { values["position"] = .integer(Int64((position * 100).rounded())) }
        let news = told.news(values, at: now)
        if !news.isEmpty { report(.readings(news)) }
    }

    private func tell(_ status: DeviceStatus) {
        keeper.tell(status, found: "has its lines", report, log)
    }
}
