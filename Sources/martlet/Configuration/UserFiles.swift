import Access
import LinuxIO

/// The files with users and passwords that a configuration names.
///
/// A file that can't be read stops the gateway: nobody could log in. A line that can't be read costs its user alone.
struct UserFiles {
    /// By path, as the configuration has it.
    private(set) var users: [String: [[UInt8]: PasswordRecord]] = [:]
    /// Files that can't be read.
    private(set) var failures: [String] = []
    /// Lines that can't be read, and files that too many can read.
    private(set) var complaints: [String] = []

    /// Reads them; a path without a `/` in front begins at the folder of the configuration.
    init(_ paths: [String], beside configuration: String) {
        for path in paths {
            let place = path.hasPrefix("/") ? path : "\(ProfileFolders.folder(of: configuration))/\(path)"
            do throws(SystemError) {
                read(String(decoding: try File.read(place, limit: TextFile.limit), as: UTF8.self), path, at: place)
            } catch {
                failures.append(
                    "\(place): error: the users can't be read: \(SystemError.text(of: error.code))\n"
                        + "  make the file with 'martlet passwd \(place) USER', and let who runs Martlet read it")
            }
        }
    }

    private mutating func read(_ text: String, _ path: String, at place: String) {
        let file = PasswordFile(text)
        users[path] = file.users
        complaints += file.problems.map { "\(place):\($0.line): error: \($0.message)\n  \($0.hint)" }
        guard File.isReadableByOthers(place) else { return }
        complaints.append(
            "\(place): warning: everybody on this machine can read the passwords' hashes, and try passwords on them\n"
                + "  chmod o= \(place)")
    }
}
