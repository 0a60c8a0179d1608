import LinuxIO

/// The time for which an FTDI adapter collects bytes before it hands them over: 16 ms at first, which is longer than most
/// answers on a bus take. [FTDI AN232B-04, section 2]
enum LatencyTimer {
    /// Sets it to a millisecond where the port is such an adapter and the file may be written; it does without otherwise.
    static func lower(_ node: String) {
        let name = node.split(separator: "/").last.map(String.init) ?? ""
        let path = "/sys/class/tty/\(name)/device/latency_timer"
        guard File.exists(path) else { return }
        // Root may, and a user whom a udev rule allows it.
        try? File.overwrite(path, Array("1\n".utf8))
    }
}
