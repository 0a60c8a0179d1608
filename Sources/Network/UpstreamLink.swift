package import Bridge
import Client
import LinuxIO
import NIOCore
import NIOPosix
import Synchronization

/// The gateway's link to one upstream server, on a loop of its own that exists only while the link does: looking up
/// the name, connecting and handshakes cost nobody else time.
///
/// Towards the gateway it is a client of the broker like any other, whose messages are acknowledged when the bridge's
/// queue holds them.
package final class UpstreamLink: Sendable {
    package struct Settings: Equatable, Sendable {
        /// Told apart from other links by this.
        package var name = "upstream"
        /// A level of the topics on `$SYS`.
        package var statusName: String
        /// At least one.
        package var addresses: [Address]
        package var order = Order.first
        /// Nil for plain TCP.
        package var tls: TLS?
        package var userName: String?
        /// Never logged.
        package var password: String?
        /// Below the minutes after which routers forget a connection that says nothing.
        package var keepAliveSeconds: UInt16 = 60
        package var version = Version.automatic
        package var bridgeBit = BridgeBit.automatic
        /// How long the server keeps commands for the gateway while the link is down.
        ///
        /// No longer than a command may be old: an hour-old ON must not move an actuator when the link is back.
        package var sessionExpirySeconds: UInt32 = 10
        package var connectTimeout: Duration = .seconds(10)
        /// The first and the longest wait between two attempts.
        package var shortestWait: Duration = .milliseconds(500)
        package var longestWait: Duration = .seconds(60)
        /// How long a connection must last before the waits are short again.
        package var stableAfter: Duration = .seconds(60)
        /// How often the first address is tried while another one serves.
        package var returnInterval: Duration = .seconds(120)
        package var bridge: BridgeSettings

        package init(host: String, port: UInt16, bridge: BridgeSettings) {
            addresses = [Address(host: host, port: port)]
            self.bridge = bridge
            statusName = String(decoding: bridge.clientID, as: UTF8.self)
        }
    }

    /// Paths of PEM files, which are read again for every attempt: a renewed certificate needs no restart.
    package struct TLS: Equatable, Sendable {
        /// Protocols to offer, the favourite first, as AWS wants on port 443.
        package var alpn: [String] = []
        /// Nil takes the system's authorities.
        package var ca: String?
        package var certificate: String?
        package var key: String?
        /// The name in the server's certificate, where it is not the host.
        package var serverName: String?

        package init() {}
    }

    /// Of the link's own threads: a server, or the lack of one, must not delay what is local.
    package static let niceness: CInt = 5

    /// How long `stop` waits for the server to take what is left.
    private static let patience: Duration = .seconds(2)

    private struct Running {
        let group: MultiThreadedEventLoopGroup
        let core: NIOLoopBound<UpstreamCore>
    }

    private let settings: Settings
    private let broker: BrokerServer
    private let storage: (any BufferStorage)?
    private let report: @Sendable (BridgeEvent) -> Void
    private let running = Mutex<Running?>(nil)

    /// Does nothing until `start`; `report` is called on the link's thread.
    ///
    /// What waits for the server is kept in `storage`; without one it is in memory, and gone with the process.
    package init(
        _ settings: Settings, broker: BrokerServer, storage: (any BufferStorage)? = nil,
        report: @escaping @Sendable (BridgeEvent) -> Void
    ) {
        self.settings = settings
        self.broker = broker
        self.storage = storage
        self.report = report
    }

    /// Reads what waits from before, starts the loop and makes the first attempt to connect.
    ///
    /// Returns when no message of the local broker is missed any more.
    package func start() throws(BufferUnavailable) {
        var failure: BufferUnavailable?
        var subscribed: EventLoopFuture<Void>?
        running.withLock { running in
            guard running == nil else { return }
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let loop = group.next()
            let (settings, broker, storage, report) = (settings, broker, storage, report)
            let promise = loop.makePromise(of: Void.self)
            let starting = loop.submit { Self.makeCore(settings, broker, storage, loop, promise, report) }
            // Only the loop may touch the core; it has nothing else to do yet.
            switch try? starting.wait() {
            case .success(let core)?:
                running = Running(group: group, core: core)
                subscribed = promise.futureResult
            case .failure(let error)?:
                failure = error
                promise.succeed()
                try? group.syncShutdownGracefully()
            case nil: promise.succeed()
            }
        }
        if let failure { throw failure }
        try? subscribed?.wait()
    }

    private static func makeCore(
        _ settings: Settings, _ broker: BrokerServer, _ storage: (any BufferStorage)?, _ loop: any NIOCore.EventLoop,
        _ subscribed: EventLoopPromise<Void>, _ report: @escaping @Sendable (BridgeEvent) -> Void
    ) -> Result<NIOLoopBound<UpstreamCore>, BufferUnavailable> {
        NamedThread.stepBack(niceness: niceness)
        let news = EarlyNews(loop)
        var queue = OfflineQueue(settings.bridge.queue, isStored: storage != nil)
        do throws(BufferUnavailable) {
            try storage?.open(
                reading: { segment, frame in queue.restored(frame, in: segment) }, report: { news.tell($0) })
        } catch {
            return .failure(error)
        }
        queue.restoreEnded()
        let core = UpstreamCore(
            settings, on: loop, seed: Entropy.seed(), queue: queue, storage: storage, report: report)
        let bound = NIOLoopBound(core, eventLoop: loop)
        news.go(to: bound)
        let local = LocalClient(
            broker, name: "bridge-\(settings.name)", acknowledgement: .deferred, schedule: { loop.execute($0) },
            onEvent: { bound.value.localEvent($0) })
        core.start(local, subscribed: subscribed)
        return .success(bound)
    }

    /// Hands news of the storage to the core, once there is one.
    private final class EarlyNews: Sendable {
        private let loop: any NIOCore.EventLoop
        private let core = Mutex<NIOLoopBound<UpstreamCore>?>(nil)

        init(_ loop: any NIOCore.EventLoop) {
            self.loop = loop
        }

        func go(to core: NIOLoopBound<UpstreamCore>) {
            self.core.withLock { $0 = core }
        }

        /// Runs behind `makeCore`, which the loop is busy with.
        func tell(_ news: BufferNews) {
            loop.execute { [self] in core.withLock { $0 }?.value.storageTold(news) }
        }
    }

    /// Goes on with other settings; what waits for the server stays, and where it is kept.
    ///
    /// The connection stays where only the lines differ.
    package func apply(_ settings: Settings) {
        guard let core = running.withLock({ $0?.core }) else { return }
        core.eventLoop.execute { core.value.apply(settings) }
    }

    // MARK: the buffer

    /// What waits for the server; nil while the link does not run.
    package func bufferStatus() -> BufferStatus? { ask { $0.bufferStatus } }

    /// Sends all that waits as fast as the server takes it, whatever rate is set.
    package func drain() { _ = ask { $0.drain() } }

    /// Drops all that waits and is not on its way; returns how many messages that was.
    package func dropEverything() -> Int? { ask { $0.dropEverything() } }

    /// Runs something on the loop and waits for it.
    private func ask<Answer: Sendable>(_ question: @escaping @Sendable (UpstreamCore) -> Answer) -> Answer? {
        guard let core = running.withLock({ $0?.core }) else { return nil }
        return try? core.eventLoop.submit { question(core.value) }.wait()
    }

    // MARK: the end

    /// Sends what it can within a moment, says goodbye to the server, and ends the loop.
    package func stop() {
        Self.stop([self])
    }

    /// The same for several at once.
    package static func stop(_ links: [UpstreamLink]) {
        let ending = links.compactMap { link in link.beginStop().map { (link, $0.0, $0.1) } }
        for (link, group, isDone) in ending {
            try? isDone.wait()
            link.storage?.close()
            try? group.syncShutdownGracefully()
        }
    }

    private func beginStop() -> (MultiThreadedEventLoopGroup, EventLoopFuture<Void>)? {
        let ended = running.withLock { running in
            defer { running = nil }
            return running
        }
        guard let ended else { return nil }
        let loop = ended.core.eventLoop
        let isDone = loop.makePromise(of: Void.self)
        loop.execute { ended.core.value.stop(patience: Self.patience, done: isDone) }
        return (ended.group, isDone.futureResult)
    }
}
