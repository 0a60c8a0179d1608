import LinuxIO

/// An open listening socket.
final class Listener: Sendable {
    let settings: ListenerSettings
    let descriptor: OwnedDescriptor

    /// Opens it; the error says which address and why.
    init(_ settings: ListenerSettings) throws(ListenError) {
        self.settings = settings
        do throws(SystemError) {
            switch settings.address {
            case .tcp(let address, let port): descriptor = try Socket.listen(address: address, port: port)
            case .unix(let path, let mode): descriptor = try Socket.listen(path: path, mode: mode)
            case .systemd(let name): throw SystemError(code: 2, call: "LISTEN_FDS", subject: name)
            }
        } catch {
            throw ListenError(address: settings.address, cause: error)
        }
    }

    /// The address with the port that was really taken.
    var boundAddress: ListenAddress {
        guard case .tcp(let address, _) = settings.address else { return settings.address }
        return .tcp(address: address, port: Socket.localPort(descriptor.rawValue) ?? 0)
    }

    func letsInAnonymous(_ peer: PeerAddress) -> Bool {
        switch settings.anonymous {
        case .everybody: true
        case .nobody: false
        case .loopback: peer.isLoopback
        }
    }

    /// A Unix socket's file goes with its listener.
    func removePath() {
        if case .unix(let path, _) = settings.address { Socket.removePath(path) }
    }
}
