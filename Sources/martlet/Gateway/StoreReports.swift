import Drivers
import LinuxIO
import Logging
import MQTTCodec
import Network
import Store
import Synchronization

/// Where the gateway's stores are known by name: it asks them what they have written, tells that on `$SYS`, and warns
/// when it is more than the day's budget.
///
/// What the drivers count is told with it.
///
/// What is wrong is told at once, and whatever `broker.sys_interval` says.
final class StoreReports: Sendable {
    private struct State {
        var status: StoreStatus
        var stores: [String: @Sendable () -> LogStatistics?] = [:]
        var client: LocalClient?
        var devices = DeviceFigures()
        var devicesToldAt: ContinuousClock.Instant?
        var interval: Duration
        /// When the counters are told next.
        var dueAt: ContinuousClock.Instant?
        var task: Task<Void, Never>?

        mutating func isDue(_ now: ContinuousClock.Instant) -> Bool {
            guard interval > .zero, client != nil else { return false }
            if let dueAt, now < dueAt { return false }
            dueAt = now + interval
            return true
        }
    }

    /// What the drivers count; told as often as what the stores do.
    let board = StatisticsBoard()

    /// The budget is looked at this often at least.
    private static let longestPause: Duration = .seconds(60)

    private let logger: Logger
    private let state: Mutex<State>

    /// `interval` is `broker.sys_interval`, zero for never.
    init(dailyBudget: Int?, interval: Duration, logger: Logger) {
        self.logger = logger
        state = Mutex(State(status: StoreStatus(bytesPerDay: dailyBudget), interval: interval))
    }

    /// A store that counts what it writes; `statistics` is called from any thread, and is nil while it is not open.
    func add(_ name: String, _ statistics: @escaping @Sendable () -> LogStatistics?) {
        state.withLock { state in
            state.stores[name] = statistics
            state.status.problem("", of: name)
        }
    }

    /// The store is no more.
    func remove(_ name: String) {
        state.withLock { state in
            state.stores[name] = nil
            state.status.removed(name)
            Self.tell(&state, alarmsOnly: true)
        }
    }

    /// What a store can't do just now, in words; empty when it can again.
    func problem(_ text: String, of name: String) {
        state.withLock { state in
            state.status.problem(text, of: name)
            Self.tell(&state, alarmsOnly: true)
        }
    }

    /// Begins to tell, through a client of its own, on this loop.
    func start(_ broker: BrokerServer, on loop: EventLoop) {
        let client = LocalClient(broker, name: "stores", schedule: { work in loop.execute(work) }, onEvent: { _ in })
        state.withLock { $0.client = client }
        let task = Task(executorPreference: loop) { [weak self] in
            while let pause = self?.tick(.now) {
                do { try await loop.sleep(for: pause) } catch { return }
            }
        }
        state.withLock { $0.task = task }
    }

    func apply(interval: Duration) {
        state.withLock { $0.interval = interval }
    }

    func stop() {
        let client = state.withLock { state in
            state.task?.cancel()
            return state.client.take()
        }
        client?.close()
    }

    /// Returns how long it may be until the next one.
    private func tick(_ now: ContinuousClock.Instant) -> Duration {
        let stores = state.withLock { $0.stores }
        let statistics = stores.compactMapValues { $0() }
        let (excess, pause) = state.withLock { state in
            let excess = state.status.count(statistics, at: WallClock.now)
            let isDue = state.isDue(now)
            Self.tell(&state, alarmsOnly: !isDue)
            if isDue { tellDevices(&state, now) }
            return (excess, state.interval > .zero ? min(state.interval, Self.longestPause) : Self.longestPause)
        }
        if let excess { logger.warning("\(excess)") }
        return pause
    }

    private func tellDevices(_ state: inout State, _ now: ContinuousClock.Instant) {
        guard let client = state.client else { return }
        let elapsed = state.devicesToldAt.map { now - $0 } ?? state.interval
        state.devicesToldAt = now
        for message in state.devices.changes(
            board.devices, busy: board.busy, planned: board.planned, after: elapsed)
        {
            client.publish(message)
        }
    }

    private static func tell(_ state: inout State, alarmsOnly: Bool) {
        guard let client = state.client else { return }
        for message in state.status.changes(alarmsOnly: alarmsOnly) { client.publish(message) }
    }
}
