import LinuxIO

/// The time for which an FTDI adapter collects bytes before it hands them over: 16 ms at first, which is longer than most
/// answers on a bus take. [FTDI AN232B-04, section 2]
enum LatencyTimer {
    /// Sets it to a millisecond where the port is such an adapter.
    ///
    /// Returns the milliseconds that it stays at where the file may not be written: root may, and a user whom a udev rule
    /// allows it. Nil when all is well, and for other adapters.
    static func lower(_ node: String) -> Int? {
        let name = node.split(separator: "/").last.map(String.init) ?? ""
        let path = "/sys/class/tty/\(name)/device/latency_timer"
        guard let current = milliseconds(path), current > 1 else { return nil }
        try? File.overwrite(path, Array("1\n".utf8))
        return milliseconds(path).flatMap { $0 > 1 ? $0 : nil }
    }

    private static func milliseconds(_ path: String) -> Int? {
        let bytes = (try? File.read(path, limit: 16)) ?? []
        return Int(String(decoding: bytes.prefix { (0x30...0x39).contains($0) }, as: UTF8.self))
    }
}
