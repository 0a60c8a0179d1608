import Glibc

/// A file descriptor with one owner.
package struct OwnedDescriptor: ~Copyable, Sendable {
    package let rawValue: CInt

    /// Takes over an open descriptor.
    package init(taking rawValue: CInt) {
        self.rawValue = rawValue
    }

    /// Opens a path.
    package init(opening path: String, _ flags: CInt) throws(SystemError) {
        let descriptor = open(path, flags | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last("open", path) }
        rawValue = descriptor
    }

    /// Opens a path, making the file with these permissions if the flags say so.
    init(opening path: String, _ flags: CInt, mode: mode_t) throws(SystemError) {
        let descriptor = open(path, flags | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw .last("open", path) }
        rawValue = descriptor
    }

    /// Closes now and reports what `deinit` would have to swallow.
    package consuming func close() throws(SystemError) {
        let descriptor = rawValue
        discard self
        // On Linux the descriptor is gone even after EINTR; closing again could hit someone else's.
        if Glibc.close(descriptor) != 0, errno != EINTR { throw .last("close") }
    }

    /// Another descriptor for the same.
    package func duplicate() throws(SystemError) -> OwnedDescriptor {
        let copy = fcntl(rawValue, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw .last("fcntl") }
        return OwnedDescriptor(taking: copy)
    }

    /// Gives the descriptor up to a new owner.
    package consuming func release() -> CInt {
        let descriptor = rawValue
        discard self
        return descriptor
    }

    deinit {
        _ = Glibc.close(rawValue)
    }
}
