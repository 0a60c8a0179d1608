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
        let report: @Sendable (BrokerReport) -> Void
        let turned: @Sendable (MonotonicTime) -> Void

        init(
            wakeUp: WakeUp, heartbeatInterval: Duration, report: @escaping @Sendable (BrokerReport) -> Void,
            turned: @escaping @Sendable (MonotonicTime) -> Void
        ) {
            self.wakeUp = wakeUp
            self.heartbeatInterval = heartbeatInterval
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

        package init(listeners: [ListenerSettings], host: BrokerHost) {
            self.listeners = listeners
            self.host = host
        }
    }

    private let shared: Shared
    private let thread: NamedThread
    private let nextKey = Atomic<Int>(1)
    private let listeners: Mutex<[Listener]>
    /// Where it listens, with the ports that were really taken.
    package let addresses: [ListenAddress]

    /// Opens the listeners and starts the loop.
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
        do throws(SystemError) {
            let shared = Shared(
                wakeUp: try WakeUp(), heartbeatInterval: settings.heartbeatInterval, report: report, turned: turned)
            self.shared = shared
            // By the mailbox and not with the closure, which lives as long as the thread: a listener that a reload
            // closes must not be held open by it.
            shared.post(.listen(ListenerChange(opening: listeners)))
            thread = try NamedThread.start("broker") { Self.run(settings, shared) }
        } catch {
            throw ListenError(
                address: settings.listeners.first?.address ?? .tcp(address: "-", port: 0), cause: .system(error))
        }
    }

    private static func run(_ settings: Settings, _ shared: Shared) {
        DescriptorLimit.raise()
        // At most 128 KB of the kernel's; whoever allows more connections than that has them grow into it.
        DescriptorLimit.makeRoom(for: min(settings.limits.maximumConnections, 16_384))
        do throws(SystemError) {
            var poller = try Poller()
            try poller.add(shared.wakeUp.descriptor, token: PollToken.wakeUp.rawValue, reading: true, writing: false)
            var state = BrokerState(
                limits: settings.limits, host: settings.host, seed: Entropy.seed(),
                now: MonotonicTime.now)
            state.apply(settings.access, now: MonotonicTime.now)
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

    /// Tells the clients that the gateway stops, and returns when they are gone or a second has passed.
    package func stop() {
        shared.post(.stop)
        thread.join()
    }

    // MARK: clients inside the gateway

    /// Connects from inside.
    ///
    /// `wake` is called on the broker's thread when there is something to take.
    func openLocal(name: String, wake: @escaping @Sendable () -> Void) -> LocalLink {
        let key = nextKey.add(1, ordering: .relaxed).oldValue
        let transport = LocalTransport(wake: wake)
        shared.post(.openLocal(transport, name: name, key: key))
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
