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
    /// Where it is told what became of commands, and what outputs do by themselves.
    private var results: [Actuators.Name: [UInt8]] = [:]
    private var control: ControlLink
    /// Who wait until nothing is being written.
    private var waitingForWrites: [CheckedContinuation<Void, Never>] = []

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
        actuators = Actuators(settings.actuators, at: .now)
        control = ControlLink(settings, gateway: settings.mapping.gateway)
        for target in commands.writable { results[target.name] = target.resultTopic }
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
        subscribe(commands.filters + control.filters, [])
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
        // Before their drivers end.
        carryOut(actuators.release(keeping: Set(settings.actuators.keys), at: .now))
        await writesEnded(within: .seconds(3))
        await supervisor.endChanged(settings.driven(simulated: simulated))
        guard !hasStopped else { return }
        var mapping = settings.mapping
        mapping.gateway = gateway
        send(mapper.apply(mapping, clock))
        carryOut(actuators.apply(settings.actuators, at: .now))
        subscribe(to: CommandMap(mapping), ControlLink(settings, gateway: gateway, before: control))
        await supervisor.startMissing()
    }

    private func subscribe(to commands: CommandMap, _ control: ControlLink) {
        let (old, new) = (self.commands.filters + self.control.filters, commands.filters + control.filters)
        if control.isUp != self.control.isUp { carryOut(actuators.linkChanged(isUp: control.isUp, at: .now)) }
        (self.commands, self.control) = (commands, control)
        for target in commands.writable { results[target.name] = target.resultTopic }
        subscribe(new.filter { !old.contains($0) }, old.filter { !new.contains($0) })
    }

    /// A driver told something; called on the loop.
    nonisolated func reported(_ report: DeviceReport) {
        assumeIsolated { $0.received(report) }
    }

    private func received(_ report: DeviceReport) {
        guard !hasStopped else { return }
        send(mapper.received(report, clock))
        switch report {
        case .status(let device, let status, _):
            carryOut(actuators.statusChanged(of: device, status, at: .now))
        case .readings(let readings):
            for reading in readings where reading.quality == .good { observed(reading) }
        }
    }

    /// How an output stands, whoever has switched it.
    private func observed(_ reading: Reading) {
        let now = ContinuousClock.now
        var measuredAt = now
        if case .noticed(let instant) = reading.measuredAt { measuredAt = instant }
        let name = Actuators.Name(device: reading.device, point: reading.point)
        let steps = actuators.observed(reading.value, of: name, at: measuredAt, now: now)
        if !steps.isEmpty { carryOut(steps) }
    }

    /// Takes no commands any more, and puts the outputs into their safe states.
    func makeSafe(within time: Duration) async {
        guard !hasStopped else { return }
        carryOut(actuators.stop(at: .now))
        await writesEnded(within: time)
        guard !actuators.isIdle else { return }
        logger.error("outputs could not be made safe in time")
    }

    /// A changed configuration was refused.
    func reloadRejected() {
        guard !hasStopped else { return }
        carryOut(actuators.reloadRejected(at: .now))
    }

    /// The last messages: everything is offline because the gateway stops.
    ///
    /// Writes that are under way end first; they are bounded by the bus's time-outs.
    func stop() async {
        for write in writes.values { await write.value }
        hasStopped = true
        timer?.task.cancel()
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

    /// Has mapper and actuators ticked when they want to be.
    private func keepTime() {
        guard let due = [mapper.wakeAt, actuators.wakeAt].compactMap(\.self).min() else { return }
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
        send(mapper.tick(clock), keepsTime: false)
        carryOut(actuators.tick(at: .now))
    }

    // MARK: commands

    /// A message on a command topic; called on the loop.
    nonisolated func commanded(_ message: Publish) {
        assumeIsolated { $0.received(message) }
    }

    private func received(_ message: Publish) {
        guard !hasStopped else { return }
        if let sign = control.sign(of: message) { return received(sign) }
        guard let target = commands.target(of: message.topic) else { return }
        results[target.name] = target.resultTopic
        let incoming = IncomingCommand(
            payload: message.payload, isRetained: message.retain, replyTo: ReplyAddress(message.properties))
        let actions = actuators.received(incoming, for: target.name, at: .now, time: WallClock.now)
        carryOut(actions.map { (target.name, $0) })
    }

    private func received(_ sign: ControlLink.Sign) {
        switch sign {
        case .heard: actuators.controlHeard(at: .now)
        case .link(let isUp): carryOut(actuators.linkChanged(isUp: isUp, at: .now))
        case .nothing: break
        }
    }

    private func carryOut(_ steps: [Actuators.Step]) {
        for (name, action) in steps { carryOut(action, name) }
        if !hasStopped { keepTime() }
    }

    private func carryOut(_ action: ActuatorState.Action, _ name: Actuators.Name) {
        switch action {
        case .answer(let answer):
            if let refusal = answer.refusal {
                logger.info(
                    "\(name.device)/\(name.point): refused a command (\(refusal.word.rawValue)): \(refusal.detail)")
            }
            if let result = results[name] { publish(Publish(answer, to: result)) }
        case .moved(let move):
            log(move, name)
            if let result = results[name] { publish(Publish(move, to: result)) }
        case .write(let value): write(value, name)
        }
    }

    private func log(_ move: OwnMove, _ name: Actuators.Name) {
        let output = "\(name.device)/\(name.point)"
        if let refusal = move.refusal {
            logger.error(
                "\(output) can't be set to \(move.value) (\(move.reason.rawValue)): \(refusal.detail)")
        } else {
            logger.notice("\(output) is set to \(move.value): \(move.reason.sentence)")
        }
    }

    // MARK: writes

    private func write(_ value: String, _ name: Actuators.Name) {
        nextWrite += 1
        let number = nextWrite
        writes[number] = Task(executorPreference: loop) { [supervisor] in
            let outcome =
                await supervisor?.write(value, to: name.point, of: name.device)
                ?? .failed(Refusal(.deviceOffline, "the devices are not running"))
            await self.written(outcome, name, number)
        }
    }

    private func written(_ outcome: WriteOutcome, _ name: Actuators.Name, _ number: Int) {
        writes[number] = nil
        carryOut(actuators.written(outcome, to: name, at: .now, time: WallClock.now))
        if actuators.isIdle { endWaiting() }
    }

    /// Waits until nothing is being written, but not for long.
    private func writesEnded(within time: Duration) async {
        guard !actuators.isIdle else { return }
        let timer = Task(executorPreference: loop) { [loop] in
            if (try? await loop.sleep(for: time)) != nil { await self.endWaiting() }
        }
        await withCheckedContinuation { waitingForWrites.append($0) }
        timer.cancel()
    }

    private func endWaiting() {
        let waiting = waitingForWrites
        waitingForWrites = []
        for continuation in waiting { continuation.resume() }
    }
}

extension CommandTarget {
    fileprivate var name: Actuators.Name { Actuators.Name(device: device, point: point) }
}
