import Glibc
import Testing

@testable import LinuxIO

@Suite struct InheritedSocketsTests {
    private static func names(_ environment: [String: String]) -> [String] {
        InheritedSockets(processID: 42) { environment[$0] }.names
    }

    @Test func `the names are systemd's, in their order`() {
        let environment = ["LISTEN_PID": "42", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "mqtt:web:mqtt"]
        #expect(Self.names(environment) == ["mqtt", "web", "mqtt"])
        let sockets = InheritedSockets(processID: 42) { environment[$0] }
        #expect(sockets.count(named: "mqtt") == 2)
        #expect(sockets.count(named: "other") == 0)
    }

    @Test func `without names they are unknown, as sd_listen_fds_with_names says`() {
        #expect(Self.names(["LISTEN_PID": "42", "LISTEN_FDS": "2"]) == ["unknown", "unknown"])
    }

    @Test(arguments: [
        ["LISTEN_PID": "41", "LISTEN_FDS": "1"], ["LISTEN_FDS": "1"], ["LISTEN_PID": "42"],
        ["LISTEN_PID": "42", "LISTEN_FDS": "-1"], ["LISTEN_PID": "42", "LISTEN_FDS": "many"],
        ["LISTEN_PID": "42", "LISTEN_FDS": "1000000"],
    ])
    func `what is for somebody else, or nonsense, is no socket`(environment: [String: String]) {
        #expect(Self.names(environment) == [])
    }

    @Test func `a name that was not passed is said`() {
        #expect(throws: SystemError(code: ENOENT, call: "LISTEN_FDNAMES", subject: "mqtt")) {
            _ = try InheritedSockets(processID: 42) { _ in nil }.socket(named: "mqtt", 0)
        }
    }

    @Test func `a passed socket accepts, and what is no listener is refused`() throws {
        let listener = try Socket.listen(address: "127.0.0.1", port: 0)
        let copy = try InheritedSockets.copy(listener.rawValue, "mqtt")
        #expect(Socket.localPort(copy.rawValue) == Socket.localPort(listener.rawValue))
        let client = try Socket.connect(address: "127.0.0.1", port: Socket.localPort(copy.rawValue) ?? 0)
        #expect(throws: SystemError.self) { _ = try InheritedSockets.copy(client.rawValue, "mqtt") }
    }
}
