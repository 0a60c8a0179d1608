import CLinux
import Glibc

/// The listening sockets that systemd opened for this process: sd_listen_fds(3), without its library.
///
/// They stay open in the process, so that a listener can be closed and opened again; what is handed out are copies.
package struct InheritedSockets: Sendable {
    /// The first descriptor that is passed, SD_LISTEN_FDS_START.
    private static let first: CInt = 3

    /// The name of each descriptor, in their order; `FileDescriptorName=` in the socket unit, or the unit's name.
    let names: [String]

    /// From the environment of this process.
    package init() {
        self.init(processID: getpid()) { name in getenv(name).map { String(cString: $0) } }
    }

    /// From an environment that a test makes.
    init(processID: CInt, _ environment: (String) -> String?) {
        // Another process's, where the variables were inherited.
        guard environment("LISTEN_PID") == String(processID), let text = environment("LISTEN_FDS"),
            let count = Int(text), (1...1_024).contains(count)
        else {
            names = []
            return
        }
        let given = environment("LISTEN_FDNAMES")?.split(separator: ":", omittingEmptySubsequences: false) ?? []
        names = (0..<count).map { $0 < given.count ? String(given[$0]) : "unknown" }
    }

    /// How many there are under this name: a socket unit may listen on several addresses.
    package func count(named name: String) -> Int {
        names.count { $0 == name }
    }

    /// One of those with this name.
    package func socket(named name: String, _ position: Int) throws(SystemError) -> OwnedDescriptor {
        let places = names.indices.filter { names[$0] == name }
        guard position < places.count else {
            throw SystemError(code: ENOENT, call: "LISTEN_FDNAMES", subject: name)
        }
        return try Self.copy(Self.first + CInt(places[position]), name)
    }

    static func copy(_ passed: CInt, _ name: String) throws(SystemError) -> OwnedDescriptor {
        // Not for the programs that this process starts.
        _ = fcntl(passed, F_SETFD, FD_CLOEXEC)
        let raw = fcntl(passed, F_DUPFD_CLOEXEC, 3)
        guard raw >= 0 else { throw .last("fcntl", name) }
        let copy = OwnedDescriptor(taking: raw)
        guard clinux_is_listening(raw) != 0 else {
            throw SystemError(code: ENOTSOCK, call: "LISTEN_FDS", subject: name)
        }
        _ = fcntl(raw, F_SETFL, fcntl(raw, F_GETFL) | O_NONBLOCK)
        clinux_prepare_listener(raw)
        return copy
    }
}
