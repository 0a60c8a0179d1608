/// How a wait on an event loop ended.
package enum Readiness: Equatable, Sendable {
    /// The descriptor can be read or written now, or the other end is gone: reading or writing tells which.
    case ready
    case timedOut
    /// The task was cancelled, or the loop stopped.
    case cancelled
    case failed(SystemError)
}

/// One task that waits on a loop: for a descriptor, a time, or whichever comes first.
///
/// `@unchecked Sendable`: the constants are set before it is handed over, the rest belongs to the loop's thread.
final class LoopWaiter: @unchecked Sendable {
    enum Direction: Sendable {
        case reading
        case writing
    }

    struct Interest: Sendable {
        var descriptor: CInt
        var direction: Direction
    }

    let interest: Interest?
    let deadline: ContinuousClock.Instant?
    /// Whether the timer heap holds it.
    var isTimed = false
    private var outcome: Readiness?
    private var continuation: CheckedContinuation<Readiness, Never>?

    init(_ interest: Interest?, until deadline: ContinuousClock.Instant?) {
        self.interest = interest
        self.deadline = deadline
    }

    var hasEnded: Bool { outcome != nil }

    /// Its task sleeps now; a cancellation that came before wakes it at once.
    func suspended(_ continuation: CheckedContinuation<Readiness, Never>) {
        if let outcome { continuation.resume(returning: outcome) } else { self.continuation = continuation }
    }

    func end(_ outcome: Readiness) {
        self.outcome = outcome
        continuation?.resume(returning: outcome)
        continuation = nil
    }
}
