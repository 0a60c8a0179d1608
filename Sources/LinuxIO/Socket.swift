import CLinux
import Glibc

/// The socket calls of the broker's loop; all non-blocking, every result looked at.
package enum Socket {
    package enum Accepted: ~Copyable {
        case connection(OwnedDescriptor, PeerAddress)
        case wouldBlock
        case failed(SystemError)
    }

    package enum Received: Equatable, Sendable {
        case bytes(Int)
        case wouldBlock
        /// The peer will send no more.
        case closed
        case failed(SystemError)
    }

    package enum Sent: Equatable, Sendable {
        case sent(Int)
        case wouldBlock
        case failed(SystemError)
    }

    /// Listens on a numeric IPv4 or IPv6 address.
    package static func listen(address: String, port: UInt16) throws(SystemError) -> OwnedDescriptor {
        let raw = clinux_listen_tcp(address, port)
        guard raw >= 0 else { throw .last("bind", "\(address) port \(port)") }
        return OwnedDescriptor(taking: raw)
    }

    /// Listens on a path, with `mode` as its file permissions.
    package static func listen(path: String, mode: UInt32) throws(SystemError) -> OwnedDescriptor {
        let raw = clinux_listen_unix(path, mode)
        guard raw >= 0 else { throw .last("bind", path) }
        return OwnedDescriptor(taking: raw)
    }

    /// Begins to connect to a numeric address; when the socket is writable, `connectError` tells the outcome.
    package static func connect(address: String, port: UInt16) throws(SystemError) -> OwnedDescriptor {
        let raw = clinux_connect_tcp(address, port)
        guard raw >= 0 else { throw .last("connect", "\(address) port \(port)") }
        return OwnedDescriptor(taking: raw)
    }

    /// The errno that a connection attempt ended with; nil when it is connected.
    package static func connectError(_ descriptor: CInt) -> CInt? {
        let code = clinux_connect_result(descriptor)
        return code == 0 ? nil : code
    }

    /// Connects to a Unix socket; it answers at once, and the socket waits on reads and writes.
    package static func connect(path: String) throws(SystemError) -> OwnedDescriptor {
        let raw = clinux_connect_unix(path)
        guard raw >= 0 else { throw .last("connect", path) }
        return OwnedDescriptor(taking: raw)
    }

    package static func accept(_ listener: CInt) -> Accepted {
        var peer = sockaddr_storage()
        let raw = clinux_accept(listener, &peer)
        guard raw >= 0 else {
            // ECONNABORTED and EINTR: that one is gone, the listener is well.
            if errno == EAGAIN || errno == ECONNABORTED || errno == EINTR { return .wouldBlock }
            return .failed(.last("accept4"))
        }
        return .connection(OwnedDescriptor(taking: raw), PeerAddress(peer))
    }

    /// Reads once into the buffer, whose count is its size.
    package static func receive(_ descriptor: CInt, into buffer: inout [UInt8]) -> Received {
        receive(descriptor, into: &buffer, upTo: buffer.count)
    }

    /// Reads once, not more than `limit` bytes.
    package static func receive(_ descriptor: CInt, into buffer: inout [UInt8], upTo limit: Int) -> Received {
        let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, min(limit, $0.count), 0) }
        guard count < 0 else { return count == 0 ? .closed : .bytes(count) }
        if errno == EAGAIN || errno == EINTR { return .wouldBlock }
        return .failed(.last("recv"))
    }

    /// Writes once; `more` says that further bytes follow at once, so that they may share a segment.
    package static func send(_ descriptor: CInt, _ bytes: Span<UInt8>, more: Bool) -> Sent {
        let flags = CInt(MSG_NOSIGNAL) | (more ? CInt(MSG_MORE) : 0)
        let count = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, flags) }
        guard count < 0 else { return .sent(count) }
        if errno == EAGAIN || errno == EINTR { return .wouldBlock }
        return .failed(.last("send"))
    }

    /// Small packets go at once: the broker batches by itself.
    ///
    /// On a Unix socket it does nothing.
    package static func setNoDelay(_ descriptor: CInt) {
        _ = clinux_set_no_delay(descriptor)
    }

    /// Ends our direction; the peer still reads what was written.
    package static func shutDownWriting(_ descriptor: CInt) {
        _ = shutdown(descriptor, CInt(SHUT_WR))
    }

    package static func localPort(_ descriptor: CInt) -> UInt16? {
        let port = clinux_local_port(descriptor)
        return port == 0 ? nil : port
    }

    package static func removePath(_ path: String) {
        _ = unlink(path)
    }
}
