import Broker
import Foundation
import Testing

@testable import Network

/// What a broker's loop reported, for a test to wait for.
final class Reports: @unchecked Sendable {
    // Everything is touched while the condition is locked.
    private let condition = NSCondition()
    private var lines: [String] = []

    func add(_ report: BrokerReport) {
        let line =
            switch report {
            case .failed(let what): "failed: \(what)"
            case .warning(let what): "warning: \(what)"
            case .broker(let event): "\(event)"
            }
        condition.withLock {
            lines.append(line)
            condition.broadcast()
        }
    }

    var all: [String] { condition.withLock { lines } }

    /// Waits for a line with this in it, up to half a minute.
    func wait(for word: String) -> Bool {
        let deadline = Date().addingTimeInterval(30)
        return condition.withLock {
            while !lines.contains(where: { $0.contains(word) }) {
                guard condition.wait(until: deadline) else { return false }
            }
            return true
        }
    }
}

/// A broker with a plain listener and one to test.
final class SecureServer {
    let certificates: TestCertificates
    let server: BrokerServer
    let reports = Reports()
    let plainPort: UInt16
    let port: UInt16
    private(set) var settings: [ListenerSettings]

    init(
        certificates: TestCertificates, connectTimeout: Duration = .seconds(60), limits: BrokerLimits = BrokerLimits(),
        _ change: (inout ListenerSettings, TestCertificates) -> Void = { _, _ in }
    ) throws {
        self.certificates = certificates
        var plain = ListenerSettings(address: .tcp(address: "127.0.0.1", port: 0))
        plain.anonymous = .everybody
        var tested = plain
        tested.tls = TLSListenerSettings(
            certificate: certificates.path("server.pem"), key: certificates.path("server.key"))
        change(&tested, certificates)
        settings = [plain, tested]
        var server = BrokerServer.Settings(listeners: settings, version: "test")
        server.limits = limits
        server.limits.connectTimeout = connectTimeout
        server.limits.sysInterval = .zero
        let reports = reports
        self.server = try BrokerServer(server, report: { reports.add($0) })
        let ports = self.server.addresses.map { if case .tcp(_, let port) = $0 { port } else { 0 as UInt16 } }
        (plainPort, port) = (ports[0], ports[1])
    }

    deinit {
        server.stop()
    }

    /// The arguments with which mosquitto's clients reach the tested listener.
    func arguments(_ more: [String] = [], ca: String = "ca.pem") -> [String] {
        ["-h", "127.0.0.1", "-p", "\(port)", "--cafile", certificates.path(ca)] + more
    }

    /// The arguments that show a client's certificate.
    func showing(_ name: String) -> [String] {
        ["--cert", certificates.path(name + ".pem"), "--key", certificates.path(name + ".key")]
    }

    /// Publishes with mosquitto_pub over the tested listener; returns what it complains about.
    func publish(_ topic: String, _ payload: String, _ more: [String] = [], ca: String = "ca.pem") throws -> String {
        let words = arguments(["-t", topic, "-m", payload, "-q", "1"] + more, ca: ca)
        return try ChildProcess("/usr/bin/mosquitto_pub", words, reading: .standardError).output()
    }
}
