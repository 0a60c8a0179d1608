import Control
import LinuxIO
import Modbus
import Profiles
import Readings
import Serial
import Settings

/// Runs one Modbus bus: opens its port, polls its devices, writes commands, and opens the port again when it was lost.
///
/// The order of what goes over the bus is `Modbus.MasterState`'s; this actor carries it out on the devices' loop.
actor ModbusDriver {
    private enum Purpose {
        case poll(device: Int, ReadPlan.Block)
        case command(CheckedContinuation<MasterState.Outcome, Never>)
    }

    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// A command that has not been sent by then is not sent any more.
    private static let commandPatience: Duration = .seconds(5)
    /// Some boards take a moment until they tell what they have just done.
    private static let readBackPauses: [Duration] = [.zero, .milliseconds(100), .milliseconds(300)]

    private let port: PortSettings
    private let line: LineSettings
    private let simulated: String?
    private let bell: PortBell
    private let board: StatisticsBoard
    private let report: @Sendable (DeviceReport) -> Void
    private let log: @Sendable (DriverLog) -> Void
    private var devices: [ModbusDevice]
    private var master: MasterState
    private var jobs: [Int: Purpose] = [:]
    private var nextJob = 0
    private var isOpen = false
    /// The wait that a command interrupts.
    private var waiting: Task<Readiness, Never>?
    private var buffer = [UInt8](repeating: 0, count: 4_096)

    init(
        _ port: PortSettings, _ devices: [DeviceSettings], simulated: String?, on loop: EventLoop,
        _ bell: PortBell, _ board: StatisticsBoard, report: @escaping @Sendable (DeviceReport) -> Void,
        log: @escaping @Sendable (DriverLog) -> Void
    ) {
        self.port = port
        self.bell = bell
        self.board = board
        self.loop = loop
        self.simulated = simulated
        self.report = report
        self.log = log
        let now = ContinuousClock.now
        self.devices = devices.map { ModbusDevice($0, port, start: now) }
        let bus = devices.first?.profile.bus ?? .modbus(ModbusBus())
        line = LineSettings(port, bus)
        var settings = port.modbus
        settings.byteTime = settings.mode == .tcp ? .zero : line.byteTime
        master = MasterState(settings)
        board.plans(port.key, share: PortLoad(port, devices)?.share)
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
                isOpen = true
                for index in devices.indices where devices[index].isForAll { tell(index, .online) }
                if let why = await serve(link) { closed(.portMissing, why) }
                backoff.wasOpen(for: ContinuousClock.now - openedAt)
            } catch {
                guard !(error is CancellationError) else { break }
                let isMissing = (error as? SerialError)?.isMissing ?? false
                closed(isMissing ? .portMissing : .portFailed, "\(error)")
            }
            if await bell.sleep(for: backoff.next(), after: arrivals, on: loop) { backoff = Backoff() }
        }
        closed(.stopping, "the gateway is stopping")
    }

    // MARK: an open port

    /// Runs the bus until the port is lost; returns why, or nil when the gateway stops.
    private func serve(_ link: consuming PortLink) async -> String? {
        let watch = link.path.map { path in bell.watch(path) { [weak self] in self?.portRemoved() } }
        defer { if let watch { bell.unwatch(watch) } }
        for index in devices.indices { devices[index].pollSoon(at: ContinuousClock.now) }
        while !Task.isCancelled {
            let now = ContinuousClock.now
            submitDue(now)
            switch master.nextAction(at: now) {
            case .send(let frame):
                if let why = await send(frame, link) { return why }
                master.sent(at: ContinuousClock.now)
            case .wait(let until):
                finishJobs()
                let due = devices.compactMap(\.dueAt).min()
                if let due, due <= now { continue }
                let deadline = [until, due].compactMap(\.self).min()
                if let why = await receive(link, until: deadline) { return why }
            }
            finishJobs()
        }
        return nil
    }

    private func submitDue(_ now: ContinuousClock.Instant) {
        for index in devices.indices {
            let blocks = devices[index].due(at: now)
            guard !blocks.isEmpty else { continue }
            devices[index].cycle = ModbusDevice.Cycle(waiting: blocks.count)
            for block in blocks {
                submit(devices[index].settings.unit, block.request, .poll(device: index, block))
            }
        }
    }

    private func submit(
        _ unit: UInt8, _ request: Request, _ purpose: Purpose, notAfter: ContinuousClock.Instant? = nil
    ) {
        nextJob += 1
        jobs[nextJob] = purpose
        master.submit(MasterState.Job(id: nextJob, unit: unit, request: request, notAfter: notAfter))
    }

    private func send(_ frame: [UInt8], _ link: borrowing PortLink) async -> String? {
        var rest = frame
        while !rest.isEmpty {
            switch link.send(rest.span) {
            case .lost(let why): return why
            case .count(0):
                guard case .ready = await loop.writable(link.descriptor, until: .now + .seconds(2)) else {
                    return "the port takes no bytes"
                }
            case .count(let count): rest.removeFirst(count)
            }
        }
        return nil
    }

    private func receive(_ link: borrowing PortLink, until deadline: ContinuousClock.Instant?) async -> String? {
        let descriptor = link.descriptor
        let restIsDueAt = master.restIsDueAt
        let wait = Task(executorPreference: loop) { [loop] in
            if let restIsDueAt {
                do { try await loop.sleep(until: restIsDueAt) } catch { return Readiness.cancelled }
            }
            return await loop.readable(descriptor, until: deadline)
        }
        waiting = wait
        let readiness = await withTaskCancellationHandler {
            await wait.value
        } onCancel: {
            wait.cancel()
        }
        waiting = nil
        switch readiness {
        case .timedOut: return nil
        case .cancelled: return link.isGone ? "it was pulled out" : nil
        case .failed(let error): return "\(error)"
        case .ready: break
        }
        switch link.receive(into: &buffer) {
        case .lost(let why): return why
        case .nothing: return nil
        case .bytes(let count):
            Self.received(&master, buffer, count)
            return nil
        }
    }

    private nonisolated func portRemoved() {
        Task { await self.interrupt() }
    }

    /// Looks at once what there is to do.
    private func interrupt() { waiting?.cancel() }

    /// Apart, because a span of one stored property and a change of another don't go together in one expression.
    private static func received(_ master: inout MasterState, _ buffer: [UInt8], _ count: Int) {
        master.bytesReceived(buffer.span.extracting(0..<count), at: ContinuousClock.now)
    }

    // MARK: answers

    private func finishJobs() {
        for finished in master.takeFinished() {
            if finished.busy > .zero { board.wasBusy(port.key, for: finished.busy) }
            switch jobs.removeValue(forKey: finished.job.id) {
            case .command(let continuation): continuation.resume(returning: finished.outcome)
            case .poll(let device, let block):
                count(finished, of: devices[device].settings.key)
                polled(device, block, finished.outcome)
            case nil: break
            }
        }
    }

    private func count(_ finished: MasterState.Finished, of device: String) {
        guard let sentAt = finished.sentAt else { return }
        board.count(device) { counts in
            counts.polls += 1
            switch finished.outcome {
            case .answered(.exception, _): counts.refused += 1
            case .answered(_, let firstByteAt):
                counts.answers += 1
                counts.responses.add(firstByteAt - sentAt)
            case .failed(.garbled): counts.garbled += 1
            case .failed: counts.timeouts += 1
            case .toldAll: break
            }
        }
    }

    private func polled(_ device: Int, _ block: ReadPlan.Block, _ outcome: MasterState.Outcome) {
        devices[device].cycle?.waiting -= 1
        switch outcome {
        case .answered(.exception(let code), _):
            if code.isUnitMissing {
                devices[device].cycle?.failed(.noAnswer)
            } else {
                devices[device].cycle?.exception = "\(code)"
            }
            let told = devices[device].blockRefused(block, code, at: ContinuousClock.now)
            log(DriverLog(level: .warning, text: told))
        case .answered(let response, let firstByteAt):
            let readings = devices[device].readings(block, response, at: .noticed(firstByteAt))
            // A device that answers is there, also when it says that there is nothing to measure.
            devices[device].cycle?.values += 1
            if !readings.isEmpty { report(.readings(readings)) }
        case .failed(let failure): devices[device].cycle?.failed(failure)
        case .toldAll: break
        }
        if let told = devices[device].overrun(at: ContinuousClock.now) { log(DriverLog(level: .warning, text: told)) }
        let status = devices[device].cycleEnded(port: port.key, offlineAfter: port.modbus.offlineAfter)
        if let status { tell(device, status) }
    }

    private func tell(_ device: Int, _ status: DeviceStatus) {
        guard let change = devices[device].keeper.change(to: status) else { return }
        report(change)
        switch status {
        case .online: log(DriverLog(level: .info, text: "\(devices[device].settings.key) answers"))
        case .offline(let reason, let detail):
            let level = reason == .stopping ? DriverLog.Level.debug : .warning
            log(DriverLog(level: level, text: "\(devices[device].settings.key) is offline: \(detail)"))
        }
    }

    /// The port is closed or could not be opened: all its devices are offline at once.
    private func closed(_ reason: OfflineReason, _ why: String) {
        isOpen = false
        master.portLost()
        finishJobs()
        for index in devices.indices {
            devices[index].cycle = nil
            devices[index].failedCycles = 0
            tell(index, .offline(reason, detail: reason == .stopping ? why : "port \(port.key): \(why)"))
        }
    }

    // MARK: commands

    /// Writes a word to a point, once, and reads back.
    func write(_ word: String, to pointName: String, of deviceName: String) async -> WriteOutcome {
        guard let device = devices.firstIndex(where: { $0.settings.key == deviceName }),
            let point = devices[device].settings.points.first(where: { $0.definition.name == pointName })?.definition,
            let request = point.request(for: word)
        else { return .failed(Refusal(.notAllowedValue, "\(pointName) does not take '\(word)'")) }
        let unit = devices[device].settings.unit
        guard isOpen else { return .failed(Refusal(.deviceOffline, "port \(port.key) is not open")) }
        let outcome = await carryOut(unit, request)
        if case .toldAll = outcome { return .done(readBack: nil) }
        guard case .answered(.written, _) = outcome else { return .failed(refusal(outcome, unit, device)) }
        guard point.command?.verifies ?? false else {
            pollSoon(device)
            return .done(readBack: nil)
        }
        var verified = WriteOutcome.done(readBack: nil)
        for pause in Self.readBackPauses {
            if pause > .zero { try? await loop.sleep(for: pause) }
            verified = verify(await readBack(point, unit), point, word, unit)
            guard case .failed = verified, isOpen else { break }
        }
        pollSoon(device)
        return verified
    }

    private func carryOut(_ unit: UInt8, _ request: Request) async -> MasterState.Outcome {
        await withCheckedContinuation { continuation in
            submit(unit, request, .command(continuation), notAfter: ContinuousClock.now + Self.commandPatience)
            waiting?.cancel()
        }
    }

    private func readBack(_ point: ProfilePoint, _ unit: UInt8) async -> Value? {
        guard case .register(let source) = point.source,
            let block = ReadPlan([source.point], maximumRegisters: 125, maximumHole: 0).blocks.first,
            case .answered(let response, _) = await carryOut(unit, block.request)
        else { return nil }
        return block.value(of: source.point, in: response).flatMap { point.value(of: $0) }
    }

    /// The new state goes out with the next poll, which follows at once: after the result.
    private func pollSoon(_ device: Int) {
        devices[device].pollSoon(at: ContinuousClock.now)
        waiting?.cancel()
    }

    private func verify(_ readBack: Value?, _ point: ProfilePoint, _ word: String, _ unit: UInt8) -> WriteOutcome {
        guard let readBack else {
            let detail = "written, but unit \(unit) on \(port.key) did not answer when it was read back"
            return .failed(Refusal(.verifyFailed, detail))
        }
        guard let expected = point.state(after: word), readBack != expected else { return .done(readBack: readBack) }
        return .failed(Refusal(.verifyFailed, "written, but reading back gave \(readBack) instead of \(expected)"))
    }

    private func refusal(_ outcome: MasterState.Outcome, _ unit: UInt8, _ device: Int) -> Refusal {
        let name = "unit \(unit) on \(port.key)"
        switch outcome {
        case .answered(.exception(let code), _): return Refusal(.refusedByDevice, "\(name) answered: \(code)")
        case .answered, .toldAll: return Refusal(.refusedByDevice, "\(name) answered something else")
        case .failed(.noAnswer):
            return Refusal(.timeout, "\(name) did not answer; whether it switched is not known")
        case .failed(.garbled):
            return Refusal(.timeout, "\(name): the answer can't be read; whether it switched is not known")
        case .failed(.setAside): return Refusal(.deviceOffline, "\(name) has not answered for a while")
        case .failed(.portLost):
            return Refusal(.deviceOffline, "port \(port.key) was lost before the command was sent")
        case .failed(.portLostMeanwhile):
            return Refusal(
                .timeout, "port \(port.key) was lost before \(name) answered; whether it switched is not known")
        case .failed(.expired):
            return Refusal(.deviceOffline, "the bus \(port.key) was too busy for too long; the command was not sent")
        }
    }
}
