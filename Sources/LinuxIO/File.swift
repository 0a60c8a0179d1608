import CLinux
import Glibc

/// Whole files and folders, for what is read at start: configuration, profiles, captures.
package enum File {
    /// Reads a whole file; one larger than `limit` is refused with EFBIG, since nothing that large is a text of ours.
    package static func read(_ path: String, limit: Int = 64 << 20) throws(SystemError) -> [UInt8] {
        let file = try OwnedDescriptor(opening: path, O_RDONLY | O_NOCTTY)
        var contents: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(file.rawValue, $0.baseAddress, $0.count) }
            if count == 0 { return contents }
            if count < 0 {
                if errno == EINTR { continue }
                throw .last("read", path)
            }
            guard contents.count + count <= limit else {
                throw SystemError(code: EFBIG, call: "read", subject: path)
            }
            contents.append(contentsOf: buffer[..<count])
        }
    }

    /// Puts a file with these contents in the place of the one at the path, all at once or not at all.
    ///
    /// A file that was there passes on its owner and permissions; a new one gets `mode`.
    package static func replace(_ path: String, with contents: [UInt8], mode: UInt32) throws(SystemError) {
        var old = stat()
        let existed = stat(path, &old) == 0
        let temporary = "\(path).\(getpid()).new"
        do throws(SystemError) {
            try write(contents, to: temporary, mode: existed ? old.st_mode & 0o7777 : mode, owner: existed ? old : nil)
            guard rename(temporary, path) == 0 else { throw .last("rename", path) }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    private static func write(
        _ contents: [UInt8], to path: String, mode: UInt32, owner: stat?
    ) throws(SystemError) {
        let file = try OwnedDescriptor(opening: path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        if let owner, fchown(file.rawValue, owner.st_uid, owner.st_gid) != 0, geteuid() == 0 {
            throw .last("fchown", path)
        }
        guard fchmod(file.rawValue, mode) == 0 else { throw .last("fchmod", path) }
        var start = 0
        while start < contents.count {
            let count = contents.withUnsafeBytes {
                Glibc.write(file.rawValue, $0.baseAddress?.advanced(by: start), $0.count - start)
            }
            if count < 0, errno != EINTR { throw .last("write", path) }
            start += max(0, count)
        }
        guard fsync(file.rawValue) == 0 else { throw .last("fsync", path) }
    }

    /// Writes into a file that is there, as those of /sys want it: in one go, and nothing is made or moved.
    package static func overwrite(_ path: String, _ contents: [UInt8]) throws(SystemError) {
        let owned = try OwnedDescriptor(opening: path, O_WRONLY | O_CLOEXEC, mode: 0)
        guard Glibc.write(owned.rawValue, contents, contents.count) == contents.count else {
            throw .last("write", path)
        }
    }

    /// Whether others than the owner and the group may read the file.
    package static func isReadableByOthers(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IROTH != 0
    }

    /// Whether new files in the folder get its group, instead of that of who makes them.
    package static func passesOnItsGroup(_ folder: String) -> Bool {
        var status = stat()
        return stat(folder, &status) == 0 && status.st_mode & S_ISGID != 0
    }

    /// Whether something is at the path.
    package static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    package static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The names in a folder, sorted, without those that begin with a dot.
    package static func names(in path: String) throws(SystemError) -> [String] {
        guard let folder = opendir(path) else { throw .last("opendir", path) }
        defer { closedir(folder) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
                field.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw .last("readdir", path) }
        return names.sorted()
    }

    /// The path with every link in it followed; nil if there is nothing.
    ///
    /// The kernel follows them, as it does for an `open`; nothing is done to what they lead to.
    package static func resolved(_ path: String) -> String? {
        let raw = clinux_open_path(path)
        guard raw >= 0 else { return nil }
        let place = OwnedDescriptor(taking: raw)
        if let target = linkTarget("/proc/self/fd/\(place.rawValue)") { return target }
        guard let text = realpath(path, nil) else { return nil }
        defer { free(text) }
        return String(cString: text)
    }

    /// The group that a file belongs to.
    package static func group(of path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        var entry = Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        var text = [CChar](repeating: 0, count: 4096)
        guard getgrgid_r(status.st_gid, &entry, &text, text.count, &found) == 0, found != nil else { return nil }
        return entry.gr_name.map { String(cString: $0) }
    }

    /// What a link says; nil if it is none.
    package static func linkTarget(_ path: String) -> String? {
        var text = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = readlink(path, &text, Int(PATH_MAX))
        guard count >= 0 else { return nil }
        return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
