import Foundation

/// Keys and certificates in a folder of their own, made by openssl: a CA, the server's, two clients', and wrong ones.
final class TestCertificates {
    let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/martlet-tls-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try authority("ca", "Test CA")
        try authority("other-ca", "Other CA")
        try issue("server", subject: "/CN=localhost", alternatives: "DNS:localhost,IP:127.0.0.1")
        try issue("panel", subject: "/O=Test/CN=panel-7", alternatives: "email:anna@example.org")
        try issue("stranger", subject: "/CN=panel-7", by: "other-ca")
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    private func authority(_ name: String, _ subject: String) throws {
        try openssl("ecparam -name prime256v1 -genkey -noout -out \(path(name)).key")
        try openssl(
            "req -new -x509 -key \(path(name)).key -days 365 -out \(path(name)).pem -subj", "/CN=\(subject)")
    }

    /// Makes a key and a certificate under this name; again, it makes a new pair.
    func issue(
        _ name: String, subject: String, alternatives: String? = nil, by authority: String = "ca", days: Int = 365
    ) throws {
        let base = path(name)
        try openssl("ecparam -name prime256v1 -genkey -noout -out \(base).key")
        try openssl("req -new -key \(base).key -out \(base).csr -subj", subject)
        let extensions = alternatives.map { "subjectAltName=\($0)\n" } ?? "basicConstraints=CA:FALSE\n"
        try extensions.write(toFile: base + ".ext", atomically: true, encoding: .utf8)
        let issuer = "-CA \(path(authority)).pem -CAkey \(path(authority)).key -CAcreateserial"
        try openssl(
            "x509 -req -in \(base).csr -out \(base).pem \(issuer) -days \(days) -sha256 -extfile \(base).ext")
    }

    private func openssl(_ arguments: String, _ last: String...) throws {
        let words = arguments.split(separator: " ").map(String.init) + last
        _ = try ChildProcess("/usr/bin/openssl", words).output()
    }
}
