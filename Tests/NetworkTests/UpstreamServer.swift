import Foundation
import LinuxIO

/// A real mosquitto on a free loopback port, with a folder of its own; it can be stopped and started again.
final class UpstreamServer {
    struct NotInstalled: Error, CustomStringConvertible {
        var description: String { "this test needs mosquitto and mosquitto-clients: apt-get install them" }
    }

    struct Failed: Error, CustomStringConvertible {
        var description: String
    }

    let port: UInt16
    let folder: URL
    private let hasTLS: Bool
    private var process: ChildProcess?

    init(tls: Bool = false) throws {
        let tools = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto_sub", "/usr/bin/mosquitto_pub"]
        guard tools.allSatisfy(FileManager.default.isExecutableFile) else { throw NotInstalled() }
        port = try Self.freePort()
        hasTLS = tls
        folder = FileManager.default.temporaryDirectory.appending(path: "martlet-upstream-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        if tls { try makeCertificates() }
        try configuration.write(to: folder.appending(path: "mosquitto.conf"), atomically: true, encoding: .utf8)
        try start()
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(at: folder)
    }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    private static func freePort() throws -> UInt16 {
        let descriptor = try Socket.listen(address: "127.0.0.1", port: 0)
        return Socket.localPort(descriptor.rawValue) ?? 0
    }

    private var configuration: String {
        var lines = [
            "listener \(port) 127.0.0.1", "allow_anonymous true", "user root", "persistence true",
            "persistence_location \(folder.path)/", "log_dest stderr", "max_queued_messages 0",
        ]
        if hasTLS {
            lines += [
                "cafile \(path("ca.pem"))", "certfile \(path("server.pem"))", "keyfile \(path("server.key"))",
                "require_certificate true",
            ]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Returns when it answers.
    func start() throws {
        let process = try ChildProcess(
            "/usr/sbin/mosquitto", ["-c", path("mosquitto.conf")], reading: .standardError)
        let (isRunning, text) = process.wait(for: "running")
        guard isRunning else { throw Failed(description: "mosquitto: \(text)") }
        self.process = process
        // It says "running" before it notices signals; once it has answered, it does.
        try publish("ready", "")
    }

    /// Ends it; it saves what it has acknowledged.
    func stop() {
        process?.terminate()
        process = nil
    }

    func publish(_ topic: String, _ payload: String, retain: Bool = false) throws {
        _ = try run(
            "/usr/bin/mosquitto_pub",
            ["-q", "1", "-t", topic, "-m", payload] + (retain ? ["-r"] : []))
    }

    /// The retained messages under `filter`, as "topic payload"; waits until there are `count`.
    func retained(_ filter: String, count: Int) throws -> [String] {
        let text = try run(
            "/usr/bin/mosquitto_sub", ["-v", "-q", "1", "-t", filter, "-C", "\(count)", "-W", "20"])
        return text.split(separator: "\n").map(String.init).sorted()
    }

    private func run(_ tool: String, _ arguments: [String]) throws -> String {
        let tls = ["--cafile", path("ca.pem"), "--cert", path("client.pem"), "--key", path("client.key"), "--insecure"]
        let place = ["-h", "127.0.0.1", "-p", "\(port)", "-V", "5"]
        return try ChildProcess(tool, place + (hasTLS ? tls : []) + arguments).output()
    }

    /// An authority that nobody trusts, a server's certificate for broker.test and a client's; and a second authority.
    private func makeCertificates() throws {
        for name in ["ca", "other-ca"] {
            try openssl(
                "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=martlet-test-\(name) -keyout \(path(name)).key"
                    + " -out \(path(name)).pem")
        }
        try "subjectAltName=DNS:broker.test\n".write(
            to: folder.appending(path: "san"), atomically: true, encoding: .utf8)
        for name in ["server", "client"] {
            try openssl(
                "req -newkey rsa:2048 -nodes -subj /CN=\(name) -keyout \(path(name)).key -out \(path(name)).csr")
            try openssl(
                "x509 -req -days 2 -in \(path(name)).csr -CA \(path("ca.pem")) -CAkey \(path("ca.key"))"
                    + " -CAcreateserial -extfile \(path("san")) -out \(path(name)).pem")
        }
    }

    private func openssl(_ arguments: String) throws {
        _ = try ChildProcess("/usr/bin/openssl", arguments.split(separator: " ").map(String.init)).output()
    }
}
