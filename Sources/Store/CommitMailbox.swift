import Bytes
import LinuxIO

/// What was handed to a commit thread and not yet taken by it.
struct CommitMailbox: Sendable {
    enum Entry: Sendable {
        case frame([UInt8], UInt64)
        case work(@Sendable (inout RecordLog) -> Void, bytes: Int)
    }

    private var entries: [Entry] = []
    var waitingBytes = 0
    var isAskedToRetry = false
    /// Set when the thread is to end.
    var deadline: MonotonicTime?
    var hasEnded = false
    var statistics = LogStatistics()

    var isEmpty: Bool { entries.isEmpty }

    /// Whether the thread must be woken for it.
    mutating func put(_ entry: Entry, bytes: Int) -> Bool {
        entries.append(entry)
        waitingBytes += bytes
        return entries.count == 1 || entry.isWork
    }

    mutating func take() -> CommitTurn {
        defer {
            entries = []
            isAskedToRetry = false
        }
        return CommitTurn(entries: entries, isAskedToRetry: isAskedToRetry, deadline: deadline)
    }

    /// While commits fail new frames wait for the next try with the others; work may be what makes room.
    func needsTurn(isFailing: Bool, isEnding: Bool) -> Bool {
        if isAskedToRetry || (deadline != nil && !isEnding) { return true }
        return isFailing ? entries.contains(where: \.isWork) : !entries.isEmpty
    }
}

extension CommitMailbox.Entry {
    fileprivate var isWork: Bool {
        if case .work = self { true } else { false }
    }
}

/// What a commit thread takes out of its mailbox at once.
struct CommitTurn: Sendable {
    var entries: [CommitMailbox.Entry]
    var isAskedToRetry: Bool
    /// Set when the thread is to end.
    var deadline: MonotonicTime?
}

/// Where a commit thread is: what it added to the log and did not get committed, and why.
struct CommitProgress: Sendable {
    /// The number of the latest frame that was added.
    var last: UInt64 = 0
    /// Bytes that were added and not committed.
    var addedBytes = 0
    var failure: StoreError?
    /// When a failed commit is tried again.
    var nextTry = MonotonicTime.never
}

extension StoreError {
    /// Whether it is news after another one; how much is free may change every second.
    func isNews(after other: StoreError?) -> Bool {
        guard let other else { return true }
        if case (.reserveReached, .reserveReached) = (reason, other.reason) { return false }
        return reason != other.reason || cause?.code != other.cause?.code
    }
}
