import Bridge
import Client
import MQTTCodec
import Testing

@testable import Network

@Suite struct UpstreamStatusTests {
    private var status = UpstreamStatus("house/1")
    private var bridge = BridgeState(
        BridgeSettings(clientID: Array("house/1".utf8), out: [BridgeSettings.Line(filter: Array("#".utf8))]))
    private let client = ClientState(ClientSettings(clientID: []), now: .now)
    private let start = ContinuousClock.now

    private func text(_ messages: [Publish]) -> [String] {
        messages.map { message in
            #expect(message.retain)
            return
                "\(String(decoding: message.topic, as: UTF8.self)) \(String(decoding: message.payload, as: UTF8.self))"
        }
    }

    @Test mutating func `the state is said at once and once, in mosquitto's words`() {
        #expect(text(status.messages(bridge, client, now: start)).first == "$SYS/broker/connection/house%2F1/state 0")
        #expect(status.messages(bridge, client, now: start).isEmpty)
        bridge.linkUp(now: start)
        #expect(text(status.messages(bridge, client, now: start)) == ["$SYS/broker/connection/house%2F1/state 1"])
        #expect(text(status.farewell()) == ["$SYS/broker/connection/house%2F1/state 0"])
        #expect(status.farewell().isEmpty)
    }

    @Test mutating func `the queue is said when it changed, but not with every message`() {
        let prefix = "$SYS/martlet/bridges/house%2F1"
        let first = text(status.messages(bridge, client, now: start)).dropFirst()
        #expect(
            first.prefix(11) == [
                "\(prefix)/queued 0", "\(prefix)/queued_bytes 0", "\(prefix)/in_flight 0", "\(prefix)/dropped 0",
                "\(prefix)/circled 0", "\(prefix)/held_back 0", "\(prefix)/qos_lowered 0", "\(prefix)/retain_removed 0",
                "\(prefix)/fill 0", "\(prefix)/oldest_age 0", "\(prefix)/until_full -1",
            ])
        #expect(first.dropFirst(11) == DropReason.allCases.map { "\(prefix)/dropped/\($0.word) 0" }[...])
        #expect(status.wakeAt == nil)
        for _ in 0..<3 {
            bridge.localMessage(Publish(topic: Array("t".utf8), payload: [1]), nil, now: start)
            #expect(status.messages(bridge, client, now: start).isEmpty)
        }
        #expect(status.wakeAt == start + .seconds(10))
        let later = text(status.messages(bridge, client, now: start + .seconds(10)))
        #expect(
            later == [
                "\(prefix)/queued 3", "\(prefix)/queued_bytes \(bridge.queue.sizeInBytes)", "\(prefix)/oldest_age 10",
            ])
        #expect(status.wakeAt == nil)
    }

    @Test mutating func `a queue that is again as it was said to be wakes nobody`() {
        bridge.linkUp(now: start)
        _ = status.messages(bridge, client, now: start)
        bridge.localMessage(Publish(topic: Array("t".utf8), payload: [1]), nil, now: start)
        #expect(status.messages(bridge, client, now: start).isEmpty)
        #expect(status.wakeAt == start + .seconds(10))
        for case .forward(_, let number) in bridge.takeActions() {
            bridge.upstreamAcknowledged(number, .success, now: start)
        }
        #expect(status.messages(bridge, client, now: start + .seconds(10)).isEmpty)
        #expect(status.wakeAt == nil)
    }
}
