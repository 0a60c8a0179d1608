import LinuxIO
import NIOCore
import NIOSSL
import Synchronization

/// A file that TLS needs and that is not as it should be, with its path.
package struct TLSProblem: Error, Equatable, Sendable, CustomStringConvertible {
    package var path: String
    package var reason: String

    package var description: String { "\(path): \(reason)" }
}

/// What a listener shows to TLS clients; read from its files at the start, and again when they have changed.
///
/// Connections keep what they began with.
final class ServerTLS: Sendable {
    /// What the files held when they were read.
    struct Loaded {
        fileprivate let context: NIOSSLContext
        fileprivate let warnings: [String]
    }

    let settings: TLSListenerSettings
    private let loaded: Mutex<Loaded>

    init(_ settings: TLSListenerSettings) throws(TLSProblem) {
        self.settings = settings
        loaded = Mutex(try Self.load(settings))
    }

    /// For the next connection.
    var context: NIOSSLContext { loaded.withLock { $0.context } }

    /// Certificates that have expired, or will soon.
    var warnings: [String] { loaded.withLock { $0.warnings } }

    /// Reads the files again; nothing changes before `use`.
    func read() throws(TLSProblem) -> Loaded {
        try Self.load(settings)
    }

    /// From here on new connections get this.
    func use(_ new: Loaded) {
        loaded.withLock { $0 = new }
    }

    // MARK: files

    private static func load(_ settings: TLSListenerSettings) throws(TLSProblem) -> Loaded {
        let chain = try certificates(settings.certificate)
        let key = try privateKey(settings.key)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = settings.minimumVersion == .tls13 ? .tlsv13 : .tlsv12
        configuration.applicationProtocols = ["mqtt", "http/1.1"]
        configuration.shutdownTimeout = .seconds(2)
        var warnings = expiry(chain.prefix(1), settings.certificate)
        if settings.clientCertificate != .off {
            guard let path = settings.clientCA else {
                throw TLSProblem(
                    path: settings.certificate, reason: "client certificates are asked for, but no CA for them is given"
                )
            }
            let authorities = try certificates(path)
            configuration.trustRoots = .certificates(authorities)
            configuration.sendCANameList = true
            configuration.certificateVerification =
                settings.clientCertificate == .require ? .noHostnameVerification : .optionalVerification
            warnings += expiry(authorities[...], path)
        }
        do {
            return Loaded(context: try NIOSSLContext(configuration: configuration), warnings: warnings)
        } catch {
            // The key was read before: what NIOSSL can't use it with is the certificate.
            if case .failedToLoadPrivateKey? = error as? NIOSSLError {
                throw TLSProblem(
                    path: settings.key, reason: "this key does not belong to the certificate \(settings.certificate)")
            }
            throw TLSProblem(path: settings.certificate, reason: "TLS can't be set up with it: \(error)")
        }
    }

    private static func certificates(_ path: String) throws(TLSProblem) -> [NIOSSLCertificate] {
        let text = try contents(path)
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(text), !certificates.isEmpty else {
            throw TLSProblem(path: path, reason: "there is no certificate in PEM form in it" + hint(text))
        }
        return certificates
    }

    private static func privateKey(_ path: String) throws(TLSProblem) -> NIOSSLPrivateKey {
        let text = try contents(path)
        guard !String(decoding: text, as: UTF8.self).contains("ENCRYPTED") else {
            throw TLSProblem(
                path: path, reason: "the key has a passphrase; store it without one, readable by Martlet only")
        }
        guard let key = try? NIOSSLPrivateKey(bytes: text, format: .pem) else {
            throw TLSProblem(path: path, reason: "there is no private key in PEM form in it" + hint(text))
        }
        return key
    }

    private static func contents(_ path: String) throws(TLSProblem) -> [UInt8] {
        do throws(SystemError) {
            return try File.read(path)
        } catch {
            throw TLSProblem(path: path, reason: SystemError.text(of: error.code))
        }
    }

    /// What is in the file instead.
    private static func hint(_ text: [UInt8]) -> String {
        let head = String(decoding: text.prefix(4_096), as: UTF8.self)
        if head.contains("PRIVATE KEY") { return "; it holds a key" }
        if head.contains("BEGIN CERTIFICATE REQUEST") { return "; it holds a request for a certificate" }
        if head.contains("BEGIN CERTIFICATE") { return "; it holds a certificate, perhaps a damaged one" }
        return text.first == 0x30 ? "; it seems to be in DER form" : ""
    }

    // MARK: dates

    private static let soon: Int64 = 14 * 86_400

    private static func expiry(_ certificates: ArraySlice<NIOSSLCertificate>, _ path: String) -> [String] {
        let now = WallClock.secondsSince1970
        return certificates.compactMap { certificate in
            let (from, until) = (Int64(certificate.notValidBefore), Int64(certificate.notValidAfter))
            let date = WallClock.date(secondsSince1970: until)
            if until < now { return "\(path): the certificate expired on \(date); clients will refuse it" }
            if from > now {
                return "\(path): the certificate is valid from \(WallClock.date(secondsSince1970: from)) on only"
            }
            return until < now + soon ? "\(path): the certificate expires on \(date)" : nil
        }
    }
}
