package import LinuxIO
import Readings

/// A simulated device on a pseudo-terminal: the real bytes at the real pace.
///
/// The line has the speed that the program sets, as if the device had been set to it. It runs on the loop it is given, from `plug` to `unplug` or to the end of the loop.
package actor VirtualDevice {
    private enum Model {
        case bus(VirtualBus)
        case smartMeter(SmartMeter)
        case receiver(SatelliteReceiver)
        case messenger(Messenger)
    }

    private static let bufferSize = 512
    /// On a bus, silence that ends what has begun; real units wait 3.5 characters, but a pty has no such timing.
    private static let silence: Duration = .milliseconds(20)

    private let loop: EventLoop
    private let switchedOnAt = ContinuousClock.now
    private var model: Model
    private var terminal: PluggedTerminal?
    private var running: Task<Void, Never>?

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// A device of one profile; on a Modbus bus it answers to every unit number, each a device of its own.
    package init(_ profile: SimulatedProfile, on loop: EventLoop) {
        let seed = Entropy.seed()
        model =
            if let unit = profile.unit(seed: seed) {
                .bus(VirtualBus(units: [:], anyUnit: unit))
            } else if profile == .nmeaGPS {
                .receiver(SatelliteReceiver(seed: seed))
            } else {
                .smartMeter(SmartMeter(seed: seed))
            }
        self.loop = loop
    }

    /// A device that does what a script says; on a Modbus bus it answers to every unit number.
    package init(_ script: DeviceScript, on loop: EventLoop) {
        switch script {
        case .registers(let registers):
            let unit = ScriptedUnit(registers, seed: Entropy.seed())
            model = .bus(VirtualBus(units: [:], anyUnit: VirtualUnit(.scripted(unit))))
        case .messages(let messages): model = .messenger(Messenger(messages))
        }
        self.loop = loop
    }

    /// Several Modbus devices on one bus; other unit numbers stay silent.
    package init(units profiles: [UInt8: SimulatedProfile], on loop: EventLoop) {
        let seed = Entropy.seed()
        var units: [UInt8: VirtualUnit] = [:]
        for (number, profile) in profiles { units[number] = profile.unit(seed: seed &+ UInt64(number)) }
        model = .bus(VirtualBus(units: units))
        self.loop = loop
    }

    /// Plugs it in and says at which path a program opens it.
    ///
    /// That is `link` where one is given (a symbolic link is made there), else the terminal's own path, which differs
    /// from time to time.
    @discardableResult
    package func plug(at link: String? = nil) async throws(SystemError) -> String {
        await unplug()
        let plugged = try PluggedTerminal(link: link)
        terminal = plugged
        running = Task(executorPreference: loop) { await self.run(plugged) }
        return plugged.path
    }

    /// Pulls it out: programs that have it open see it vanish.
    package func unplug() async {
        let (task, plugged) = (running, terminal)
        (running, terminal) = (nil, nil)
        task?.cancel()
        await task?.value
        plugged?.close()
    }

    /// Where it is plugged in; nil while it is not.
    package var path: String? { terminal?.path }

    /// Makes a unit of the bus misbehave, or behave again.
    package func setBehaviour(_ behaviour: UnitBehaviour, unit: UInt8) {
        guard case .bus(var bus) = model else { return }
        bus.setBehaviour(behaviour, unit: unit)
        model = .bus(bus)
    }

    /// The relays of a board; nil where the unit is none.
    package func coils(unit: UInt8) -> [Bool]? {
        guard case .bus(let bus) = model, case .relays(let board) = bus.unit(unit)?.device else { return nil }
        return board.coils
    }

    /// How many requests each unit has had, mute ones too.
    package var requestCounts: [UInt8: Int] {
        if case .bus(let bus) = model { bus.requestCounts } else { [:] }
    }

    // MARK: running

    private func run(_ terminal: PluggedTerminal) async {
        do {
            switch model {
            case .bus: try await serve(terminal)
            case .smartMeter, .receiver: try await push(to: terminal)
            case .messenger: try await talk(to: terminal)
            }
        } catch {
            // Unplugged, or the loop ends.
        }
    }

    private func serve(_ terminal: PluggedTerminal) async throws(CancellationError) {
        var buffer = [UInt8](repeating: 0, count: Self.bufferSize)
        while true {
            let patience = isWaiting ? ContinuousClock.now + Self.silence : nil
            let readiness = await loop.readable(terminal.descriptor, until: patience)
            let answers: [VirtualBus.Answer]
            var requestTime = Duration.zero
            switch readiness {
            case .ready:
                let count = terminal.receive(into: &buffer)
                requestTime = terminal.pace.time(for: count)
                answers = received(Array(buffer[..<count]))
            case .timedOut: answers = fellSilent()
            case .cancelled, .failed: throw CancellationError()
            }
            let start = ContinuousClock.now + requestTime
            for answer in answers { try await send(answer.bytes, to: terminal, from: start + answer.delay) }
        }
    }

    private var isWaiting: Bool {
        if case .bus(let bus) = model { bus.isWaiting } else { false }
    }

    private func received(_ bytes: [UInt8]) -> [VirtualBus.Answer] {
        guard case .bus(var bus) = model else { return [] }
        let answers = bus.bytesReceived(bytes.span, at: secondsOn)
        model = .bus(bus)
        return answers
    }

    private func fellSilent() -> [VirtualBus.Answer] {
        guard case .bus(var bus) = model else { return [] }
        let answer = bus.fellSilent(at: secondsOn)
        model = .bus(bus)
        return answer.map { [$0] } ?? []
    }

    private func push(to terminal: PluggedTerminal) async throws(CancellationError) {
        while let telegram = telegram(WallClock.now.milliseconds / 1000) {
            try await send(telegram, to: terminal, from: ContinuousClock.now)
            // The next one begins with the next second of the meter's clock.
            try await loop.sleep(for: .milliseconds(1000 - WallClock.now.milliseconds % 1000))
        }
    }

    private func telegram(_ clock: Int64) -> [UInt8]? {
        switch model {
        case .smartMeter(var meter):
            defer { model = .smartMeter(meter) }
            return meter.telegram(at: secondsOn, clock: clock)
        case .receiver(let receiver): return receiver.sentences(at: secondsOn, clock: clock)
        case .bus, .messenger: return nil
        }
    }

    /// Speaks at its pace, and answers in between.
    private func talk(to terminal: PluggedTerminal) async throws(CancellationError) {
        var buffer = [UInt8](repeating: 0, count: Self.bufferSize)
        var due = ContinuousClock.now
        while case .messenger(var messenger) = model {
            if due <= ContinuousClock.now {
                due += messenger.script.every
                let message = messenger.unasked()
                model = .messenger(messenger)
                if let message { try await send(message, to: terminal, from: ContinuousClock.now) }
                continue
            }
            switch await loop.readable(terminal.descriptor, until: due) {
            case .timedOut: break
            case .cancelled, .failed: throw CancellationError()
            case .ready:
                let count = terminal.receive(into: &buffer)
                let answers = messenger.bytesReceived(Array(buffer[..<count]))
                model = .messenger(messenger)
                let start = ContinuousClock.now + terminal.pace.time(for: count) + Self.silence
                for answer in answers { try await send(answer, to: terminal, from: start) }
            }
        }
    }

    /// Writes the bytes as they would come over the line.
    private func send(
        _ bytes: [UInt8], to terminal: PluggedTerminal, from start: ContinuousClock.Instant
    ) async throws(CancellationError) {
        let pace = terminal.pace
        var sent = 0
        while sent < bytes.count {
            try await loop.sleep(until: pace.next(from: start, sent: sent, of: bytes.count))
            let due = min(bytes.count, pace.count(from: start, to: ContinuousClock.now))
            terminal.send(Array(bytes[sent..<max(sent, due)]))
            sent = max(sent, due)
        }
    }

    private var secondsOn: Double {
        let time = (ContinuousClock.now - switchedOnAt).components
        return Double(time.seconds) + Double(time.attoseconds) / 1e18
    }
}
