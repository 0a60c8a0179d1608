package import Bytes

/// Lets a level through when it has stayed for a time; for chips of which the kernel does not do it.
package struct Debouncer: Equatable, Sendable {
    private let time: Duration
    private var isActive: Bool
    /// What may become the level, and since when it is.
    private var next: (isActive: Bool, since: MonotonicTime)?

    package init(_ time: Duration, isActive: Bool) {
        self.time = time
        self.isActive = isActive
    }

    /// When `tick` is to be called.
    package var wakeAt: MonotonicTime? { next.map { $0.since + time } }

    /// Takes an edge; returns the level that had stayed long enough before it, if it is another.
    package mutating func received(isActive new: Bool, at now: MonotonicTime) -> (isActive: Bool, since: MonotonicTime)?
    {
        let settled = tick(at: now)
        next = new == isActive ? nil : (new, now)
        return settled
    }

    /// Returns the level that has stayed long enough by now, if it is another than before, and since when it is.
    package mutating func tick(at now: MonotonicTime) -> (isActive: Bool, since: MonotonicTime)? {
        guard let settled = next, now >= settled.since + time else { return nil }
        isActive = settled.isActive
        next = nil
        return settled
    }

    package static func == (left: Debouncer, right: Debouncer) -> Bool {
        left.time == right.time && left.isActive == right.isActive && left.next?.isActive == right.next?.isActive
            && left.next?.since == right.next?.since
    }
}
