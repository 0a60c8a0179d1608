import Access
import Client
import MQTTCodec
import Testing

@testable import Network

@Suite(.timeLimit(.minutes(1)))
struct PasswordTests {
    /// A server with users and rules on a free port.
    private final class Guarded {
        let server: BrokerServer
        let port: UInt16

        init(_ users: [String: String], rules: [AccessRule]? = nil) throws {
            var settings = BrokerServer.Settings(
                listeners: [ListenerSettings(address: .tcp(address: "127.0.0.1", port: 0), anonymous: .nobody)],
                version: "test")
            settings.access = Self.access(users, rules)
            server = try BrokerServer(settings, report: { _ in })
            guard case .tcp(_, let port) = server.addresses[0] else { throw PlainClient.TimedOut() }
            self.port = port
        }

        deinit { server.stop() }

        static func access(_ users: [String: String], _ rules: [AccessRule]? = nil) -> AccessSettings {
            var access = AccessSettings()
            access.general.users = [:]
            for (name, password) in users {
                // As many iterations as a file has, so that hashing takes its time.
                access.general.users?[Array(name.utf8)] = .scram(
                    ScramCredentials(password: Array(password.utf8), salt: [1, 2, 3, 4]))
            }
            access.general.rules = rules.map { AccessRules($0) }
            return access
        }

        func client(_ name: String, _ user: (String, String)?) throws -> PlainClient {
            try PlainClient(port: port, name: name, user: user)
        }
    }

    @Test func `who has the password gets in, and messages follow`() throws {
        let server = try Guarded(["anna": "secret"])
        let client = try server.client("a", ("anna", "secret"))
        #expect(try client.connect())
        _ = try client.subscribe("t")
        #expect(try client.publish("t", "1") == .success)
        #expect(try client.message() == "t 1")
    }

    @Test func `who has not is turned away`() throws {
        let server = try Guarded(["anna": "secret"])
        for user in [("anna", "wrong"), ("bert", "secret"), nil] {
            let client = try server.client("a", user)
            #expect(try !client.connect())
        }
    }

    @Test func `many at once, right and wrong, each get their own answer`() throws {
        let server = try Guarded(["anna": "1", "bert": "2", "carl": "3"])
        let clients = try (0..<30).map { number in
            let user = [("anna", "1"), ("bert", "2"), ("carl", "wrong")][number % 3]
            return try server.client("c\(number)", user)
        }
        for client in clients { client.client.transportOpened(now: .now) }
        for (number, client) in clients.enumerated() {
            let isIn = try client.isAccepted()
            #expect(isIn == (number % 3 != 2))
        }
    }

    @Test func `users that are taken away are disconnected, the others stay`() throws {
        let server = try Guarded(["anna": "1", "bert": "2"])
        let anna = try server.client("a", ("anna", "1"))
        let bert = try server.client("b", ("bert", "2"))
        #expect(try anna.connect())
        #expect(try bert.connect())
        server.server.apply(access: Guarded.access(["anna": "1"]))
        _ = try bert.closed()
        #expect(try anna.publish("t", "1") == .success)
        let again = try server.client("b", ("bert", "2"))
        #expect(try !again.connect())
    }

    @Test func `rules that change hold from the next message on`() throws {
        let server = try Guarded(["anna": "1"])
        let anna = try server.client("a", ("anna", "1"))
        #expect(try anna.connect())
        #expect(try anna.publish("t", "1") == .success)
        var rule = AccessRule()
        rule.read = ["#"]
        server.server.apply(access: Guarded.access(["anna": "1"], [rule]))
        #expect(try anna.publish("t", "1") == .notAuthorized)
    }
}
