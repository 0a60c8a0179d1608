import Client
import LinuxIO
import NIOCore
import NIOPosix
import NIOSSL

/// What can be wrong on this side before the network is asked.
enum UpstreamFailure: Error {
    case file(String, String, String)
    case tls(String)
    case webSocket(String)
    case nameNotAnswered

    /// What went wrong, for somebody who can do something about it.
    static func sentence(_ error: any Error, _ settings: UpstreamLink.Settings) -> String {
        let place = settings.address
        switch error {
        case UpstreamFailure.file(let key, let path, let what): return "\(key): \(path): \(what)"
        case UpstreamFailure.tls(let what): return what
        case UpstreamFailure.webSocket(let what): return "\(place): \(what)"
        case UpstreamFailure.nameNotAnswered:
            return "\(place): looking up the name takes too long; does the name server in /etc/resolv.conf answer?"
        case let error as NIOConnectionError: return "\(place): \(connection(error))"
        case let error as IOError: return "\(place): \(SystemError.text(of: error.errnoCode))"
        case is NIOSSLError, is BoringSSLError: return "\(place): \(handshake(error))"
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            return "\(place): the server's certificate is for another name; check the host, or its certificate"
        case ChannelError.connectTimeout: return "\(place): no answer; is it reachable, and not behind a firewall?"
        default: return "\(place): \(error)"
        }
    }

    /// A connection that the server, or the network, ended.
    static func closed(_ error: (any Error)?, wasAccepted: Bool, _ settings: UpstreamLink.Settings) -> String {
        let place = settings.address
        let cause = error.map { sentence($0, settings) } ?? "\(place): the server closed the connection"
        guard !wasAccepted, error == nil || error is IOError else { return cause }
        // A server that meets the wrong protocol closes without a word.
        return cause + (settings.tls == nil ? "; does it want TLS (mqtts://)?" : "; does it speak TLS on this port?")
    }

    /// A connection that ended, with advice where there is one.
    static func sentence(_ reason: CloseReason, _ settings: UpstreamLink.Settings) -> String {
        switch reason {
        case .transport(let cause): cause
        case .noConnack where settings.tls == nil:
            "\(settings.address): \(reason); does it want TLS (mqtts://)?"
        default: "\(settings.address): \(reason)"
        }
    }

    private static func connection(_ error: NIOConnectionError) -> String {
        guard let first = error.connectionErrors.first else {
            return "no address was found for this name; check its spelling and the name server"
        }
        switch first.error {
        case let cause as IOError: return SystemError.text(of: cause.errnoCode)
        case ChannelError.connectTimeout: return "no answer; is it reachable, and not behind a firewall?"
        default: return "\(first.error)"
        }
    }

    private static func handshake(_ error: any Error) -> String {
        let text = "\(error)"
        let known = [
            (
                "CERTIFICATE_VERIFY_FAILED",
                "the server's certificate is not signed by an authority that is trusted here; set tls.ca"
            ),
            ("WRONG_VERSION_NUMBER", "the server does not speak TLS on this port; use mqtt:// or another port"),
            ("CERTIFICATE_REQUIRED", "the server wants a client certificate; set tls.cert and tls.key"),
            ("HANDSHAKE_FAILURE", "the server wants a client certificate, or other ciphers"),
            ("UNKNOWN_CA", "the server does not trust the client certificate's authority"),
            ("uncleanShutdown", "the connection was cut"),
        ]
        return known.first { text.contains($0.0) }?.1 ?? "TLS: \(text)"
    }
}
