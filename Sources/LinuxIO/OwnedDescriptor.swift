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

    /// Closes now and reports what `deinit` would have to swallow.
    package consuming func close() throws(SystemError) {
        let descriptor = rawValue
        discard self
        // On Linux the descriptor is gone even after EINTR; closing again could hit someone else's.
        if Glibc.close(descriptor) != 0, errno != EINTR { throw .last("close") }
    }

    deinit {
        _ = Glibc.close(rawValue)
    }
}
