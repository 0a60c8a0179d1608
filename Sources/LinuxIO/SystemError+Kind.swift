import Glibc

extension SystemError {
    /// What the errnos that callers tell apart mean to them.
    package enum Kind: Equatable, Sendable {
        case notFound
        case noPermission
        case inUse
        case deviceGone
        case notATerminal
        /// Nothing to read or no room to write, or a signal came in between: try again when it is ready.
        case tryAgain
        case timedOut
        /// The disk, or this user's share of it, is full.
        case diskFull
        /// The file system can be read only.
        case readOnly
        case other
    }

    package var kind: Kind {
        switch code {
        case ENOENT, ENOTDIR: .notFound
        case EACCES, EPERM: .noPermission
        case EBUSY, EADDRINUSE: .inUse
        case EIO, ENXIO, ENODEV: .deviceGone
        case ENOTTY: .notATerminal
        case EAGAIN, EINTR: .tryAgain
        case ETIMEDOUT: .timedOut
        case ENOSPC, EDQUOT: .diskFull
        case EROFS: .readOnly
        default: .other
        }
    }
}
