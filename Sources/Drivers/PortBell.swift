import LinuxIO
import Synchronization

/// Wakes drivers when ports come and go: those that wait for the next attempt to open one, and those that have open
/// what was pulled out.
final class PortBell: Sendable {
    private struct State {
        var sleeping: [Int: Task<Void, Never>] = [:]
        var watching: [Int: (path: String, interrupt: @Sendable () -> Void)] = [:]
        var next = 0
        /// How many ports came.
        var added = 0

        mutating func number() -> Int {
            next += 1
            return next
        }
    }

    private let state = Mutex(State())

    /// How many ports came since the start; to be asked before a port is looked for.
    var arrivals: Int { state.withLock { $0.added } }

    /// Waits, but not when a port came since there were so many `arrivals`; true if one did.
    func sleep(for duration: Duration, after arrivals: Int, on loop: EventLoop) async -> Bool {
        let sleep = Task(executorPreference: loop) { _ = try? await loop.sleep(for: duration) }
        let number: Int? = state.withLock { state in
            guard state.added == arrivals else { return nil }
            let number = state.number()
            state.sleeping[number] = sleep
            return number
        }
        guard let number else {
            sleep.cancel()
            return true
        }
        await withTaskCancellationHandler {
            await sleep.value
        } onCancel: {
            sleep.cancel()
        }
        return state.withLock { $0.sleeping.removeValue(forKey: number) } == nil
    }

    /// A port came: perhaps one of those that are waited for.
    func added() {
        let sleeping = state.withLock { state in
            defer { state.sleeping = [:] }
            state.added += 1
            return Array(state.sleeping.values)
        }
        for sleep in sleeping { sleep.cancel() }
    }

    /// Has `interrupt` called when the port at `path` goes, until `unwatch` with the number that is returned.
    func watch(_ path: String, interrupt: @escaping @Sendable () -> Void) -> Int {
        state.withLock { state in
            let number = state.number()
            state.watching[number] = (path, interrupt)
            return number
        }
    }

    func unwatch(_ number: Int) {
        state.withLock { $0.watching[number] = nil }
    }

    /// The port at `path` went.
    func removed(_ path: String) {
        let interrupts = state.withLock { state in
            state.watching.values.filter { $0.path == path }.map(\.interrupt)
        }
        for interrupt in interrupts { interrupt() }
    }
}
