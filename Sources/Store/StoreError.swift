package import LinuxIO

/// The store could not do what it was asked: what, where, and what to do about it.
package struct StoreError: Error, Equatable, Sendable {
    package enum Reason: Equatable, Sendable {
        case diskFull
        /// Less is free than is to be left free; both in bytes.
        case reserveReached(free: Int, reserve: Int)
        case readOnly
        case noPermission
        /// Another process keeps its data there; its id, if it says so.
        case locked(process: Int?)
        case notAFolder
        /// A newer Martlet wrote it.
        case newerFormat(version: Int)
        /// A snapshot that was written does not read back as it was.
        case unreadable
        case failed
    }

    package var reason: Reason
    /// The folder or file it was about.
    package var path: String
    /// The system call behind it.
    package var cause: SystemError?

    package init(_ reason: Reason, path: String, cause: SystemError? = nil) {
        self.reason = reason
        self.path = path
        self.cause = cause
    }

    init(_ cause: SystemError, path: String) {
        let reason: Reason =
            switch cause.kind {
            case .diskFull: .diskFull
            case .readOnly: .readOnly
            case .noPermission: .noPermission
            default: .failed
            }
        self.init(reason, path: path, cause: cause)
    }

    /// Whether it may go away by itself or when somebody makes room: worth another try.
    package var isPassing: Bool {
        switch reason {
        case .diskFull, .reserveReached, .readOnly, .failed, .unreadable: true
        case .noPermission, .locked, .notAFolder, .newerFormat: false
        }
    }
}

extension StoreError: CustomStringConvertible {
    package var description: String {
        let because = cause.map { " (\($0))" } ?? ""
        return "\(what)\(because): \(remedy)"
    }

    private var what: String {
        switch reason {
        case .diskFull: "the disk of \(path) is full"
        case .reserveReached(let free, let reserve):
            "the disk of \(path) has \(free / 1_000_000) MB free, and \(reserve / 1_000_000) MB are to stay free"
        case .readOnly: "the disk of \(path) can only be read"
        case .noPermission: "Martlet may not write to \(path)"
        case .locked(let process?): "process \(process) keeps its data in \(path)"
        case .locked(nil): "another process keeps its data in \(path)"
        case .notAFolder: "\(path) is not a folder"
        case .newerFormat(let version): "\(path) was written by a newer Martlet, in format \(version)"
        case .unreadable: "\(path) does not read back as it was written"
        case .failed: "\(path) could not be written"
        }
    }

    private var remedy: String {
        switch reason {
        case .diskFull: "make room there; it goes on by itself then"
        case .reserveReached: "make room there, or lower 'store.reserve'; it goes on by itself then"
        case .readOnly: "mount it writable; a card that fails often turns read-only: copy it while it still reads"
        case .noPermission: "give the folder to the user that Martlet runs as, or set 'gateway.state_dir' to one it has"
        case .locked: "stop the other one, or give this one a 'gateway.state_dir' of its own"
        case .notAFolder: "take it away, or set 'gateway.state_dir' to another place"
        case .newerFormat: "start the newer Martlet, or move the folder away to begin with nothing"
        case .unreadable: "the disk or the memory of this machine fails; the older files were kept"
        case .failed: "it is tried again; if it stays so, look at the disk with 'dmesg'"
        }
    }
}
