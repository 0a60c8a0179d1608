/// The part of an event loop that only its own thread touches: who waits for what.
///
/// `@unchecked Sendable`: made on the starting thread, then used by the loop's thread alone.
final class LoopTurner: @unchecked Sendable {
    static let wakeUpToken = UInt64.max

    private struct Watch {
        var reader: LoopWaiter?
        var writer: LoopWaiter?

        var isEmpty: Bool { reader == nil && writer == nil }
    }

    private var poller: Poller
    private let wakeUp: WakeUp
    private var ready: [PollEvent] = []
    private var watches: [CInt: Watch] = [:]
    private var timers = TimerHeap()

    init(poller: consuming Poller, wakeUp: WakeUp) {
        self.poller = poller
        self.wakeUp = wakeUp
    }

    /// Whether nobody waits.
    var isIdle: Bool { watches.isEmpty && timers.isEmpty }

    /// Sleeps until something is ready, a timer is due or `longest` is over, and ends the waits that are.
    func turn(longest: Duration) {
        var deadline = ContinuousClock.now + longest
        if let first = timers.firstDeadline, first < deadline { deadline = first }
        do throws(SystemError) {
            try poller.wait(until: deadline, into: &ready)
        } catch {
            // Only a closed or damaged epoll fails, which is a bug of ours.
            preconditionFailure("event loop: \(error)")
        }
        for event in ready {
            if event.token == Self.wakeUpToken { wakeUp.clear() } else { became(event) }
        }
        let now = ContinuousClock.now
        while let waiter = timers.popDue(now) { end(waiter, .timedOut) }
    }

    /// A task waits from now on, unless its cancellation has overtaken it.
    func begin(_ waiter: LoopWaiter, _ continuation: CheckedContinuation<Readiness, Never>) {
        waiter.suspended(continuation)
        guard !waiter.hasEnded else { return }
        if waiter.deadline != nil { timers.insert(waiter) }
        guard let interest = waiter.interest else { return }
        if let error = watch(interest, waiter) { end(waiter, .failed(error)) }
    }

    func cancel(_ waiter: LoopWaiter) {
        end(waiter, .cancelled)
    }

    func cancelAll() {
        let waiters = watches.values.flatMap { [$0.reader, $0.writer] }.compactMap { $0 } + timers.waiters
        for waiter in waiters { end(waiter, .cancelled) }
    }

    private func became(_ event: PollEvent) {
        guard let watch = watches[CInt(truncatingIfNeeded: event.token)] else { return }
        if event.isReadable || event.isHangUp, let reader = watch.reader { end(reader, .ready) }
        if event.isWritable || event.isHangUp, let writer = watch.writer { end(writer, .ready) }
    }

    private func end(_ waiter: LoopWaiter, _ outcome: Readiness) {
        guard !waiter.hasEnded else { return }
        waiter.end(outcome)
        timers.noteEnded(waiter)
        unwatch(waiter)
    }

    private func watch(_ interest: LoopWaiter.Interest, _ waiter: LoopWaiter) -> SystemError? {
        var watch = watches[interest.descriptor] ?? Watch()
        let isNew = watch.isEmpty
        switch interest.direction {
        case .reading:
            precondition(watch.reader == nil, "two tasks read one descriptor")
            watch.reader = waiter
        case .writing:
            precondition(watch.writer == nil, "two tasks write one descriptor")
            watch.writer = waiter
        }
        watches[interest.descriptor] = watch
        return update(interest.descriptor, watch, isNew: isNew)
    }

    private func unwatch(_ waiter: LoopWaiter) {
        guard let descriptor = waiter.interest?.descriptor, var watch = watches[descriptor] else { return }
        if watch.reader === waiter { watch.reader = nil }
        if watch.writer === waiter { watch.writer = nil }
        watches[descriptor] = watch.isEmpty ? nil : watch
        // It fails where the descriptor is closed by now, and then the kernel has forgotten it already.
        _ = update(descriptor, watch, isNew: false)
    }

    private func update(_ descriptor: CInt, _ watch: Watch, isNew: Bool) -> SystemError? {
        let (token, reading, writing) = (
            UInt64(UInt32(bitPattern: descriptor)), watch.reader != nil, watch.writer != nil
        )
        do throws(SystemError) {
            if isNew {
                try poller.add(descriptor, token: token, reading: reading, writing: writing)
            } else if watch.isEmpty {
                try poller.remove(descriptor)
            } else {
                try poller.modify(descriptor, token: token, reading: reading, writing: writing)
            }
            return nil
        } catch {
            return error
        }
    }
}
