import Client
import MQTTCodec
import Testing

@testable import Bridge

/// Messages that can't say where they were.
@Suite struct CircleTests {
    private var now = ContinuousClock.now

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private func bridge(_ name: String) -> BridgeState {
        let line = BridgeLine(filter: bytes("#"))
        var state = BridgeState(BridgeSettings(clientID: bytes(name), out: [line], in: [line]))
        state.carriesHops = false
        state.linkUp(now: now)
        _ = state.takeActions()
        return state
    }

    /// As the broker hands it on when a bridge of 3.1.1 published it, or as a client of the gateway did.
    private func message(_ payload: String, isFromBridge: Bool = true) -> Publish {
        var message = Publish(topic: bytes("a"), payload: bytes(payload), qos: .atLeastOnce)
        if isFromBridge {
            message.properties.userProperties = [.init(name: bytes("martlet-hops"), value: bytes("?"))]
        }
        return message
    }

    /// What goes out of the bridge for a message; the upstream takes it at once.
    private func out(_ bridge: inout BridgeState, _ message: Publish) -> Publish? {
        bridge.localMessage(message, nil, now: now)
        var result: Publish?
        for case .forward(let message, let number) in bridge.takeActions() {
            result = message
            bridge.upstreamAcknowledged(number, .success, now: now)
        }
        return result
    }

    private func cameIn(_ bridge: inout BridgeState, _ message: Publish) -> Publish? {
        bridge.upstreamMessage(message, nil, now: now)
        let all = bridge.takeActions().compactMap {
            if case .publishLocally(let message, _) = $0 { message } else { nil }
        }
        return all.first
    }

    @Test mutating func `a ring of three over 3_1_1 comes to rest`() {
        var ring = [bridge("a"), bridge("b"), bridge("c")]
        for text in ["1", "2", "1"] {
            var here = out(&ring[0], message(text, isFromBridge: false))
            var hops = 0
            while let message = here, hops < 1_000 {
                hops += 1
                now += .milliseconds(300)
                // 3.1.1 carries no properties; the next broker says where it came from.
                here = out(&ring[hops % 3], self.message(String(decoding: message.payload, as: UTF8.self)))
            }
            // One that begins late in a window needs the next one.
            #expect(hops > 90 && hops < 200)
        }
        #expect(ring.map(\.circledCount).reduce(0, +) == 3)
    }

    @Test mutating func `a ring whose links fetch comes to rest too`() {
        var ring = [bridge("a"), bridge("b"), bridge("c")]
        var here: Publish? = message("1", isFromBridge: false)
        var hops = 0
        while var message = here, hops < 1_000 {
            hops += 1
            message.properties = Properties()
            here = cameIn(&ring[hops % 3], message)
        }
        #expect(hops > 90 && hops < 100)
    }

    @Test mutating func `what is the same once a second goes on, and what is the same more often loses one of 32`() {
        var bridge = bridge("a")
        for _ in 0..<1_000 {
            now += .seconds(1)
            #expect(out(&bridge, message("same")) != nil)
        }
        now += .seconds(60)
        let passed = (0..<320).count { _ in out(&bridge, message("same")) != nil }
        #expect(passed == 310)
        #expect(bridge.circledCount == 10)
    }

    @Test mutating func `what differs, and what the gateway's own clients say, is never dropped`() {
        var bridge = bridge("a")
        for number in 0..<1_000 {
            #expect(out(&bridge, message("\(number)")) != nil)
            #expect(out(&bridge, message("same", isFromBridge: false)) != nil)
        }
    }

    @Test mutating func `over MQTT 5 only what has crossed 3_1_1 is watched`() {
        var bridge = bridge("a")
        bridge.carriesHops = true
        for _ in 0..<100 { #expect(cameIn(&bridge, message("1", isFromBridge: false)) != nil) }
        let passed = (0..<32).count { _ in cameIn(&bridge, message("1")) != nil }
        #expect(passed == 31)
    }

    @Test mutating func `the list says once that something is missing`() {
        var bridge = bridge("a")
        let arrived = cameIn(&bridge, message("1"))
        #expect(arrived?.properties.userProperties.first?.value == bytes("?,a:in"))
        let sent = arrived.flatMap { out(&bridge, $0) }
        #expect(sent?.properties.userProperties.first?.value == bytes("?,a"))
    }
}
