import Bridge
import Broker
import Client
import Drivers
import LinuxIO
import Logging
import MQTTCodec
import Network
import Settings
import Synchronization

/// Joins the rooms of the house: the only place that knows everybody.
///
/// Devices report to the device side, which publishes through a client of the broker; the broker's messages on command
/// topics come back the same way.
final class Assembly: Sendable {
    /// How long the devices may take to say goodbye: a write that is under way ends first.
    ///
    /// With what the upstream and the broker's clients may take it stays below the 5 s that systemd waits.
    private static let patience: Duration = .milliseconds(2700)
    /// How much of that outputs may take to get into their safe states: 32 relays on a slow bus need it.
    private static let patienceWithOutputs: Duration = .seconds(2)

    private let settings: GatewaySettings
    private let log: Log
    private let notices: SystemdNotices
    private let simulators: Simulators
    private let devicesLoop: EventLoop
    private let broker: BrokerServer
    private let side: DeviceSide
    private let client: LocalClient
    private let upstreams: UpstreamLinks
    private let stores: StoreReports
    private let requests: Requests
    let reloader: Reloader
    private let running = Mutex<Task<Void, Never>?>(nil)
    private let hasEnded: Latch

    /// Opens the listeners, so that clients can connect, and starts the loops.
    ///
    /// `read` reads the configuration again, when somebody asks for that.
    init(
        _ settings: GatewaySettings, log: Log,
        read: @escaping @Sendable () throws(CommandFailure) -> LoadedConfiguration
    ) throws {
        self.settings = settings
        self.log = log
        hasEnded = try Latch()
        let simulators = Simulators()
        self.simulators = simulators
        let notices = SystemdNotices(status: settings.summary, logger: log["gateway"])
        let devicesLoop = try EventLoop(name: "devices", heartbeatInterval: notices.heartbeat)
        let stores = StoreReports(
            dailyBudget: settings.store.dailyBudget, interval: settings.brokerLimits.sysInterval,
            logger: log["gateway"])
        let broker = try Self.startBroker(settings, log, notices, devicesLoop, stores)
        let state = settings.stateDirectory(ofService: ProcessEnvironment()["STATE_DIRECTORY"])
        let numbers = SequenceNumbers(broker.keptValue(of: SequenceNumbers.name)) { value in
            broker.keep(value, as: SequenceNumbers.name)
        }
        let side = DeviceSide(
            settings, numbers, stateDirectory: state, simulators: simulators, on: devicesLoop, logger: log["devices"])
        let place = BufferPlace(
            stateFolder: settings.stateFolder(ProcessEnvironment()), store: settings.store, reports: stores)
        let upstreams = UpstreamLinks(settings.upstreams, broker, place, log["bridge"])
        client = LocalClient(broker, name: "devices", schedule: { work in devicesLoop.execute(work) }) { event in
            if case .message(let message, _) = event { side.commanded(message) }
        }
        let topic = Array("\(settings.id)/$config".utf8)
        reloader = Reloader(
            settings, read: read,
            apply: { settings throws(CommandFailure) in
                try Self.apply(settings, to: broker)
                Task(executorPreference: devicesLoop) { await side.apply(settings) }
                stores.apply(interval: settings.brokerLimits.sysInterval)
                upstreams.apply(settings.upstreams)
            },
            logger: log["gateway"]
        ) { [client] outcome in
            client.publish(outcome.message(on: topic))
            guard !outcome.isDone else { return }
            Task(executorPreference: devicesLoop) { await side.reloadRejected() }
        }
        requests = Requests(
            broker, on: devicesLoop, reloader: reloader, buffers: BufferRequests(upstreams: upstreams),
            logger: log["gateway"])
        (self.notices, self.devicesLoop, self.broker, self.side) = (notices, devicesLoop, broker, side)
        (self.upstreams, self.stores) = (upstreams, stores)
    }

    /// What of a configuration can be changed while running; the listeners first, for only they can fail.
    private static func apply(_ settings: GatewaySettings, to broker: BrokerServer) throws(CommandFailure) {
        do throws(ListenError) {
            try broker.apply(listeners: settings.brokerListeners(ProcessEnvironment()))
        } catch {
            throw CommandFailure(ListenAdvice.sentence(error))
        }
        broker.apply(access: settings.access)
        broker.apply(settings.brokerLimits)
    }

