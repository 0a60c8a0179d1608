import Bytes

/// What the journal does not have yet, and who waits until it has.
struct JournalState {
    /// A delivery that the journal must know.
    struct KeptDelivery {
        var session: SessionIndex
        var key: UInt32
        var delivery: Delivery
        /// The message's number, or 0 while it has none: `delivery.message` then is held by its batch.
        var number: UInt64
    }

    /// A QoS 2 message whose identifier must be kept before it goes out.
    struct HeldDelivery {
        var session: SessionIndex
        var key: UInt32
        var packetID: UInt16
    }

    /// A packet that says something is kept, and so must be first.
    struct DelayedPacket {
        var connection: ConnectionID
        var bytes: Range<Int>
    }

    /// What is kept together, and who waits for it.
    struct Batch {
        /// Each with a reference.
        var messages: [MessageIndex] = []
        var held: [HeldDelivery] = []
        var packets: [DelayedPacket] = []
        var packetBytes: [UInt8] = []
        /// Of answers to messages that are nothing to keep but take something away.
        var tickets: [Int32] = []
        /// Whose subscriptions it changes.
        var subscribers: Set<SessionIndex> = []
    }

    /// How long what nobody waits for may stay unwritten.
    static let patience: Duration = .seconds(1)
    /// How many answers may wait in all, or on one connection, before the commit is not put off any longer: a client
    /// that waits for answers sends nothing that could share it.
    static let mostWaiting = 256
    static let mostWaitingOfOne = 16
    /// How many bytes may wait to be written before publishers are not read for a while.
    static let mostPending = 16 << 20

    /// Nil where nothing is kept.
    var sync: JournalSync?
    /// Why the disk takes nothing just now.
    var failure: String?
    var nextSessionKey: UInt32 = 1
    var nextMessageNumber: UInt64 = 1
    private(set) var nextBatch: UInt64 = 1
    /// What the next commit holds, beside the sessions marked below.
    var next = Batch()
    var deliveries: [KeptDelivery] = []
    /// Records that are written as they happened.
    var records: [UInt8] = []
    var changedSessions: [SessionIndex] = []
    var sessionsWithProgress: [SessionIndex] = []
    var pendingBytes = 0
    /// The commit that is under way.
    private(set) var running: Batch?
    private(set) var runningNumber: UInt64 = 0
    /// When the next commit is due, or nil while there is nothing to keep.
    private(set) var dueAt: MonotonicTime?
    /// Whether what has no answer to wait for is to be written with the next commit as well.
    var writesRetained = false
    /// Connections that are not read until the disk is.
    var paused: [ConnectionID] = []
    var snapshot: SnapshotProgress?
    /// What other parts of the gateway keep, by name.
    var values: [[UInt8]: [UInt8]] = [:]
    var beginsSnapshot = false

    var isOn: Bool { sync != nil }

    /// Whether an acknowledgement waits for the disk.
    var makesWait: Bool { sync != nil && sync != .off }

    /// Somebody waits for a commit.
    mutating func need(_ now: MonotonicTime) {
        switch sync {
        case .within(let interval): setDue(now + interval)
        case .commit: setDue(now)
        case .off: setDue(now + Self.patience)
        case nil: break
        }
    }

    /// There is something to keep, but nobody waits for it.
    mutating func needSometime(_ now: MonotonicTime) {
        setDue(now + Self.patience)
    }

    /// More would not make the commit cheaper.
    mutating func needAtOnce(_ now: MonotonicTime) {
        setDue(now)
    }

    private mutating func setDue(_ time: MonotonicTime) {
        guard isOn else { return }
        dueAt = min(dueAt ?? time, time)
    }

    /// The next batch becomes the running one; returns its number.
    mutating func start(_ batch: Batch) -> UInt64 {
        running = batch
        runningNumber = nextBatch
        nextBatch += 1
        return runningNumber
    }

    /// Takes what the next commit holds; what comes from now on is for the one after it.
    mutating func takeNext() -> Batch {
        defer { next = Batch() }
        dueAt = nil
        pendingBytes = 0
        return next
    }

    /// Whether something is not on the disk yet.
    var isBehind: Bool { running != nil || dueAt != nil }

    /// Whether the disk does not have all of a session's subscriptions yet.
    func writesSubscriptions(of session: SessionIndex) -> Bool {
        next.subscribers.contains(session) || running?.subscribers.contains(session) == true
    }

    /// What waited for the batch, if it is the one under way.
    mutating func finish(_ number: UInt64) -> Batch? {
        guard number == runningNumber, let batch = running else { return nil }
        running = nil
        return batch
    }
}
