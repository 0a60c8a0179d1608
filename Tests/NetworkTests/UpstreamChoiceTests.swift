import Bridge
import Client
import MQTTCodec
import Testing

@testable import Network

/// Which address and which MQTT is tried next, and what a shared client id looks like.
@Suite struct UpstreamChoiceTests {
    private func settings(_ change: (inout UpstreamLink.Settings) -> Void) -> UpstreamLink.Settings {
        var settings = UpstreamLink.Settings(host: "a", port: 1, bridge: BridgeSettings(clientID: [97]))
        change(&settings)
        return settings
    }

    private func addresses(_ count: Int, _ order: UpstreamLink.Order) -> UpstreamAddresses {
        UpstreamAddresses(
            settings {
                $0.addresses = (0..<count).map { UpstreamLink.Address(host: "\($0)", port: 1) }
                $0.order = order
            })
    }

    @Test func `addresses are tried in their order, with a pause after the last`() {
        var addresses = addresses(3, .first)
        for isLast in [false, false, true, false] { #expect(addresses.failed(wasConnected: false) == isLast) }
        #expect(addresses.index == 1)
        #expect(addresses.hasBetter)
        #expect(addresses.failed(wasConnected: true) == true)
        #expect(addresses.index == 0)
        #expect(!addresses.hasBetter)
    }

    @Test func `in turn means the next one after each end`() {
        var addresses = addresses(2, .roundRobin)
        #expect(addresses.failed(wasConnected: true) == true)
        #expect(addresses.index == 1)
        #expect(!addresses.hasBetter)
        #expect(addresses.failed(wasConnected: true) == true)
        #expect(addresses.index == 0)
    }

    @Test func `one address has a pause after each attempt`() {
        var addresses = addresses(1, .first)
        #expect(addresses.failed(wasConnected: false) == true)
        #expect(addresses.failed(wasConnected: true) == true)
        #expect(addresses.index == 0)
    }

    @Test func `an older server is tried as a bridge, then without`() {
        let any = settings { _ in }
        #expect(UpstreamDialect(any) == UpstreamDialect(.v5))
        #expect(UpstreamDialect(.v5).afterRefusal(any) == UpstreamDialect(.v311, isBridge: true))
        #expect(UpstreamDialect(.v311, isBridge: true).afterRefusal(any) == UpstreamDialect(.v311))
        #expect(UpstreamDialect(.v311).afterRefusal(any) == nil)
        let none = settings { $0.bridgeBit = .off }
        #expect(UpstreamDialect(.v5).afterRefusal(none) == UpstreamDialect(.v311))
        let always = settings { $0.bridgeBit = .on }
        #expect(UpstreamDialect(.v311, isBridge: true).afterRefusal(always) == nil)
    }

    @Test func `who hangs up twice is spoken to in the other version`() {
        let any = settings { _ in }
        #expect(UpstreamDialect(.v5).afterSilence(any, unanswered: 1) == nil)
        #expect(UpstreamDialect(.v5).afterSilence(any, unanswered: 2) == UpstreamDialect(.v311))
        #expect(UpstreamDialect(.v311).afterSilence(any, unanswered: 4) == UpstreamDialect(.v5))
        // The bit is an offer that costs one attempt.
        #expect(UpstreamDialect(.v311, isBridge: true).afterSilence(any, unanswered: 1) == UpstreamDialect(.v311))
    }

    @Test func `a version that is asked for is kept to`() {
        let old = settings { $0.version = .v311 }
        #expect(UpstreamDialect(old) == UpstreamDialect(.v311, isBridge: true))
        #expect(UpstreamDialect(.v311).afterSilence(old, unanswered: 2) == nil)
        let new = settings { $0.version = .v5 }
        #expect(UpstreamDialect(.v5).afterRefusal(new) == nil)
        #expect(UpstreamDialect(.v5).afterSilence(new, unanswered: 2) == nil)
    }

    @Test func `a shared client id is what the server says, or four short connections`() {
        var watch = ConflictWatch()
        let cut = CloseReason.transport("cut")
        #expect(watch.ended(.server(.sessionTakenOver, nil), after: .seconds(100), .seconds(60)) == .certain)
        // Attempts that were not accepted say nothing; a connection that lasted says that all is well.
        for lasted in [2, 3, nil, 1, 20, 2, 2, 2] as [Int?] {
            #expect(watch.ended(cut, after: lasted.map { .seconds($0) }, .seconds(60)) == nil)
        }
        #expect(watch.ended(cut, after: .seconds(2), .seconds(60)) == .likely)
        #expect(watch.ended(cut, after: .seconds(2), .seconds(60)) == nil)
    }
}
