/// `store:` how what must not be lost is kept on the disk.
package struct StoreSettings: Equatable, Sendable {
    /// `store.sync`: when an acknowledgement goes out.
    package enum Sync: Equatable, Sendable {
        /// As soon as what it is for is on the disk.
        case commit
        /// The same, but it may wait so long for others that are committed with it.
        case within(Duration)
        /// When it is written; a power cut may lose what the kernel has not put on the disk yet.
        case off
    }

    package var sync = Sync.within(.milliseconds(50))
    /// Bytes after which a file is left for the next.
    package var segmentSize = 4_000_000
    /// Bytes written in a day beyond which there is a warning; nil for no limit.
    package var dailyBudget: Int? = 2_000_000_000
    /// Bytes of the disk that are left free.
    package var reserve = 64_000_000

    package init() {}
}
