import Synchronization

extension EventLoop {
    /// Sleeps until a time; throws when the task is cancelled before.
    package func sleep(until deadline: ContinuousClock.Instant) async throws(CancellationError) {
        guard await wait(LoopWaiter(nil, until: deadline)) == .timedOut else { throw CancellationError() }
    }

    /// Sleeps for a while; throws when the task is cancelled before.
    package func sleep(for duration: Duration) async throws(CancellationError) {
        try await sleep(until: ContinuousClock.now + duration)
    }

    /// Waits until a descriptor can be read, or its other end is gone, or the time has come.
    ///
    /// `ready` is a hint: the read may still say "would block". One task at a time reads a descriptor, and it must not
    /// be closed while a task waits for it.
    package func readable(_ descriptor: CInt, until deadline: ContinuousClock.Instant? = nil) async -> Readiness {
        await wait(LoopWaiter(LoopWaiter.Interest(descriptor: descriptor, direction: .reading), until: deadline))
    }

    /// Waits until a descriptor can be written, or its other end is gone, or the time has come.
    package func writable(_ descriptor: CInt, until deadline: ContinuousClock.Instant? = nil) async -> Readiness {
        await wait(LoopWaiter(LoopWaiter.Interest(descriptor: descriptor, direction: .writing), until: deadline))
    }

    private func wait(_ waiter: LoopWaiter) async -> Readiness {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                post(.wait(waiter, continuation))
            }
        } onCancel: {
            post(.cancel(waiter))
        }
    }

    /// Runs a call that may block on a thread of its own, and waits for it without holding up the loop.
    ///
    /// The call cannot be interrupted: a cancelled task still waits for its end.
    package func blocking<Result: ~Copyable & Sendable, Failure: Error>(
        _ name: String, _ body: @escaping @Sendable () throws(Failure) -> Result
    ) async throws -> Result {
        let outcome = BlockingOutcome<Result, Failure>()
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            do throws(SystemError) {
                _ = try NamedThread.startDetached(name) {
                    outcome.run(body)
                    continuation.resume()
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
        return try outcome.take()
    }
}

/// Where a thread leaves what a blocking call gave, for the task that waits for it.
private final class BlockingOutcome<Success: ~Copyable & Sendable, Failure: Error>: Sendable {
    /// Two fields, since an enum with a payload that can't be copied can't be taken apart in a lock's closure.
    private struct Slot: ~Copyable {
        var success: Success?
        var failure: Failure?
    }

    private let slot = Mutex(Slot(success: nil, failure: nil))

    func run(_ body: () throws(Failure) -> Success) {
        do throws(Failure) {
            let success = try body()
            put(success)
        } catch {
            slot.withLock { $0.failure = error }
        }
    }

    private func put(_ success: consuming sending Success) {
        var moved: Success? = consume success
        slot.withLock { slot in slot.success = moved.take() }
    }

    func take() throws -> Success {
        if let failure = slot.withLock({ $0.failure }) { throw failure }
        guard let success = slot.withLock({ slot in slot.success.take() }) else {
            preconditionFailure("taken before the call has ended")
        }
        return success
    }
}
