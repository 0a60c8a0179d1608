/// How a log is kept.
package struct LogSettings: Equatable, Sendable {
    /// A file that has reached this many bytes is not written to any more.
    package var segmentSize = 4_000_000
    /// So many bytes of the disk stay free: with less, a commit fails as on a full disk.
    ///
    /// A snapshot may use them, since it lets older files go.
    package var reserve = 0
    /// Whether a commit waits until what it wrote survives a power cut.
    package var isSynchronized = true

    package init() {}
}

/// What a log has done since it was opened, and what it takes.
package struct LogStatistics: Equatable, Sendable {
    package var commits = 0
    package var failedCommits = 0
    package var frames = 0
    /// Handed to the kernel, with what belongs to the log itself.
    package var bytesWritten = 0
    /// The same in whole blocks of 4 KiB, as a card takes them; what the file system writes for itself is not in it.
    package var blockBytesWritten = 0
    /// Of segments and snapshot, without what was set aside.
    package var bytesOnDisk = 0
    package var segments = 0
    /// Damaged files that lie beside the log, for people to look at.
    package var setAside = 0

    package init() {}

    static let block = 4096

    /// Counts a write: both blocks at its ends are written whole.
    mutating func wrote(_ count: Int, at offset: Int) {
        bytesWritten += count
        let first = offset / Self.block
        let behind = (offset + count + Self.block - 1) / Self.block
        blockBytesWritten += (behind - first) * Self.block
    }
}
