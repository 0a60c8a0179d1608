import LinuxIO
import Serial

/// Which program listens on a TCP port of this machine, as far as /proc tells; other users' are seen by root only.
enum PortOwner {
    /// "mosquitto (process 812)"; nil where it can't be known.
    static func find(_ port: UInt16) -> String? {
        let sockets = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { listening(on: port, in: $0) }
        guard !sockets.isEmpty else { return nil }
        return PortHolder.find(anyOf: Set(sockets.map { "socket:[\($0)]" }))?.description
    }

    /// The inodes of listening sockets: state 0A in the fourth column, the address as hex in the second.
    private static func listening(on port: UInt16, in table: String) -> [Substring] {
        let hex = String(port, radix: 16, uppercase: true)
        let suffix = ":" + String(repeating: "0", count: 4 - hex.count) + hex
        let text = String(decoding: (try? File.read(table)) ?? [], as: UTF8.self)
        return text.split(separator: "\n").dropFirst().compactMap { line in
            let columns = line.split(separator: " ")
            guard columns.count > 9, columns[1].hasSuffix(suffix), columns[3] == "0A" else { return nil }
            return columns[9]
        }
    }
}
