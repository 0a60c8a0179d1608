import CLinux
import Glibc

/// Tells systemd how the service is: the sd_notify protocol, without its library.
///
/// Absent where nobody listens: `Notify()` is nil unless `NOTIFY_SOCKET` is set.
package struct Notify: Sendable {
    private let socket: String
    /// How long systemd waits for a sign of life before it kills the service; nil where it does not.
    ///
    /// Say `watchdog()` twice in that time.
    package let watchdogTimeout: Duration?

    /// From the environment of this process.
    package init?() {
        self.init { name in getenv(name).map { String(cString: $0) } }
    }

    /// From an environment that a test makes.
    init?(_ environment: (String) -> String?) {
        guard let path = environment("NOTIFY_SOCKET"), let first = path.utf8.first else { return nil }
        // Anything else is an address family that Martlet's unit does not use (vsock).
        guard first == UInt8(ascii: "/") || first == UInt8(ascii: "@") else { return nil }
        socket = path
        watchdogTimeout = Self.timeout(environment)
    }

    private static func timeout(_ environment: (String) -> String?) -> Duration? {
        // WATCHDOG_PID names another process where the variables were inherited, sd_watchdog_enabled(3).
        if let process = environment("WATCHDOG_PID"), process != String(getpid()) { return nil }
        guard let text = environment("WATCHDOG_USEC"), let microseconds = Int64(text), microseconds > 0 else {
            return nil
        }
        return .microseconds(microseconds)
    }

    /// The service does its work now.
    package func ready(status: String) throws(SystemError) {
        try send("READY=1\nSTATUS=\(line(status))\n")
    }

    /// A sign of life.
    package func watchdog() throws(SystemError) {
        try send("WATCHDOG=1\n")
    }

    /// The service ends.
    package func stopping() throws(SystemError) {
        try send("STOPPING=1\n")
    }

    /// The line that `systemctl status` shows.
    package func status(_ text: String) throws(SystemError) {
        try send("STATUS=\(line(text))\n")
    }

    private func line(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }

    private func send(_ message: String) throws(SystemError) {
        guard clinux_send_datagram(socket, message, message.utf8.count) == 0 else { throw .last("sendto", socket) }
    }
}
