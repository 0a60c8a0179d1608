package import LinuxIO

/// What was found wrong when a log was opened, and what was done about it.
package struct Recovery: Equatable, Sendable {
    package enum Event: Equatable, Sendable {
        /// The end of a file that was being written when the power went: it was not committed.
        case cut(file: String, at: Int, bytes: Int)
        /// Bytes that are no frames any more; what is before and behind them was used.
        ///
        /// `setAside` names the copy for people to look at; nil where the disk did not take one.
        case damaged(file: String, bytes: Int, setAside: String?)
        /// It could not be read at all and was left where it is.
        case unreadable(file: String, cause: SystemError)
        /// A newer Martlet wrote it; it was left where it is.
        case newerFormat(file: String, version: Int)
        /// It was begun and not finished, and nothing in it was committed.
        case removed(file: String)
    }

    package var events: [Event] = []
    /// Frames that were read.
    package var frames = 0

    /// Whether something may be lost that was committed.
    package var isDamaged: Bool {
        events.contains { event in
            switch event {
            case .damaged, .unreadable, .newerFormat: true
            case .cut, .removed: false
            }
        }
    }
}

extension Recovery.Event: CustomStringConvertible {
    package var description: String {
        switch self {
        case .cut(let file, let offset, let bytes):
            "\(file): \(bytes) bytes from \(offset) on were not written to the end, and were cut"
        case .damaged(let file, let bytes, let copy?):
            "\(file): \(bytes) bytes are damaged; all others were used, and \(copy) keeps the file as it was"
        case .damaged(let file, let bytes, nil):
            "\(file): \(bytes) bytes are damaged; all others were used"
        case .unreadable(let file, let cause): "\(file) can't be read and was left alone: \(cause)"
        case .newerFormat(let file, let version):
            "\(file) was written by a newer Martlet, in format \(version), and was left alone"
        case .removed(let file): "\(file) was begun and not finished, and was removed"
        }
    }
}
