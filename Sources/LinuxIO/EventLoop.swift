import Synchronization

/// A thread with an epoll, timers and a queue of jobs, which Swift tasks and actors can run on.
///
/// A task started with `Task(executorPreference: loop)` and an actor whose `unownedExecutor` is the loop's run on its
/// thread, one job at a time; while they wait for a descriptor or a time, the thread sleeps in the kernel. What blocks
/// goes through `blocking`, to a thread of its own.
package final class EventLoop: Sendable {
    /// What the loop is asked to do, in the order of asking.
    enum Entry: Sendable {
        case job(UnownedJob)
        case work(@Sendable () -> Void)
        case wait(LoopWaiter, CheckedContinuation<Readiness, Never>)
        case cancel(LoopWaiter)
    }

    private struct Inbox {
        var entries: [Entry] = []
        var isStopping = false
    }

    /// Tasks that start waiting again each time they are told that the loop ends don't keep it for ever.
    private static let mostTurnsToStop = 10_000

    private let wakeUp: WakeUp
    private let inbox = Mutex(Inbox())
    private let turnCount = Atomic<UInt64>(0)
    private let threadID = Atomic<UInt>(0)
    private let thread = Mutex<NamedThread?>(nil)
    private let heartbeatInterval: Duration

    /// Starts the loop on a thread with this name.
    ///
    /// It turns at least every `heartbeatInterval`, so that a watchdog can tell an idle loop from a stuck one.
    package init(name: String, heartbeatInterval: Duration = .seconds(5)) throws(SystemError) {
        wakeUp = try WakeUp()
        self.heartbeatInterval = heartbeatInterval
        var poller = try Poller()
        try poller.add(wakeUp.descriptor, token: LoopTurner.wakeUpToken, reading: true, writing: false)
        let turner = LoopTurner(poller: poller, wakeUp: wakeUp)
        let started = try NamedThread.start(name) { [self] in run(turner) }
        thread.withLock { $0 = started }
    }

    /// How often the loop has turned: a watchdog sees it grow, from any thread.
    package var turns: UInt64 { turnCount.load(ordering: .relaxed) }

    /// Whether the caller runs on the loop's thread.
    package var isCurrent: Bool { threadID.load(ordering: .relaxed) == NamedThread.currentID }

    /// Runs `work` on the loop's thread, after what was asked of the loop before.
    package func execute(_ work: @escaping @Sendable () -> Void) {
        post(.work(work))
    }

    /// Ends the loop and waits for its thread; call it once, and not on the loop itself.
    ///
    /// Waits that are under way end as cancelled, and their tasks run on until they wait no more. Cancel and await the
    /// tasks before: what is asked of the loop afterwards is never done.
    package func stop() {
        precondition(!isCurrent, "a loop can't wait for its own end")
        inbox.withLock { $0.isStopping = true }
        wakeUp.signal()
        thread.withLock { $0.take() }?.join()
    }

    /// Only another thread must wake the loop, for it looks into the inbox before it sleeps, and only its first entry.
    func post(_ entry: Entry) {
        let isFirst = inbox.withLock { inbox in
            inbox.entries.append(entry)
            return inbox.entries.count == 1
        }
        if isFirst, !isCurrent { wakeUp.signal() }
    }

    // MARK: on the loop's thread

    private func run(_ turner: LoopTurner) {
        threadID.store(NamedThread.currentID, ordering: .relaxed)
        var batch: [Entry] = []
        var turnsToStop = Self.mostTurnsToStop
        while turnsToStop > 0 {
            turnCount.add(1, ordering: .relaxed)
            let isStopping = take(&batch)
            if isStopping {
                if batch.isEmpty, turner.isIdle { return }
                turner.cancelAll()
                turnsToStop -= 1
            }
            for entry in batch { carryOut(entry, turner) }
            turner.turn(longest: hasWork ? .zero : heartbeatInterval)
        }
    }

    private func carryOut(_ entry: Entry, _ turner: LoopTurner) {
        switch entry {
        case .job(let job):
            job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
        case .work(let work): work()
        case .wait(let waiter, let continuation): turner.begin(waiter, continuation)
        case .cancel(let waiter): turner.cancel(waiter)
        }
    }

    /// Puts what has come into `batch`, whose storage the inbox takes over; says whether the loop is to end.
    private func take(_ batch: inout [Entry]) -> Bool {
        batch.removeAll(keepingCapacity: true)
        return inbox.withLock { inbox in
            swap(&batch, &inbox.entries)
            return inbox.isStopping
        }
    }

    private var hasWork: Bool {
        inbox.withLock { !$0.entries.isEmpty || $0.isStopping }
    }
}

extension EventLoop: SerialExecutor, TaskExecutor {
    package func enqueue(_ job: consuming ExecutorJob) {
        post(.job(UnownedJob(job)))
    }

    package func checkIsolated() {
        precondition(isCurrent, "not on the event loop")
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    package func asUnownedTaskExecutor() -> UnownedTaskExecutor {
        UnownedTaskExecutor(ordinary: self)
    }
}
