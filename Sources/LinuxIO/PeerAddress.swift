import CLinux
import Glibc

/// Who is at the other end of a socket.
package struct PeerAddress: Equatable, Sendable, CustomStringConvertible {
    /// "192.0.2.1:50123", "[::1]:50123"; "local" for a Unix socket.
    package let description: String
    /// Whether it is on this machine.
    package let isLoopback: Bool
    /// The numeric address alone; empty for a Unix socket, and where nobody knows.
    package let host: String

    /// Whether it came over a Unix socket.
    package var isUnixSocket: Bool { description == "local" }

    /// Whoever a proxy stands for and does not name.
    package static let unknown = PeerAddress(description: "unknown", isLoopback: false, host: "")

    private init(description: String, isLoopback: Bool, host: String) {
        self.description = description
        self.isLoopback = isLoopback
        self.host = host
    }

    /// As accept(2) tells it.
    init(_ peer: sockaddr_storage) {
        var peer = peer
        let text = Self.text { clinux_peer_text(&peer, $0, $1) }
        self.init(text, isLoopback: clinux_peer_is_loopback(&peer) != 0)
    }

    /// From an address of four or sixteen bytes.
    package init(address: [UInt8], port: UInt16) {
        let isLoopback =
            address.count == 4 ? address[0] == 127 : address.dropLast().allSatisfy { $0 == 0 } && address.last == 1
        self.init(
            Self.text { clinux_address_text(address, CInt(address.count), port, $0, $1) }, isLoopback: isLoopback)
    }

    private init(_ text: String, isLoopback: Bool) {
        let host =
            if text.first == "[" {
                String(text.dropFirst().prefix { $0 != "]" })
            } else if text.contains(":") {
                String(text.prefix { $0 != ":" })
            } else {
                ""
            }
        self.init(description: text, isLoopback: isLoopback, host: host)
    }

    private static func text(_ write: (UnsafeMutablePointer<CChar>?, CInt) -> CInt) -> String {
        var text = [CChar](repeating: 0, count: 64)
        let length = write(&text, 64)
        let bytes = text.prefix(max(0, min(Int(length), 63))).map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
