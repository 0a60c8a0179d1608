import LinuxIO

/// Lets a thread wait, for a bounded time, until another says that something is done.
struct Latch: Sendable {
    private let wakeUp: WakeUp

    init() throws(SystemError) {
        wakeUp = try WakeUp()
    }

    func open() {
        wakeUp.signal()
    }

    /// Returns whether it was opened in time.
    func wait(until deadline: ContinuousClock.Instant) -> Bool {
        do throws(SystemError) {
            var poller = try Poller()
            try poller.add(wakeUp.descriptor, token: 0, reading: true, writing: false)
            var ready: [PollEvent] = []
            while ready.isEmpty, ContinuousClock.now < deadline { try poller.wait(until: deadline, into: &ready) }
            return !ready.isEmpty
        } catch {
            return false
        }
    }
}
