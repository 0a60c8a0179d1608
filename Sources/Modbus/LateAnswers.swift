/// Requests to one unit whose answers may still come, although nobody waits for them any more.
///
/// On a serial line an answer says neither which registers it holds nor when they were asked for. One to an earlier
/// request of the same function and length can't be told from the one that is waited for, so a request that could be
/// given the wrong one waits until the earlier can no longer come.
struct LateAnswers {
    typealias Instant = ContinuousClock.Instant

    private struct Owed {
        var request: Request
        var until: Instant
        /// Something was written since: the answer would show the state before.
        var isOutdated = false

        func isMistakable(for next: Request) -> Bool {
            guard next.functionCode == request.functionCode, next.responseLength == request.responseLength else {
                return false
            }
            // These are repeated in full, so that only the same write could be meant.
            guard ![5, 6, 22].contains(next.functionCode) else { return false }
            return next != request || isOutdated
        }
    }

    private var owed: [Owed] = []

    mutating func mayCome(to request: Request, until: Instant, at now: Instant) {
        owed.removeAll { $0.until <= now || $0.request == request && !$0.isOutdated }
        owed.append(Owed(request: request, until: until))
    }

    mutating func writeStarted() {
        for index in owed.indices { owed[index].isOutdated = true }
    }

    /// Whether an answer to the very same request may still come; harmless unless the next one is another.
    func isExpected(to request: Request, at now: Instant) -> Bool {
        owed.contains { $0.request == request && now < $0.until }
    }

    /// Until when `request` must wait; nil if nothing can be mistaken for its answer.
    func ambiguousUntil(for request: Request, at now: Instant) -> Instant? {
        owed.filter { now < $0.until && $0.isMistakable(for: request) }.map(\.until).max()
    }
}
