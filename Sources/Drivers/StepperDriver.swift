import Control
import GPIO
import LinuxIO
import Readings
import Settings

/// Runs one stepper motor: makes its steps, watches its contact, and takes its lines again when their chip was gone.
///
/// When the gateway stops, or its lines are lost, it stands still, and its current is off.
actor StepperDriver {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// How often a movement is told, and a line is asked whether its chip is there.
    private static let pace: Duration = .seconds(1)
    /// What drivers of motors want between a change of direction, or of their current, and a step, with much to spare.
    private static let settling: Duration = .milliseconds(2)
    /// However slow the steps are.
    private static let longestPulse: Duration = .milliseconds(5)
    private static let unknown = Int64.min

    private let device: GPIODeviceSettings
    private let settings: StepperSettings
    private let drive: GPIODrive
    private let totals: KeptTotals
    private let report: @Sendable (DeviceReport) -> Void
    private let log: @Sendable (DriverLog) -> Void
    private var keeper: StatusKeeper
    private var motor: LineHolder?
    private var contact: LineHolder?
    private var motion: StepperMotion
    private var isStepping = false
    private var told: ToldValues

    init(
        _ device: GPIODeviceSettings, _ settings: StepperSettings, _ drive: GPIODrive, on loop: EventLoop,
        _ totals: KeptTotals, report: @escaping @Sendable (DeviceReport) -> Void,
        log: @escaping @Sendable (DriverLog) -> Void
    ) {
        self.device = device
        self.settings = settings
        self.drive = drive
        self.totals = totals
        self.loop = loop
        self.report = report
        self.log = log
        keeper = StatusKeeper(device: device.key)
        told = ToldValues(of: device)
        motion = StepperMotion(range: settings.steps, position: nil, isAtHome: false)
    }

    /// Runs until its task is cancelled; the motor stands still then.
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
            _ = motion.received(.stop)
            keep()
            // All outputs are off with this.
            motor = nil
            contact = nil
            guard !Task.isCancelled else { break }
            try? await loop.sleep(for: backoff.next())
        }
        tell(.offline(.stopping, detail: "the gateway is stopping"))
    }

    private func take() throws(GPIOError) {
        let finder = LineFinder.now()
        let last = device.lines.count - 1
        let wanted = device.lines.enumerated().map {
            WantedLine($1, drive, debounce: settings.debounce, isRelay: $0 < last)
        }
        motor = LineHolder(try HeldLines(Array(wanted[..<last]), as: "martlet", by: finder))
        contact = LineHolder(try HeldLines(Array(wanted[last...]), as: "martlet", by: finder))
        let kept = totals.total(of: device.key) ?? Self.unknown
        motion = StepperMotion(
            range: settings.steps, position: kept == Self.unknown ? nil : kept, isAtHome: try isAtHome())
        if settings.holds, settings.hasEnable { try motor?.lines.set([2: true]) }
        tell(.online)
        told.forget()
        tellChanges()
    }

    private func isAtHome() throws(GPIOError) -> Bool {
        try contact?.lines.levels().first ?? false
    }

    /// Steps are made by a task of their own; here the lines are watched, and what changes slowly is told.
    private func serve() async throws(GPIOError) {
        while !Task.isCancelled {
            guard let motor, let contact else { return }
            switch await loop.readable(contact.lines.descriptor, until: .now + Self.pace) {
            case .cancelled: return
            case .failed(let error): throw GPIOError(.named(device.key), .failed(error))
            case .timedOut: break
            case .ready: _ = try contact.lines.edges()
            }
            // Older kernels wake nobody when a chip goes.
            _ = try motor.lines.levels()
            motion.home(try isAtHome())
            tellChanges()
        }
    }

    // MARK: steps

    private func startStepping() {
        guard !isStepping, motion.next != nil else { return }
        isStepping = true
        // Known before it moves: what is read after a crash must not be where it was before.
        keep()
        Task {
            do {
                try await self.makeSteps()
            } catch {
                // That the lines are lost is found out, and told, where they are watched.
                self.motion.lose()
            }
            self.isStepping = false
            self.ended()
        }
    }

    private func makeSteps() async throws {
        var direction: StepperMotion.Direction?
        let whole = Duration.seconds(1 / settings.speed)
        if settings.hasEnable { try motor?.lines.set([2: true]) }
        var next = ContinuousClock.now + Self.settling
        while let step = motion.next {
            if step != direction {
                try motor?.lines.set([1: step == .forth])
                direction = step
                next = .now + Self.settling
            }
            try await loop.sleep(for: max(.zero, next - .now))
            // Whoever stopped it meanwhile does not get another step.
            guard motion.next == step, let motor else { continue }
            try motor.lines.set([0: true])
            next = .now + whole
            try? await loop.sleep(for: min(whole / 2, Self.longestPulse))
            try motor.lines.set([0: false])
            motion.stepped(step)
            motion.home(try isAtHome())
        }
    }

    private func ended() {
        // Where it stood when the lines were let go is kept already.
        guard motor != nil else { return }
        if settings.hasEnable, !settings.holds { try? motor?.lines.set([2: false]) }
        if motion.takeMissed() {
            let text =
                "\(device.key) went the whole way and a tenth more, and its contact did not come: "
                + "it is stopped, and where it is is not known"
            log(DriverLog(level: .warning, text: text))
        }
        keep()
        tellChanges()
        startStepping()
    }

    private func keep() {
        totals.keep((isStepping ? nil : motion.position) ?? Self.unknown, of: device.key)
    }

    // MARK: commands

    /// Begins to carry out a command; where it goes is told as it moves.
    func write(_ word: String, to point: String) -> WriteOutcome {
        guard motor != nil else {
            return .failed(Refusal(.deviceOffline, "\(device.key) does not have its lines"))
        }
        let command: StepperMotion.Command
        switch (point, word) {
        case ("stepper", "HOME"): command = .home
        case ("stepper", "STOP"): command = .stop
        case ("position", _):
            guard let number = Double(word), settings.range.contains(number) else { fallthrough }
            command = .move(Int64((number * settings.stepsPerUnit).rounded()))
        default: return .failed(Refusal(.notAllowedValue, "'\(word)' is nothing that \(point) takes"))
        }
        if let refusal = motion.received(command) { return .failed(refusal) }
        startStepping()
        // After the answer.
        Task {
            try? await self.loop.sleep(for: .milliseconds(2))
            self.tellChanges()
        }
        return .done(readBack: nil)
    }

    // MARK: telling

    private func tellChanges() {
        guard motor != nil else { return }
        var values: [String: Value] = ["stepper": .text(motion.state.rawValue)]
        if let position = motion.position {
            values["position"] = Value.measured((Double(position) / settings.stepsPerUnit * 1e6).rounded() / 1e6)
        }
        let news = told.news(values, at: .now)
        if !news.isEmpty { report(.readings(news)) }
    }

    private func tell(_ status: DeviceStatus) {
        keeper.tell(status, found: "has its lines", report, log)
    }
}
