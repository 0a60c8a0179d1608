import Bridge
import Client
import MQTTCodec
import Testing

@testable import Network

@Suite struct UpstreamSessionTests {
    private let settings = UpstreamLink.Settings(host: "server", port: 1_883, bridge: BridgeSettings(clientID: [97]))

    @Test func `the server keeps commands no longer than a command may be old`() {
        #expect(ClientSettings(settings, UpstreamDialect(.v5)).sessionExpirySeconds == 10)
    }

    @Test func `a server of 3 1 1 keeps none since it could not be told for how long`() {
        #expect(ClientSettings(settings, UpstreamDialect(.v311)).sessionExpirySeconds == 0)
    }
}
