import Glibc
package import Readings

extension File {
    /// When the file at the path was changed; nil where there is none.
    package static func modifiedAt(_ path: String) -> Timestamp? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Timestamp(
            milliseconds: Int64(status.st_mtim.tv_sec) * 1_000 + Int64(status.st_mtim.tv_nsec) / 1_000_000)
    }

    /// Says that the file was changed at this time, and makes it where it is missing; waits for no disk.
    ///
    /// Returns whether that went well.
    @discardableResult package static func mark(_ path: String, modifiedAt time: Timestamp) -> Bool {
        let flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK
        guard let file = try? OwnedDescriptor(opening: path, flags, mode: 0o644) else { return false }
        let seconds = time.milliseconds / 1_000
        let moment = timespec(
            tv_sec: time_t(seconds), tv_nsec: Int((time.milliseconds - seconds * 1_000) * 1_000_000))
        return futimens(file.rawValue, [moment, moment]) == 0
    }
}
