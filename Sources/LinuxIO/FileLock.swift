import Glibc

/// A lock on a file, held by one process at a time and let go of by the kernel however that process ends.
///
/// The file holds the process id of who has it, for people and messages.
package final class FileLock: Sendable {
    private let descriptor: OwnedDescriptor

    /// Takes the lock or throws EWOULDBLOCK at once; makes the file if need be.
    package init(_ path: String) throws(SystemError) {
        descriptor = try Self.open(path)
        guard flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 else { throw .last("flock", path) }
        let text = Array("\(getpid())\n".utf8)
        // A full disk can't take the number; the lock holds without it.
        guard ftruncate(descriptor.rawValue, 0) == 0 else { return }
        _ = text.withUnsafeBytes { pwrite(descriptor.rawValue, $0.baseAddress, $0.count, 0) }
    }

    /// Let go of by name: a child process that was just being started may still have the descriptor, and with it the lock.
    deinit {
        _ = flock(descriptor.rawValue, LOCK_UN)
    }

    /// A file system that can only be read has locks too.
    private static func open(_ path: String) throws(SystemError) -> OwnedDescriptor {
        do throws(SystemError) {
            return try OwnedDescriptor(opening: path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, mode: 0o600)
        } catch {
            guard error.kind == .readOnly, let file = try? OwnedDescriptor(opening: path, O_RDONLY | O_NOFOLLOW) else {
                throw error
            }
            return file
        }
    }

    /// The process that has the lock, as it wrote itself; nil if it did not.
    package static func owner(_ path: String) -> Int? {
        guard let text = try? File.read(path, limit: 64) else { return nil }
        return Int(String(decoding: text.prefix { (0x30...0x39).contains($0) }, as: UTF8.self))
    }
}
