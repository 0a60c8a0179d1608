import MQTTCodec
import Testing

@testable import Bridge

@Suite struct BridgeLineTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private func message(_ topic: String, qos: QoS = .atMostOnce, hops: String? = nil) -> Publish {
        var message = Publish(topic: bytes(topic), payload: [1], qos: qos, retain: true)
        if let hops {
            message.properties.userProperties = [.init(name: bytes("martlet-hops"), value: bytes(hops))]
        }
        return message
    }

    private func hops(_ message: Publish?) -> String? {
        message?.properties.userProperties.first.map { String(decoding: $0.value, as: UTF8.self) }
    }

    private func forwarded(_ bridge: inout BridgeState, _ message: Publish) -> Publish? {
        bridge.localMessage(message, nil, now: .now)
        return bridge.takeActions().compactMap { if case .forward(let message, _) = $0 { message } else { nil } }.first
    }

    private func bridge(out: [BridgeLine] = [], in incoming: [BridgeLine] = []) -> BridgeState {
        var state = BridgeState(BridgeSettings(clientID: bytes("b"), out: out, in: incoming))
        state.linkUp(now: .now)
        return state
    }

    @Test func `an excluded topic is left to the next line, or to nobody`() {
        var line = BridgeLine(filters: [bytes("a/#"), bytes("b/+")])
        line.excluded = [bytes("a/secret/#")]
        let next = BridgeLine(
            filter: bytes("a/secret/public"), rewrite: TopicRewrite(removing: [], adding: bytes("p/")))
        var bridge = bridge(out: [line, next])
        #expect(forwarded(&bridge, message("a/x"))?.topic == bytes("a/x"))
        #expect(forwarded(&bridge, message("b/x"))?.topic == bytes("b/x"))
        #expect(forwarded(&bridge, message("a/secret/x")) == nil)
        #expect(forwarded(&bridge, message("a/secret/public"))?.topic == bytes("p/a/secret/public"))
        #expect(bridge.localSubscriptions.map(\.filter) == ["a/#", "b/+", "a/secret/public"].map(bytes))
    }

    @Test func `QoS is the line's, which may be more, or the message's own`() {
        var bridge = bridge(out: [
            BridgeLine(filter: bytes("up"), qos: .exactlyOnce), BridgeLine(filter: bytes("down"), qos: .atMostOnce),
            BridgeLine(filter: bytes("own"), qos: nil),
        ])
        #expect(forwarded(&bridge, message("up"))?.qos == .exactlyOnce)
        #expect(forwarded(&bridge, message("down", qos: .exactlyOnce))?.qos == .atMostOnce)
        for qos in [QoS.atMostOnce, .atLeastOnce, .exactlyOnce] {
            #expect(forwarded(&bridge, message("own", qos: qos))?.qos == qos)
        }
        #expect(bridge.localSubscriptions.map(\.qos) == [.exactlyOnce, .atLeastOnce, .exactlyOnce])
    }

    @Test func `a line may take the retain flag away`() {
        var line = BridgeLine(filter: bytes("a"))
        line.keepsRetain = false
        var bridge = bridge(out: [line, BridgeLine(filter: bytes("b"))])
        #expect(forwarded(&bridge, message("a"))?.retain == false)
        #expect(forwarded(&bridge, message("b"))?.retain == true)
    }

    @Test func `a shared subscription is asked for without No Local, and matched by its filter`() {
        var bridge = bridge(in: [BridgeLine(filter: bytes("$share/g/a/+"))])
        #expect(bridge.upstreamSubscriptions.first?.noLocal == false)
        bridge.upstreamMessage(message("a/x"), nil, now: .now)
        #expect(bridge.takeActions().contains { if case .publishLocally = $0 { true } else { false } })
    }

    @Test func `a message carries the gateways that it came through, and does not pass one twice`() {
        var bridge = bridge(out: [BridgeLine(filter: bytes("#"))], in: [BridgeLine(filter: bytes("#"))])
        #expect(hops(forwarded(&bridge, message("a"))) == "b")
        #expect(hops(forwarded(&bridge, message("a", hops: "x,y"))) == "x,y,b")
        // What just came in goes on, once.
        #expect(hops(forwarded(&bridge, message("a", hops: "x,b:in"))) == "x,b")
        for seen in ["b", "b,x", "b:in,x", "x,b", "1,2,3,4,5,6,7,8"] {
            #expect(forwarded(&bridge, message("a", hops: seen)) == nil)
            bridge.upstreamMessage(message("a", hops: seen), nil, now: .now)
            #expect(!bridge.takeActions().contains { if case .publishLocally = $0 { true } else { false } })
        }
        bridge.upstreamMessage(message("a", hops: "x"), nil, now: .now)
        let local = bridge.takeActions().compactMap {
            if case .publishLocally(let message, _) = $0 { message } else { nil }
        }
        #expect(hops(local.first) == "x,b:in")
    }

    @Test func `what went in a circle is told`() {
        var bridge = bridge(out: [BridgeLine(filter: bytes("#"))])
        _ = bridge.takeActions()
        #expect(forwarded(&bridge, message("a", hops: "b")) == nil)
        bridge.localMessage(message("a", hops: "b"), nil, now: .now)
        bridge.tick(now: .now + .seconds(11))
        #expect(bridge.takeActions() == [.alarm(.circled(count: 1))])
    }

    @Test func `a circle through one server is found`() throws {
        func settings(out: [BridgeLine] = [], in incoming: [BridgeLine] = []) -> BridgeSettings {
            BridgeSettings(clientID: bytes("b"), out: out, in: incoming)
        }
        let up = BridgeLine(filter: bytes("p/#"), rewrite: try TopicRewrite("up/{topic}", gateway: ""))
        let down = BridgeLine(filter: bytes("up/#"), rewrite: try TopicRewrite("{topic:1..}", gateway: ""))
        let aside = BridgeLine(filter: bytes("up/#"), rewrite: try TopicRewrite("q/{topic}", gateway: ""))
        #expect(settings(in: [down]).loop(through: settings(out: [up])) == "p/example")
        #expect(settings(in: [aside]).loop(through: settings(out: [up])) == nil)
        #expect(settings(in: [down]).loop(through: settings()) == nil)
    }
}
