import NIOSSL

/// TLS towards the upstream, as the configuration wants it.
enum UpstreamTLS {
    /// Reads the files; what is wrong with one of them is said with its path.
    static func context(_ settings: UpstreamLink.TLS) throws(UpstreamFailure) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let ca = settings.ca {
            configuration.trustRoots = .certificates(try certificates(ca, "tls.ca"))
        }
        if let path = settings.certificate {
            configuration.certificateChain = try certificates(path, "tls.cert").map { .certificate($0) }
        }
        if let path = settings.key {
            guard let key = try? NIOSSLPrivateKey(file: path, format: .pem) else {
                throw .file("tls.key", path, "no private key in PEM form could be read from it")
            }
            configuration.privateKey = .privateKey(key)
        }
        configuration.applicationProtocols = settings.alpn
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw .tls("the certificate and the key under tls don't go together: \(error)")
        }
    }

    private static func certificates(_ path: String, _ key: String) throws(UpstreamFailure) -> [NIOSSLCertificate] {
        guard let certificates = try? NIOSSLCertificate.fromPEMFile(path), !certificates.isEmpty else {
            throw .file(key, path, "no certificate in PEM form could be read from it")
        }
        return certificates
    }

    /// The name that is checked is the host's; a numeric address is checked against the certificate's addresses.
    static func handler(
        _ context: NIOSSLContext, _ settings: UpstreamLink.Settings
    ) throws -> NIOSSLClientHandler {
        let name = settings.tls?.serverName ?? settings.host
        return try NIOSSLClientHandler(context: context, serverHostname: isNumeric(name) ? nil : name)
    }

    private static func isNumeric(_ host: String) -> Bool {
        host.contains(":") || host.allSatisfy { $0 == "." || $0.isNumber }
    }
}
