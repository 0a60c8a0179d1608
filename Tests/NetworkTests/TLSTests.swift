import Broker
import Foundation
import LinuxIO
import MQTTCodec
import Testing

@testable import Network

@Suite(.timeLimit(.minutes(3)))
struct TLSTests {
    private let certificates: TestCertificates

    init() throws {
        certificates = try TestCertificates()
    }

    private func reader(_ server: SecureServer, _ filter: String = "#") throws -> PlainClient {
        let reader = try PlainClient(port: server.plainPort, name: "reader")
        try #require(try reader.connect())
        _ = try reader.subscribe(filter)
        return reader
    }

    /// What openssl says of a handshake.
    private func handshake(_ server: SecureServer, _ version: String) throws -> String {
        let words = ["s_client", "-brief", "-connect", "127.0.0.1:\(server.port)", version]
        return try ChildProcess("/usr/bin/openssl", words, reading: .standardError).output()
    }

    @Test func `messages come in over TLS`() throws {
        let server = try SecureServer(certificates: certificates)
        let reader = try reader(server)
        #expect(try server.publish("a", "1") == "")
        #expect(try reader.message() == "a 1")
    }

    @Test(arguments: [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")])
    func `TLS 1.2 and 1.3 are spoken`(option: String, version: String) throws {
        let server = try SecureServer(certificates: certificates)
        #expect(try handshake(server, option).contains(version))
    }

    @Test func `large messages come in and go out whole`() throws {
        let server = try SecureServer(certificates: certificates)
        let payload = String((0..<900_000).map { Character(UnicodeScalar(97 + UInt8($0 % 26))) })
        let file = certificates.path("payload")
        try payload.write(toFile: file, atomically: true, encoding: .utf8)
        _ = try ChildProcess(
            "/usr/bin/mosquitto_pub", server.arguments(["-t", "large", "-f", file, "-q", "1", "-r"])
        ).output()
        let subscriber = try ChildProcess("/usr/bin/mosquitto_sub", server.arguments(["-t", "large", "-C", "1", "-N"]))
        #expect(subscriber.output() == payload)
    }

    @Test func `a client without a certificate is refused where one is required`() throws {
        let server = try SecureServer(certificates: certificates) { settings, certificates in
            settings.tls?.clientCA = certificates.path("ca.pem")
            settings.tls?.clientCertificate = .require
            settings.tls?.userFrom = .commonName
        }
        let reader = try reader(server)
        #expect(try server.publish("a", "without") != "")
        #expect(server.reports.wait(for: "the client showed no certificate"))
        #expect(try server.publish("a", "stranger", server.showing("stranger")) != "")
        #expect(server.reports.wait(for: "not from the CA of this listener"))
        #expect(try server.publish("a", "with", server.showing("panel")) == "")
        #expect(try reader.message() == "a with")
    }

    @Test(arguments: [TLSListenerSettings.UserSource.commonName, .subjectAlternativeName])
    func `a certificate proves a user where nobody is let in without one`(
        source: TLSListenerSettings.UserSource
    ) throws {
        let server = try SecureServer(certificates: certificates) { settings, certificates in
            settings.anonymous = .nobody
            settings.tls?.clientCA = certificates.path("ca.pem")
            settings.tls?.clientCertificate = .optional
            settings.tls?.userFrom = source
        }
        let reader = try reader(server)
        #expect(try server.publish("a", "without") != "")
        #expect(try server.publish("a", "with", server.showing("panel")) == "")
        #expect(try reader.message() == "a with")
    }

    @Test func `a certificate is optional where that is said, but not a wrong one`() throws {
        let server = try SecureServer(certificates: certificates) { settings, certificates in
            settings.tls?.clientCA = certificates.path("ca.pem")
            settings.tls?.clientCertificate = .optional
        }
        let reader = try reader(server)
        #expect(try server.publish("a", "without") == "")
        #expect(try reader.message() == "a without")
        #expect(try server.publish("a", "with", server.showing("panel")) == "")
        #expect(try reader.message() == "a with")
        #expect(try server.publish("a", "stranger", server.showing("stranger")) != "")
    }

    @Test func `a client that does not trust us is told of in the log`() throws {
        let server = try SecureServer(certificates: certificates)
        // Older and newer clients say so in two ways.
        #expect(try server.publish("a", "1", ca: "other-ca.pem") != "")
        #expect(server.reports.wait(for: "CA for our certificate"), "\(server.reports.all)")
    }

    @Test func `only TLS 1.3 where that is said`() throws {
        let server = try SecureServer(certificates: certificates) { settings, _ in
            settings.tls?.minimumVersion = .tls13
        }
        #expect(!(try handshake(server, "-tls1_2")).contains("TLSv1.2"))
        #expect(server.reports.wait(for: "versions of TLS that are too old"), "\(server.reports.all)")
        #expect(try handshake(server, "-tls1_3").contains("TLSv1.3"))
    }

    @Test func `a client without TLS on the TLS port is told of in the log`() throws {
        let server = try SecureServer(certificates: certificates)
        let client = try PlainClient(port: server.port, name: "plain", version: .v311)
        #expect(try !client.connect())
        #expect(server.reports.wait(for: "a client speaks MQTT without TLS on this TLS port"))
    }

    @Test func `a handshake that does not end is ended`() throws {
        let server = try SecureServer(certificates: certificates, connectTimeout: .milliseconds(200))
        let silent = try Socket.connect(address: "127.0.0.1", port: server.port)
        #expect(server.reports.wait(for: "no TLS handshake within"))
        withExtendedLifetime(silent) {}
    }

    @Test func `a client that is faster than its rate is read later over TLS too, and loses nothing`() throws {
        var limits = BrokerLimits()
        limits.messageRate = 100
        let server = try SecureServer(certificates: certificates, limits: limits)
        let reader = try reader(server)
        let lines = (100..<400).map { "\($0)" }
        try lines.joined(separator: "\n").write(toFile: certificates.path("lines"), atomically: true, encoding: .utf8)
        let began = ContinuousClock.now
        let words = server.arguments(["-t", "r", "-l"]).joined(separator: " ")
        _ = try ChildProcess("/bin/sh", ["-c", "mosquitto_pub \(words) < \(certificates.path("lines"))"]).output()
        for line in lines {
            #expect(try reader.message() == "r \(line)")
        }
        #expect(ContinuousClock.now - began >= .milliseconds(1_500))
    }

    @Test func `a renewed certificate is shown to new clients, and those that are there stay`() throws {
        let server = try SecureServer(certificates: certificates)
        let subscriber = try ChildProcess(
            "/usr/bin/mosquitto_sub", server.arguments(["-t", "renewed", "-C", "1", "-i", "stays"]))
        #expect(server.reports.wait(for: "stays"))
        try certificates.issue("server", subject: "/CN=localhost", alternatives: "IP:127.0.0.1", by: "other-ca")
        try server.server.apply(listeners: server.settings)
        // A request to the loop comes behind the change.
        #expect(try server.publish("renewed", "x", ["-r"], ca: "other-ca.pem") == "")
        #expect(subscriber.output() == "x\n")
        #expect(try server.publish("a", "1") != "")
    }

    @Test func `files that are wrong are refused with their path, and change nothing`() throws {
        let server = try SecureServer(certificates: certificates)
        try "nothing".write(toFile: certificates.path("text"), atomically: true, encoding: .utf8)
        func reason(_ change: (inout TLSListenerSettings) -> Void) -> String {
            var settings = server.settings
            if var tls = settings[1].tls {
                change(&tls)
                settings[1].tls = tls
            }
            do throws(ListenError) {
                try server.server.apply(listeners: settings)
                return "applied"
            } catch {
                return error.description
            }
        }
        let path = certificates.path
        #expect(reason { $0.certificate = path("missing.pem") }.hasSuffix("missing.pem: No such file or directory"))
        #expect(reason { $0.certificate = path("server.key") }.hasSuffix("in PEM form in it; it holds a key"))
        #expect(reason { $0.certificate = path("text") }.contains("there is no certificate in PEM form in it"))
        #expect(reason { $0.key = path("server.pem") }.contains("no private key in PEM form in it; it holds a cert"))
        #expect(reason { $0.key = path("panel.key") }.contains("this key does not belong to the certificate"))
        #expect(reason { $0.clientCertificate = .require }.contains("no CA for them is given"))
        #expect(try server.publish("a", "1") == "")
    }

    @Test func `a certificate that has expired or soon will is warned of with its date`() throws {
        try certificates.issue("soon", subject: "/CN=localhost", alternatives: "IP:127.0.0.1", days: 3)
        let server = try SecureServer(certificates: certificates) { settings, certificates in
            settings.tls = TLSListenerSettings(
                certificate: certificates.path("soon.pem"), key: certificates.path("soon.key"))
        }
        #expect(server.reports.wait(for: "soon.pem: the certificate expires on 2"))
        try certificates.issue("past", subject: "/CN=localhost", days: -1)
        var settings = server.settings
        settings[1].tls = TLSListenerSettings(
            certificate: certificates.path("past.pem"), key: certificates.path("past.key"))
        try server.server.apply(listeners: settings)
        #expect(server.reports.wait(for: "past.pem: the certificate expired on 2"))
    }
}
