import Bytes
import LinuxIO
import Logging
import Synchronization

/// What systemd is told, from the loops themselves: that they run, and that they still do.
///
/// A loop that hangs says nothing, and systemd starts the service anew.
final class SystemdNotices: Sendable {
    /// The parts that must be up before the service is ready.
    enum Part: CaseIterable, Sendable {
        case broker
        case devices
    }

    private struct State {
        var missing = Set(Part.allCases)
        var lastSign: MonotonicTime?
        var lastDeviceTurns: UInt64 = 0
    }

    private let notify: Notify?
    private let logger: Logger
    private let status: String
    private let state = Mutex(State())

    init(status: String, logger: Logger) {
        notify = Notify()
        self.logger = logger
        self.status = status
    }

    /// How often each loop must turn so that the watchdog is never late.
    var heartbeat: Duration {
        notify?.watchdogTimeout.map { min($0 / 4, .seconds(5)) } ?? .seconds(5)
    }

    /// A part runs; called on its loop, and as often as it likes.
    func isUp(_ part: Part) {
        let wasLast = state.withLock { state in
            state.missing.remove(part) != nil && state.missing.isEmpty
        }
        if wasLast {
            logger.info("\(status)")
            tell { notify throws(SystemError) in try notify.ready(status: status) }
            FilePages.letGo()
        }
    }

    /// The broker's loop turned; the devices' loop must have turned as well since the last sign of life.
    func brokerTurned(at now: MonotonicTime, deviceTurns: UInt64) {
        guard let timeout = notify?.watchdogTimeout else { return }
        let isDue = state.withLock { state in
            guard state.missing.isEmpty else { return false }
            if let last = state.lastSign, now - last < timeout / 4 { return false }
            guard deviceTurns != state.lastDeviceTurns else { return false }
            state.lastSign = now
            state.lastDeviceTurns = deviceTurns
            return true
        }
        if isDue { tell { notify throws(SystemError) in try notify.watchdog() } }
    }

    func stopping() {
        tell { notify throws(SystemError) in try notify.stopping() }
    }

    private func tell(_ what: (Notify) throws(SystemError) -> Void) {
        guard let notify else { return }
        do throws(SystemError) {
            try what(notify)
        } catch {
            logger.warning("systemd can't be told: \(error)")
        }
    }
}
