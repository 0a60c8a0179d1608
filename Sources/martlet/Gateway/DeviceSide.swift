import Control
import Drivers
import LinuxIO
import Logging
import MQTTCodec
import Mapping
import Readings
import Settings

/// What happens between devices and broker: readings become messages, messages become commands.
///
/// It lives on the devices' loop, like the drivers it listens to.
actor DeviceSide {
    private let loop: EventLoop
    private let logger: Logger
    private var commands: CommandMap
    private var publish: @Sendable (Publish) -> Void = { _ in }
    private var mapper: TimedMapper
    private var numbers: SequenceNumbers
    private let patience: Duration?
    private var keptTime: KeptTime
    /// What the log says of the clock; it says nothing where it was set from the beginning.
    private var toldClock = ClockStanding.set
    private var actuators: Actuators
    private var supervisor: DeviceSupervisor?
    private let simulators: Simulators
    /// Has the broker send other commands: filters that are new, and those that are gone.
    private var subscribe: @Sendable (_ new: [[UInt8]], _ gone: [[UInt8]]) -> Void = { _, _ in }
    /// The change that is under way, or was last.
    private var change: Task<Void, Never>?
    /// What came before there were devices to change.
    private var changed: GatewaySettings?
    /// The gateway's id, which stays until a restart.
    private let gateway: String
    private var timer: (task: Task<Void, Never>, due: ContinuousClock.Instant)?
    private var writes: [Int: Task<Void, Never>] = [:]
    private var nextWrite = 0
    private var hasStopped = false
    /// Where answers go that are given later than the command.
    private var results: [Actuators.Name: [UInt8]] = [:]

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(
        _ settings: GatewaySettings, _ numbers: SequenceNumbers, stateDirectory: String, simulators: Simulators,
        on loop: EventLoop, logger: Logger
    ) {
        self.simulators = simulators
        gateway = settings.mapping.gateway
        self.numbers = numbers
        self.loop = loop
        self.logger = logger
        commands = CommandMap(settings.mapping)
        patience = settings.clock.patience
        keptTime = KeptTime(in: stateDirectory)
        mapper = TimedMapper(
            settings.mapping, settings.clockSettings(last: keptTime.last), startedAt: .now,
            nextSequenceNumber: numbers.first)
        actuators = Actuators(settings.actuators)
    }

    /// The first messages, if the clock is set; from now on `supervisor` carries out what is written.
    ///
    /// `publish` and `subscribe` are called on the loop.
    func start(
        _ supervisor: DeviceSupervisor, publish: @escaping @Sendable (Publish) -> Void,
        subscribe: @escaping @Sendable (_ new: [[UInt8]], _ gone: [[UInt8]]) -> Void
    ) {
        self.supervisor = supervisor
        self.publish = publish
        self.subscribe = subscribe
        subscribe(commands.filters, [])
        send(mapper.tick(clock))
        if let changed { apply(changed) }
    }

    // MARK: other settings

    /// Goes on with other ports, devices and topics, after what is being changed already.
    ///
    /// What is the same in both notices nothing.
    func apply(_ settings: GatewaySettings) {
        guard supervisor != nil else { return changed = settings }
        let before = change
        change = Task(executorPreference: loop) {
            await before?.value
            await self.changeOver(to: settings)
        }
    }

    private func changeOver(to settings: GatewaySettings) async {
        guard let supervisor, !hasStopped else { return }
        let simulated: [String: String]
        do throws(SystemError) {
            simulated = try await simulators.plug(settings)
        } catch {
            return logger.error("the devices stay as they were: a simulated one can't be plugged in: \(error)")
        }
        await supervisor.endChanged(settings.ports, settings.devices, simulated: simulated)
        guard !hasStopped else { return }
        var mapping = settings.mapping
        mapping.gateway = gateway
        send(mapper.apply(mapping, clock))
        for (name, action) in actuators.apply(settings.actuators) {
            if let result = results[name] { carryOut(action, name, result: result) }
        }
        let old = commands.filters
        commands = CommandMap(mapping)
        subscribe(commands.filters.filter { !old.contains($0) }, old.filter { !commands.filters.contains($0) })
        await supervisor.startMissing()
    }

    /// A driver told something; called on the loop.
    nonisolated func reported(_ report: DeviceReport) {
        assumeIsolated { $0.received(report) }
    }

    private func received(_ report: DeviceReport) {
        guard !hasStopped else { return }
        if case .status(let device, let status, _) = report {
            actuators.statusChanged(of: device, status)
        }
        send(mapper.received(report, clock))
    }

    /// The last messages: everything is offline because the gateway stops.
    ///
    /// Writes that are under way end first; they are bounded by the bus's time-outs.
    func stop() async {
        for write in writes.values { await write.value }
        hasStopped = true
        timer?.task.cancel()
        for (name, action) in actuators.stop() {
            guard let result = results[name] else { continue }
            carryOut(action, name, result: result)
        }
        send(mapper.stop(clock), keepsTime: false)
        if mapper.clock == .set { keptTime.keepLast(clock) }
        numbers.ended(at: mapper.nextSequenceNumber)
    }

    // MARK: readings

    private func send(_ publications: [Publication], keepsTime: Bool = true) {
        tellClock()
        if mapper.clock == .set { keptTime.keep(clock) }
        numbers.reached(mapper.nextSequenceNumber)
        for publication in publications { publish(Publish(publication)) }
        if keepsTime { keepTime() }
    }

    /// The kernel is asked about its clock only until that is set.
    private var clock: ClockReading {
        mapper.clock == .set ? SystemClock.believed : SystemClock.reading
    }

    private func tellClock() {
        guard mapper.clock != toldClock else { return }
        toldClock = mapper.clock
        switch mapper.clock {
        case .awaited:
            let most = patience.map { " for at most \($0.components.seconds) s" } ?? ""
            logger.notice("the clock is not set yet: what devices say waits for it\(most)")
        case .estimated:
            logger.warning("the clock is still not set: readings have estimated times; is a time server reachable?")
        case .set: logger.notice("the clock is set")
        }
    }

    /// Has the mapper ticked when it wants to be.
    private func keepTime() {
        guard let due = mapper.wakeAt else { return }
        if let timer, timer.due <= due { return }
        timer?.task.cancel()
        let task = Task(executorPreference: loop) { [loop, weak self] in
            do {
                try await loop.sleep(until: due)
            } catch {
                return
            }
            await self?.timerFired()
        }
        timer = (task, due)
    }

    private func timerFired() {
        guard !hasStopped else { return }
        timer = nil
        send(mapper.tick(clock))
    }

    // MARK: commands

    /// A message on a command topic; called on the loop.
    nonisolated func commanded(_ message: Publish) {
        assumeIsolated { $0.received(message) }
    }

    private func received(_ message: Publish) {
        guard !hasStopped, let target = commands.target(of: message.topic) else { return }
        let name = Actuators.Name(device: target.device, point: target.point)
        results[name] = target.resultTopic
        let incoming = IncomingCommand(
            payload: message.payload, isRetained: message.retain, replyTo: ReplyAddress(message.properties))
        let actions = actuators.received(incoming, for: name, at: .now, time: WallClock.now)
        for action in actions { carryOut(action, name, result: target.resultTopic) }
    }

    private func carryOut(_ action: ActuatorState.Action, _ name: Actuators.Name, result: [UInt8]) {
        switch action {
        case .answer(let answer):
            if let refusal = answer.refusal {
                logger.info(
                    "\(name.device)/\(name.point): refused a command (\(refusal.word.rawValue)): \(refusal.detail)")
            }
            publish(Publish(answer, to: result))
        case .write(let value): write(value, name, result)
        }
    }

    private func write(_ value: String, _ name: Actuators.Name, _ result: [UInt8]) {
        guard let supervisor else { return }
        nextWrite += 1
        let number = nextWrite
        writes[number] = Task(executorPreference: loop) {
            let outcome = await supervisor.write(value, to: name.point, of: name.device)
            await self.written(outcome, name, result, number)
        }
    }

    private func written(_ outcome: WriteOutcome, _ name: Actuators.Name, _ result: [UInt8], _ number: Int) {
        writes[number] = nil
        let actions = actuators.written(outcome, to: name, at: .now, time: WallClock.now)
        for action in actions { carryOut(action, name, result: result) }
    }
}
