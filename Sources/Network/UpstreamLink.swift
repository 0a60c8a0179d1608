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

    /// How long `stop` waits for the server to take what is left.
    private static let patience: Duration = .seconds(2)

    private struct Running {
        let group: MultiThreadedEventLoopGroup
        let core: NIOLoopBound<UpstreamCore>
    }

    private let settings: Settings
    private let broker: BrokerServer
    private let report: @Sendable (BridgeEvent) -> Void
    private let running = Mutex<Running?>(nil)

    /// Does nothing until `start`; `report` is called on the link's thread.
    package init(
        _ settings: Settings, broker: BrokerServer, report: @escaping @Sendable (BridgeEvent) -> Void
    ) {
        self.settings = settings
        self.broker = broker
        self.report = report
    }

    /// Starts the loop and the first attempt to connect.
    package func start() {
        running.withLock { running in
            guard running == nil else { return }
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let loop = group.next()
            let (settings, broker, report) = (settings, broker, report)
            let starting = loop.submit { Self.makeCore(settings, broker, loop, report) }
            // Only the loop may touch the core; it has nothing else to do yet.
            guard let core = try? starting.wait() else { return }
            running = Running(group: group, core: core)
        }
    }

    private static func makeCore(
        _ settings: Settings, _ broker: BrokerServer, _ loop: any NIOCore.EventLoop,
        _ report: @escaping @Sendable (BridgeEvent) -> Void
    ) -> NIOLoopBound<UpstreamCore> {
        let core = UpstreamCore(settings, on: loop, seed: Entropy.seed(), report: report)
        let bound = NIOLoopBound(core, eventLoop: loop)
        let local = LocalClient(
            broker, name: "bridge-\(settings.name)", acknowledgement: .deferred, schedule: { loop.execute($0) },
            onEvent: { bound.value.localEvent($0) })
        core.start(local)
        return bound
    }

    /// Goes on with other settings; what waits for the server stays, and so does `bridge.queue`.
    ///
    /// The connection stays where only the lines differ.
    package func apply(_ settings: Settings) {
        guard let core = running.withLock({ $0?.core }) else { return }
        core.eventLoop.execute { core.value.apply(settings) }
    }

    /// Sends what it can within a moment, says goodbye to the server, and ends the loop.
    package func stop() {
        Self.stop([self])
    }

    /// The same for several at once.
    package static func stop(_ links: [UpstreamLink]) {
        let ending = links.compactMap { $0.beginStop() }
        for (group, isDone) in ending {
            try? isDone.wait()
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
