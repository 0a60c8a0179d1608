/// Waiters by deadline: a binary heap in which ended waiters stay until their time, or until they are too many.
struct TimerHeap {
    private struct Entry {
        var deadline: ContinuousClock.Instant
        /// Equal deadlines end in the order in which they began.
        var number: UInt64
        var waiter: LoopWaiter

        func isBefore(_ other: Entry) -> Bool {
            (deadline, number) < (other.deadline, other.number)
        }
    }

    private var entries: [Entry] = []
    private var nextNumber: UInt64 = 0
    private var endedCount = 0

    /// Whether nobody waits in it.
    var isEmpty: Bool { entries.count == endedCount }

    var waiters: [LoopWaiter] { entries.map(\.waiter) }

    /// The earliest deadline, which may be an ended waiter's: that costs one early turn.
    var firstDeadline: ContinuousClock.Instant? { entries.first?.deadline }

    /// Adds a waiter that has a deadline.
    mutating func insert(_ waiter: LoopWaiter) {
        guard let deadline = waiter.deadline else { return }
        waiter.isTimed = true
        entries.append(Entry(deadline: deadline, number: nextNumber, waiter: waiter))
        nextNumber += 1
        siftUp(entries.count - 1)
    }

    /// A waiter ended by something else than its time.
    mutating func noteEnded(_ waiter: LoopWaiter) {
        guard waiter.isTimed else { return }
        endedCount += 1
        guard endedCount > 64, endedCount > entries.count / 2 else { return }
        entries.removeAll { $0.waiter.hasEnded }
        // A sorted array is a heap.
        entries.sort { $0.isBefore($1) }
        endedCount = 0
    }

    /// Takes out the next waiter whose time has come.
    mutating func popDue(_ now: ContinuousClock.Instant) -> LoopWaiter? {
        while let first = entries.first, first.deadline <= now {
            removeFirst()
            first.waiter.isTimed = false
            guard first.waiter.hasEnded else { return first.waiter }
            endedCount -= 1
        }
        return nil
    }

    private mutating func removeFirst() {
        entries.swapAt(0, entries.count - 1)
        entries.removeLast()
        siftDown()
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0, entries[child].isBefore(entries[(child - 1) / 2]) {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count {
                if entries[child].isBefore(entries[least]) { least = child }
            }
            guard least != parent else { return }
            entries.swapAt(parent, least)
            parent = least
        }
    }
}
