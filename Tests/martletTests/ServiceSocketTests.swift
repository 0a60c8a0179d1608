import Network
import Settings
import Testing

@testable import martlet

@Suite struct ServiceSocketTests {
    private let service = ProcessEnvironment(Array("RUNTIME_DIRECTORY=/run/martlet:/run/other\0".utf8))

    @Test func `a service listens on a socket in its own folder`() {
        let addresses = GatewaySettings(id: "house").broker(heartbeat: .seconds(5), service).listeners.map(\.address)
        #expect(
            addresses == [
                .tcp(address: "127.0.0.1", port: 1883), .unix(path: "/run/martlet/martlet.sock", mode: 0o660),
            ])
    }

    @Test func `who says where to listen gets nothing else`() {
        var settings = GatewaySettings(id: "house")
        settings.hasOwnListeners = true
        #expect(settings.serviceSockets(service) == [])
    }

    @Test func `without a service there is no socket`() {
        #expect(GatewaySettings(id: "house").serviceSockets(ProcessEnvironment([])) == [])
    }
}
