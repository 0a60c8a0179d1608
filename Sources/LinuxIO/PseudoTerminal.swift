import CLinux
import Glibc

/// A pair of connected terminals: a program opens `path` as if it were a serial port, and this side is its device.
///
/// Closing it is what pulling a USB adapter is to the program: its reads end.
package struct PseudoTerminal: ~Copyable, Sendable {
    private let mainSide: OwnedDescriptor
    /// Held open so that this side never sees a hang-up between two programs, and keeps what it writes before the
    /// first.
    private let otherSide: OwnedDescriptor
    private let link: String?
    /// The other side's path: the link where one was wished for.
    package let path: String

    /// Opens a pair; with `link`, makes a symbolic link there that leads to the other side.
    ///
    /// A link that is there already is replaced; anything else in its place is an error.
    package init(link: String? = nil) throws(SystemError) {
        var other: CInt = -1
        var name = [CChar](repeating: 0, count: 64)
        let main = clinux_pty_open(&other, &name, CInt(name.count))
        guard main >= 0 else { throw .last("posix_openpt") }
        let openedMain = OwnedDescriptor(taking: main)
        let openedOther = OwnedDescriptor(taking: other)
        let device = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if let link { try Self.makeLink(link, to: device) }
        mainSide = openedMain
        otherSide = openedOther
        path = link ?? device
        self.link = link
    }

    /// This side, non-blocking, for a poller or an event loop.
    package var descriptor: CInt { mainSide.rawValue }

    /// The speed that the program has set at its end, which a pty keeps and does nothing about.
    package var baud: Int? {
        (try? TTY.settings(otherSide.rawValue)).map { Int($0.baud) }
    }

    /// Reads what the program wrote into the buffer, whose count is its size.
    package func receive(into buffer: inout [UInt8]) -> Socket.Received {
        let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        guard count < 0 else { return count == 0 ? .closed : .bytes(count) }
        if errno == EAGAIN || errno == EINTR { return .wouldBlock }
        return .failed(.last("read", path))
    }

    /// Writes towards the program; nobody may be there, then the terminal keeps the first 4 KiB.
    package func send(_ bytes: Span<UInt8>) -> Socket.Sent {
        let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        guard count < 0 else { return .sent(count) }
        if errno == EAGAIN || errno == EINTR { return .wouldBlock }
        return .failed(.last("write", path))
    }

    private static func makeLink(_ link: String, to device: String) throws(SystemError) {
        if File.linkTarget(link) != nil { _ = unlink(link) }
        guard symlink(device, link) == 0 else { throw .last("symlink", link) }
    }

    deinit {
        if let link { _ = unlink(link) }
    }
}
