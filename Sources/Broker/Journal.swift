import Bytes

/// What the broker asks of a disk; declared here, carried out elsewhere.
///
/// Calls return at once. What became of a batch is told with `JournalNews`, in the order of the batches.
package protocol Journal: Sendable {
    /// Opens what is on the disk, and calls `body` for every batch that was kept, the oldest first; news go to
    /// `report`, on any thread.
    ///
    /// Called once, before anything else.
    func open(
        reading body: (Span<UInt8>) -> Void, report: @escaping @Sendable (JournalNews) -> Void
    ) throws(JournalUnavailable)
    /// Keeps a batch: all of it or nothing.
    ///
    /// It is tried again until it succeeds; after the first failure that is told.
    func commit(_ number: UInt64, _ batch: [UInt8])
    /// Begins a snapshot: what is handed over from now on stands in it or behind it.
    func beginSnapshot()
    /// A part of the snapshot, in the form of a batch.
    func addToSnapshot(_ batch: [UInt8])
    /// The snapshot is whole: with the batches since its beginning it says everything, so older ones may go.
    func finishSnapshot()
    /// Waits a moment for the last batches, then lets go of the disk.
    func close()
}

/// The journal can't be opened, for a reason that somebody must see to.
package struct JournalUnavailable: Error, Equatable, Sendable {
    /// A sentence: what, where, what to do.
    package var why: String

    package init(_ why: String) {
        self.why = why
    }
}

/// What the journal tells the broker.
package enum JournalNews: Equatable, Sendable {
    /// The batch with this number is on the disk.
    case committed(UInt64)
    /// The batch that is being kept can't be, for the reason given; it is tried again.
    case failing(String)
    /// It worked again.
    case recovered
    /// So much was written that a snapshot would make the journal shorter.
    case snapshotWanted
}

/// How long an acknowledgement may wait, so that many share one commit; `store.sync` of the configuration.
package enum JournalSync: Equatable, Sendable {
    /// Nothing waits but for the disk.
    case commit
    /// At most this long, and then for the disk.
    case within(Duration)
    /// Nothing waits, and what was acknowledged within the last second may be lost.
    case off
}