    private static func startBroker(
        _ settings: GatewaySettings, _ log: Log, _ notices: SystemdNotices, _ devicesLoop: EventLoop,
        _ stores: StoreReports
    ) throws -> BrokerServer {
        let reports = BrokerReports(log["broker"])
        let environment = ProcessEnvironment()
        var broker = settings.broker(heartbeat: notices.heartbeat, environment)
        broker.listensLater = true
        let journal = JournalStore(
            folder: "\(settings.stateFolder(environment))/journal", settings.store, logger: log["broker"]
        ) { problem in stores.problem(problem, of: "journal") }
        stores.add("journal") { [weak journal] in journal?.statistics }
        broker.journal = journal
        do {
            return try BrokerServer(
                broker,
                report: { report in reports.write(report) },
                turned: { now in
                    notices.isUp(.broker)
                    notices.brokerTurned(at: now, deviceTurns: devicesLoop.turns)
                })
        } catch {
            throw CommandFailure(ListenAdvice.sentence(error))
        }
    }

    /// Starts the devices and the links to the servers.
    func start() throws(CommandFailure) {
        do throws(BufferUnavailable) {
            try upstreams.start()
        } catch {
            throw CommandFailure(error.why)
        }
        // Not before: what they publish is missed by no upstream.
        broker.listen()
        let addresses = broker.addresses.map(\.description).joined(separator: " and ")
        log["broker"].info("listens on \(addresses)")
        let task = Task(executorPreference: devicesLoop) { [self] in await run() }
        running.withLock { $0 = task }
        stores.start(broker, on: devicesLoop)
    }

    /// Runs the devices until the task is cancelled, then says goodbye for them.
    private func run() async {
        let paths: [String: String]
        do throws(SystemError) {
            paths = try await simulators.plug(settings)
        } catch {
            log["devices"].error("a simulated device can't be plugged in: \(error)")
            paths = [:]
        }
        let (side, client, driverLog) = (side, client, DriverReports(log["devices"]))
        let supervisor = DeviceSupervisor(
            settings.driven(simulated: paths), on: devicesLoop, board: stores.board, totals: keptTotals,
            report: { report in side.reported(report) }, log: { line in driverLog.write(line) })
        let logger = log["devices"]
        await side.start(
            supervisor,
            publish: { message in
                let before = client.dropped
                client.publish(message)
                guard client.dropped > before else { return }
                logger.warning("the broker is too busy to take what the devices say; messages are dropped")
            },
            subscribe: { new, gone in
                client.subscribe(new.map(Self.commandRequest))
                client.unsubscribe(gone)
            })
        notices.isUp(.devices)
        await supervisor.run()
        await side.stop()
        await simulators.unplug()
        client.whenIdle { [hasEnded] in hasEnded.open() }
    }

    private var keptTotals: KeptTotals {
        KeptTotals(
            load: { [broker] device in
                broker.keptValue(of: "total.\(device)").flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
            },
            save: { [broker] total, device in broker.keep(Array("\(total)".utf8), as: "total.\(device)") })
    }

    /// The retain flag must arrive as it was sent: a retained command is refused.
    private static func commandRequest(_ filter: [UInt8]) -> Subscribe.Request {
        var request = Subscribe.Request(filter: filter, qos: .atLeastOnce)
        request.retainAsPublished = true
        return request
    }

    /// Ends everything in order: outputs are made safe, devices end, their last messages, clients, loops; takes a few seconds at most.
    func stop() {
        notices.stopping()
        let devices = running.withLock { $0 }
        Task(executorPreference: devicesLoop) { [side] in
            await side.makeSafe(within: Self.patienceWithOutputs)
            devices?.cancel()
        }
        let isInTime = hasEnded.wait(until: .now + Self.patience)
        // First those outside, so that the upstreams get the last they said.
        broker.disconnectClients()
        upstreams.stop()
        stores.stop()
        requests.close()
        client.close()
        broker.stop()
        guard isInTime else {
            // Its thread can't be waited for; the end of the process ends it.
            return log["gateway"].warning("a device took too long to end; going on without it")
        }
        devicesLoop.stop()
        simulators.stop()
    }
}
