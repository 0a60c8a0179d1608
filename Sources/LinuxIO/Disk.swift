import Glibc

/// What something that keeps data asks of a disk.
///
/// A seam for tests: they put disks in its place that are full, fail, forget what was not synchronised, or lose power.
package protocol Disk: Sendable {
    /// Makes a folder, and those it is in; nothing if it is there.
    func makeFolder(_ path: String) throws(SystemError)
    /// What is in a folder, sorted.
    func names(in folder: String) throws(SystemError) -> [String]
    func open(_ path: String, for purpose: DiskPurpose) throws(SystemError) -> any DiskFile
    /// Gives a file another name; one that had it is gone.
    func rename(_ path: String, to newPath: String) throws(SystemError)
    func remove(_ path: String) throws(SystemError)
    /// Waits until the names in a folder are as durable as what is in the files.
    func synchronize(folder: String) throws(SystemError)
    /// How many bytes may still be written where the folder is.
    func freeBytes(at folder: String) throws(SystemError) -> Int
    /// Holds a lock until it is let go of; EWOULDBLOCK when another has it.
    func lock(_ path: String) throws(SystemError) -> FileLock?
}

/// What a file is opened for.
package enum DiskPurpose: Sendable {
    case reading
    /// A file that is there, to be read, written and cut.
    case changing
    /// A file that must not be there yet.
    case creating
}

/// An open file; closed with its last reference.
package protocol DiskFile: AnyObject, Sendable {
    func length() throws(SystemError) -> Int
    /// Appends up to `count` bytes from `offset` on to `buffer`; fewer only where the file ends, none when it fails.
    func read(_ count: Int, at offset: Int, into buffer: inout [UInt8]) throws(SystemError)
    /// Writes all bytes or throws; then some of them may be written.
    func write(_ bytes: Span<UInt8>, at offset: Int) throws(SystemError)
    func setLength(_ length: Int) throws(SystemError)
    /// Waits until what was written survives a power cut.
    func synchronize() throws(SystemError)
}

/// The disks of this machine.
package struct LinuxDisk: Disk {
    package init() {}

    package func makeFolder(_ path: String) throws(SystemError) {
        guard mkdir(path, 0o700) != 0 else { return try synchronizeParent(of: path) }
        let code = errno
        if File.isDirectory(path) { return }
        if code == EEXIST { throw SystemError(code: ENOTDIR, call: "mkdir", subject: path) }
        guard code == ENOENT, let parent = Self.parent(of: path) else {
            throw SystemError(code: code, call: "mkdir", subject: path)
        }
        try makeFolder(parent)
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .last("mkdir", path) }
        try synchronizeParent(of: path)
    }

    /// Removes an empty folder.
    package func removeFolder(_ path: String) throws(SystemError) {
        guard rmdir(path) == 0 else { throw .last("rmdir", path) }
    }

    /// A folder is no more durable than its name in the one above it.
    private func synchronizeParent(of path: String) throws(SystemError) {
        if let parent = Self.parent(of: path) { try synchronize(folder: parent) }
    }

    private static func parent(of path: String) -> String? {
        var parts = path.split(separator: "/", omittingEmptySubsequences: true)
        guard parts.popLast() != nil else { return nil }
        let start = path.hasPrefix("/") ? "/" : ""
        return parts.isEmpty ? (start.isEmpty ? "." : "/") : start + parts.joined(separator: "/")
    }

    package func names(in folder: String) throws(SystemError) -> [String] {
        try File.names(in: folder)
    }

    package func open(_ path: String, for purpose: DiskPurpose) throws(SystemError) -> any DiskFile {
        try LinuxFile(path, purpose)
    }

    package func rename(_ path: String, to newPath: String) throws(SystemError) {
        guard Glibc.rename(path, newPath) == 0 else { throw .last("rename", path) }
    }

    package func remove(_ path: String) throws(SystemError) {
        guard unlink(path) == 0 else { throw .last("unlink", path) }
    }

    package func synchronize(folder: String) throws(SystemError) {
        let descriptor = try OwnedDescriptor(opening: folder, O_RDONLY | O_DIRECTORY)
        guard fsync(descriptor.rawValue) == 0 else { throw .last("fsync", folder) }
    }

    package func freeBytes(at folder: String) throws(SystemError) -> Int {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { throw .last("statvfs", folder) }
        return Int(
            clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue)
    }

    /// How many bytes the disk has that a folder is on, used and free.
    package func size(at folder: String) throws(SystemError) -> Int {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { throw .last("statvfs", folder) }
        return Int(
            clamping: UInt64(status.f_blocks).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue)
    }

    package func lock(_ path: String) throws(SystemError) -> FileLock? {
        try FileLock(path)
    }
}

/// A file of this machine.
private final class LinuxFile: DiskFile {
    private let descriptor: OwnedDescriptor
    private let path: String

    init(_ path: String, _ purpose: DiskPurpose) throws(SystemError) {
        let flags =
            switch purpose {
            case .reading: O_RDONLY
            case .changing: O_RDWR
            case .creating: O_RDWR | O_CREAT | O_EXCL
            }
        // A pipe in the place of a file must not make the caller wait.
        descriptor = try OwnedDescriptor(opening: path, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, mode: 0o600)
        self.path = path
        let kind = try status().st_mode & S_IFMT
        guard kind == S_IFREG else {
            throw SystemError(code: kind == S_IFDIR ? EISDIR : EINVAL, call: "open", subject: path)
        }
    }

    private func status() throws(SystemError) -> stat {
        var status = stat()
        guard fstat(descriptor.rawValue, &status) == 0 else { throw .last("fstat", path) }
        return status
    }

    func length() throws(SystemError) -> Int {
        Int(try status().st_size)
    }

    func read(_ count: Int, at offset: Int, into buffer: inout [UInt8]) throws(SystemError) {
        let start = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: count))
        var filled = 0
        defer { buffer.removeLast(count - filled) }
        while filled < count {
            let result = buffer.withUnsafeMutableBytes {
                pread(
                    descriptor.rawValue, $0.baseAddress?.advanced(by: start + filled), count - filled, offset + filled)
            }
            if result < 0, errno == EINTR { continue }
            if result < 0 {
                filled = 0
                throw .last("read", path)
            }
            if result == 0 { return }
            filled += result
        }
    }

    func write(_ bytes: Span<UInt8>, at offset: Int) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            let result = bytes.withUnsafeBytes {
                pwrite(descriptor.rawValue, $0.baseAddress?.advanced(by: written), $0.count - written, offset + written)
            }
            if result < 0, errno == EINTR { continue }
            if result < 0 { throw .last("write", path) }
            // A regular file takes at least a byte, or says why not; this would be a kernel that does neither.
            guard result > 0 else { throw SystemError(code: EIO, call: "write", subject: path) }
            written += result
        }
    }

    func setLength(_ length: Int) throws(SystemError) {
        guard ftruncate(descriptor.rawValue, length) == 0 else { throw .last("ftruncate", path) }
    }

    func synchronize() throws(SystemError) {
        guard fdatasync(descriptor.rawValue) == 0 else { throw .last("fdatasync", path) }
    }
}
