import Bytes

/// What falls due, earliest first: a heap of small values.
///
/// Entries are not taken out when they lose their reason; whoever gets one back checks it (keep alive is
/// prolonged by every packet, and a heap operation per packet would cost more than the packet).
struct Deadlines {
    enum Kind: UInt8 {
        /// CONNECT did not come in time.
        case connect
        /// The last words were not taken in time.
        case goodbye
        case keepAlive
        case sessionExpiry
        case willDelay
        case retainedExpiry
        /// `$SYS`, and a part of the sessions whose queues it tells about.
        case system
        case clientDepths
        /// A paused connection may be read again.
        case reading
        case memory
        case retainedJournal
        case orphans
    }

    struct Entry {
        var at: MonotonicTime
        var kind: Kind
        /// A connection or a session, by kind.
        var index: Int32 = 0
        var generation: UInt32 = 0
    }

    private var heap: [Entry] = []

    var earliest: MonotonicTime? { heap.first?.at }

    mutating func add(_ entry: Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].at < heap[parent].at else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// The earliest entry, if it is due.
    mutating func popDue(_ now: MonotonicTime) -> Entry? {
        guard let first = heap.first, first.at <= now else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return first }
        heap[0] = last
        sink()
        return first
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].at < heap[smallest].at { smallest = child }
            }
            guard smallest != parent else { return }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
