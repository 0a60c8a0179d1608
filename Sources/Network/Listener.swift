import LinuxIO

/// An open listening socket.
final class Listener: Sendable {
    let settings: ListenerSettings
    let descriptor: OwnedDescriptor
    let tls: ServerTLS?
    /// The settings' address, as logs and rules name it.
    let name: String

    /// Opens what the settings say: one socket, or those that systemd passed under a name.
    ///
    /// The error says which address and why.
    static func open(
        _ settings: ListenerSettings, inherited: InheritedSockets = InheritedSockets()
    ) throws(ListenError) -> [Listener] {
        let tls = try tls(settings)
        do throws(SystemError) {
            switch settings.address {
            case .tcp(let address, let port):
                return [Listener(settings, try Socket.listen(address: address, port: port), tls)]
            case .unix(let path, let mode):
                return [Listener(settings, try Socket.listen(path: path, mode: mode), tls)]
            case .systemd(let name):
                var listeners: [Listener] = []
                for position in 0..<max(1, inherited.count(named: name)) {
                    listeners.append(Listener(settings, try inherited.socket(named: name, position), tls))
                }
                return listeners
            }
        } catch {
            throw ListenError(address: settings.address, cause: .system(error))
        }
    }

    private init(_ settings: ListenerSettings, _ descriptor: consuming OwnedDescriptor, _ tls: ServerTLS?) {
        self.settings = settings
        self.descriptor = descriptor
        self.tls = tls
        name = settings.address.description
    }

    /// The same socket with other settings, of which the address is the same.
    func reopened(_ settings: ListenerSettings) throws(ListenError) -> Listener {
        let tls = try Self.tls(settings)
        do throws(SystemError) {
            return Listener(settings, try descriptor.duplicate(), tls)
        } catch {
            throw ListenError(address: settings.address, cause: .system(error))
        }
    }

    private static func tls(_ settings: ListenerSettings) throws(ListenError) -> ServerTLS? {
        guard let wanted = settings.tls else { return nil }
        do throws(TLSProblem) {
            return try ServerTLS(wanted)
        } catch {
            throw ListenError(address: settings.address, cause: .tls(error))
        }
    }

    /// The address with the port that was really taken.
    var boundAddress: ListenAddress {
        guard case .tcp(let address, _) = settings.address else { return settings.address }
        return .tcp(address: address, port: Socket.localPort(descriptor.rawValue) ?? 0)
    }

    /// Whether a connection is MQTT from its first byte on.
    var isPlain: Bool { tls == nil && settings.webSocket == nil && !settings.proxyProtocol }

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
