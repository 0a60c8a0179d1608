import Glibc

/// A file of the kernel's that has one value: an attribute under /sys.
package enum SensorFile {
    /// Why there is no value.
    package enum Fault: Error, Equatable, Sendable {
        case missing(String)
        /// A pattern with a `*` that several files match.
        case ambiguous([String])
        /// A folder, a device, a pipe: reading it may never end.
        case notAFile(String)
        case failed(SystemError)
    }

    /// More than an attribute can have: one page.
    private static let limit = 4096

    /// Reads the one file that a path names; a `*` in it stands for what the kernel numbers anew at each start.
    ///
    /// May take as long as the sensor does: a one-wire thermometer measures while it is read, for most of a second.
    package static func read(_ pattern: String) throws(Fault) -> [UInt8] {
        let path = try resolved(pattern)
        let bytes: [UInt8]?
        do throws(SystemError) {
            bytes = try contents(path)
        } catch {
            if error.code == ENOENT || error.code == ENOTDIR { throw .missing(pattern) }
            throw .failed(error)
        }
        guard let bytes else { throw .notAFile(path) }
        return bytes
    }

    /// Nil for what is no regular file.
    private static func contents(_ path: String) throws(SystemError) -> [UInt8]? {
        // A pipe that nobody writes to would hold an open without O_NONBLOCK; attributes don't care.
        let file = try OwnedDescriptor(opening: path, O_RDONLY | O_NOCTTY | O_NONBLOCK)
        var kind = stat()
        guard fstat(file.rawValue, &kind) == 0 else { throw .last("fstat", path) }
        guard kind.st_mode & S_IFMT == S_IFREG else { return nil }
        var buffer = [UInt8](repeating: 0, count: limit)
        while true {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(file.rawValue, $0.baseAddress, $0.count) }
            if count >= 0 { return Array(buffer[..<count]) }
            if errno != EINTR { throw .last("read", path) }
        }
    }

    private static func resolved(_ pattern: String) throws(Fault) -> String {
        guard pattern.contains("*") else { return pattern }
        let paths = matches(pattern)
        guard let first = paths.first else { throw .missing(pattern) }
        guard paths.count == 1 else { throw .ambiguous(paths) }
        return first
    }

    /// What is there and matches, sorted.
    static func matches(_ pattern: String) -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(pattern, 0, nil, &found) == 0 else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0].map { String(cString: $0) } }
    }
}
