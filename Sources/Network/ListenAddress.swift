package import LinuxIO

/// Where the broker listens.
package enum ListenAddress: Equatable, Sendable {
    /// A numeric address (`127.0.0.1`, `::1`, `0.0.0.0`); port 0 takes a free one.
    case tcp(address: String, port: UInt16)
    /// A path, and who may connect as file permissions.
    case unix(path: String, mode: UInt32)
    /// Sockets that systemd opened and passed, by their `FileDescriptorName=`.
    case systemd(name: String)
}

extension ListenAddress: CustomStringConvertible {
    package var description: String {
        switch self {
        case .tcp(let address, let port): address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
        case .unix(let path, _): path
        case .systemd(let name): "systemd:\(name)"
        }
    }
}

/// One listener of the broker, with whom it lets in.
package struct ListenerSettings: Equatable, Sendable {
    package var address: ListenAddress
    package var anonymous: Anonymous
    /// Nil is without TLS.
    package var tls: TLSListenerSettings?
    /// Nil is MQTT without WebSocket around it.
    package var webSocket: WebSocketListenerSettings?
    /// Whether each connection begins with a PROXY protocol v2 header that says who the client is; a connection
    /// without one is refused.
    package var proxyProtocol = false

    /// Who may connect without a user name.
    package enum Anonymous: Equatable, Sendable {
        /// Only clients on this machine.
        case loopback
        case everybody
        case nobody
    }

    package init(address: ListenAddress, anonymous: Anonymous = .loopback) {
        self.address = address
        self.anonymous = anonymous
    }
}

/// TLS of one listener: our certificate, and what is asked of the client's.
package struct TLSListenerSettings: Equatable, Sendable {
    /// What is asked of clients.
    package enum ClientCertificate: Equatable, Sendable {
        /// Clients are not asked for one.
        case off
        /// A client may show one; a wrong one is refused.
        case optional
        case require
    }

    /// Where in the client's certificate its user name is.
    package enum UserSource: Equatable, Sendable {
        /// The common name of the subject.
        case commonName
        /// The first subject alternative name: e-mail, DNS name or URI.
        case subjectAlternativeName
    }

    package enum Version: Equatable, Sendable {
        case tls12
        case tls13
    }

    /// The path of our certificate in PEM form, with those between it and the CA behind it.
    package var certificate: String
    /// The path of its key in PEM form, without a passphrase.
    package var key: String
    /// The path of the CA certificates that clients' certificates must come from.
    package var clientCA: String?
    package var clientCertificate = ClientCertificate.off
    /// Nil takes no user name from the certificate: the client still gives one itself.
    package var userFrom: UserSource?
    package var minimumVersion = Version.tls12

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

/// WebSocket of one listener.
package struct WebSocketListenerSettings: Equatable, Sendable {
    /// The path that clients ask for; every other one is answered with 404.
    package var path = "/mqtt"
    /// Web pages that may connect, as browsers name them (`https://panel.example.org`); nil lets all.
    package var origins: [String]?

    package init() {}
}

/// Why a listener could not be opened, with what to do.
package struct ListenError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Cause: Equatable, Sendable {
        case system(SystemError)
        /// One of its files is not as it should be.
        case tls(TLSProblem)
        /// What the broker keeps can't be read; a sentence.
        case journal(String)
    }

    package var address: ListenAddress
    package var cause: Cause

    package var description: String {
        switch cause {
        case .system(let error): "can't listen on \(address): \(error)"
        case .tls(let problem): "can't listen on \(address): \(problem)"
        case .journal(let why): why
        }
    }
}
