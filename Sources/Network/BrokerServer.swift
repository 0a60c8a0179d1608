package import Access
package import Broker
package import Bytes
import LinuxIO
import Synchronization

/// What the broker's loop tells the rest of the gateway.
package enum BrokerReport: Sendable {
    case broker(BrokerEvent)
    /// A system call of the loop failed; it goes on unless it can't.
    case failed(String)
    /// Something that somebody should see to, such as a certificate that expires soon.
    case warning(String)
}

/// The broker as the rest of the gateway sees it: start it, connect to it from inside, stop it.
///
/// Everything but the listeners' opening happens on the loop's thread; this object only posts to it.
package final class BrokerServer: Sendable {
    /// What the loop and the other threads share.
    final class Shared: Sendable {
        let mailbox = Mailbox<BrokerLoop.Request>()
        let wakeUp: WakeUp
        let heartbeatInterval: Duration
        /// Signalled when no client from outside is left.
        let clientsGone: WakeUp
        let journal: (any Journal)?
        let report: @Sendable (BrokerReport) -> Void
        let turned: @Sendable (MonotonicTime) -> Void

        init(
            wakeUp: WakeUp, clientsGone: WakeUp, _ settings: Settings,
            report: @escaping @Sendable (BrokerReport) -> Void,
            turned: @escaping @Sendable (MonotonicTime) -> Void
        ) {
            self.wakeUp = wakeUp
            self.clientsGone = clientsGone
            heartbeatInterval = settings.heartbeatInterval
            journal = settings.journal
            self.report = report
            self.turned = turned
        }

        func post(_ request: BrokerLoop.Request) {
            if mailbox.post(request) { wakeUp.signal() }
        }
    }

    package struct Settings: Sendable {
        package var listeners: [ListenerSettings]
        package var limits = BrokerLimits()
        package var host: BrokerHost
        package var access = AccessSettings()
        /// How often the loop turns at least, for the watchdog.
        package var heartbeatInterval: Duration = .seconds(5)
        /// Where sessions and messages are kept; nil forgets them with the process.
        package var journal: (any Journal)?
        package var sync = JournalSync.within(.milliseconds(50))
        /// Nobody from outside is let in before `listen` is called: who must not miss a message subscribes before.
        package var listensLater = false

        package init(listeners: [ListenerSettings], host: BrokerHost) {
            self.listeners = listeners
            self.host = host
        }
    }

    /// The broker on its way from the thread that loaded it to its own.
    private final class Handover: Sendable {
        let state: Mutex<BrokerState?>

        init(_ state: consuming sending BrokerState) {
            self.state = Mutex(state)
        }
    }

    private let shared: Shared
    private let thread: NamedThread
    private let kept: [[UInt8]: [UInt8]]
    private let nextKey = Atomic<Int>(1)
    private let listeners: Mutex<[Listener]>
    /// Where it listens, with the ports that were really taken.
    package let addresses: [ListenAddress]

    /// Opens the listeners, loads what the journal has, and starts the loop.
    ///
    /// `report` and `turned` are called on the loop's thread; `turned` after each turn, at least every
    /// `heartbeatInterval`.
    package init(
        _ settings: Settings, report: @escaping @Sendable (BrokerReport) -> Void,
        turned: @escaping @Sendable (MonotonicTime) -> Void = { _ in }
    ) throws(ListenError) {
        var listeners: [Listener] = []
        for listener in settings.listeners { listeners += try Listener.open(listener) }
        addresses = listeners.map(\.boundAddress)
        self.listeners = Mutex(listeners)
        let first = settings.listeners.first?.address ?? .tcp(address: "-", port: 0)
        do throws(SystemError) {
            shared = Shared(
                wakeUp: try WakeUp(), clientsGone: try WakeUp(), settings, report: report, turned: turned)
        } catch {
            throw ListenError(address: first, cause: .system(error))
        }
        let broker: Handover
        do throws(JournalUnavailable) {
            var state = try Self.load(settings, shared)
            kept = state.keptValues
            broker = Handover(state)
        } catch {
            throw ListenError(address: first, cause: .journal(error.why))
        }
        do throws(SystemError) {
            let shared = shared
            thread = try NamedThread.start("broker") { Self.run(broker, settings, shared) }
        } catch {
            throw ListenError(address: first, cause: .system(error))
        }
        if !settings.listensLater { listen() }
    }

    /// Lets those in who knock; they may have waited since the listeners were opened.
    package func listen() {
        // By the mailbox and not with the loop's closure, which lives as long as the thread: a listener that a reload
        // closes must not be held open by it.
        shared.post(.listen(ListenerChange(opening: listeners.withLock { $0 })))
    }

    private static func load(
        _ settings: Settings, _ shared: Shared
    ) throws(JournalUnavailable) -> sending BrokerState {
        var state = BrokerState(
            limits: settings.limits, host: settings.host, seed: Entropy.seed(), now: MonotonicTime.now)
        state.apply(settings.access, now: MonotonicTime.now)
        if let journal = settings.journal {
            try state.load(journal, settings.sync, now: MonotonicTime.now) { [weak shared] in
                shared?.post(.journal($0))
            }
        }
        return state
    }

    private static func run(_ broker: Handover, _ settings: Settings, _ shared: Shared) {
        DescriptorLimit.raise()
        // At most 128 KB of the kernel's; whoever allows more connections than that has them grow into it.
        DescriptorLimit.makeRoom(for: min(settings.limits.maximumConnections, 16_384))
        do throws(SystemError) {
            var poller = try Poller()
            try poller.add(shared.wakeUp.descriptor, token: PollToken.wakeUp.rawValue, reading: true, writing: false)
            guard let state = broker.state.withLock({ $0.take() }) else { return }
            var loop = BrokerLoop(state: state, limits: settings.limits, poller: poller, shared: shared)
            loop.run()
        } catch {
            shared.report(.failed("the broker can't start: \(error)"))
        }
    }

    /// Listens as `settings` say, and reads all certificates again.
    ///
    /// Everything is opened and read first: if something is wrong, all stays as it was. Connections that are there
    /// stay, also those of a listener that is closed.
    package func apply(listeners settings: [ListenerSettings]) throws(ListenError) {
        let before = listeners.withLock { $0 }
        let change = try ListenerChange(from: before, to: settings)
        listeners.withLock { $0 = change.after }
        shared.post(.listen(change))
    }

    /// What the broker accepts from now on; sessions and connections stay.
    package func apply(_ limits: BrokerLimits) {
        shared.post(.limits(limits))
    }

    /// Who may connect and who may do what, from now on; see `BrokerState.apply`.
    package func apply(access: AccessSettings) {
        shared.post(.access(access))
    }

    /// What the process before kept under a name.
    package func keptValue(of name: String) -> [UInt8]? { kept[Array(name.utf8)] }

    /// Keeps a few bytes under a name over restarts.
    package func keep(_ value: [UInt8], as name: String) {
        shared.post(.keep(value, name: name))
    }

    /// Tells those outside that the gateway stops, once all they sent is acknowledged, and returns when they are gone or
    /// two seconds have passed.
    ///
    /// Those inside go on, and get what the last ones left behind.
    package func disconnectClients() {
        shared.post(.disconnectClients)
        shared.clientsGone.wait(atMost: Self.patience)
    }

    /// A second for the disk, one for the clients, and some more.
    private static let patience: Duration = .milliseconds(2500)

    /// Tells the clients that the gateway stops, and returns when they are gone or a second has passed.
    package func stop() {
        shared.post(.stop)
        thread.join()
    }

    // MARK: clients inside the gateway

    /// Connects from inside.
    ///
    /// `wake` is called on the broker's thread when there is something to take.
    ///
    /// A client that `keepsMessages` acknowledges one only when it is safe with it: so long its publisher waits.
    func openLocal(name: String, keepsMessages: Bool, wake: @escaping @Sendable () -> Void) -> LocalLink {
        let key = nextKey.add(1, ordering: .relaxed).oldValue
        let transport = LocalTransport(wake: wake)
        shared.post(.openLocal(transport, name: name, keepsMessages: keepsMessages, key: key))
        return LocalLink(shared: shared, transport: transport, key: key)
    }
}

/// The client's end of a connection inside the gateway.
struct LocalLink: Sendable {
    fileprivate let shared: BrokerServer.Shared
    fileprivate let transport: LocalTransport
    fileprivate let key: Int

    func send(_ bytes: [UInt8]) {
        shared.post(.localBytes(key: key, bytes))
    }

    /// What has arrived, and whether the broker closed the connection.
    func take() -> (bytes: [UInt8], isClosed: Bool) {
        let taken = transport.take()
        if taken.brokerWaits { shared.post(.localReady(key: key)) }
        return (taken.bytes, taken.isClosed)
    }

    func close() {
        shared.post(.closeLocal(key: key))
    }
}
