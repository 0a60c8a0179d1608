import Client
import MQTTCodec
import Testing

@testable import Bridge

struct BridgeStateTests {
    private var bridge: BridgeState
    private var now = ContinuousClock.now

    init() throws {
        bridge = BridgeState(try Self.settings())
    }

    private static func settings(messages: Int = 1_000, inFlight: Int = 100) throws -> BridgeSettings {
        var settings = BridgeSettings(
            clientID: Array("pi-garage".utf8),
            out: [
                BridgeSettings.Line(
                    filter: Array("pi-garage/+/fast".utf8), rewrite: try TopicRewrite("f/{topic:1}", gateway: ""),
                    qos: .atMostOnce),
                BridgeSettings.Line(
                    filter: Array("pi-garage/#".utf8), rewrite: try TopicRewrite("sites/17/{topic}", gateway: "")),
            ],
            in: [
                BridgeSettings.Line(
                    filter: Array("sites/17/pi-garage/+/+/set".utf8),
                    rewrite: try TopicRewrite("{topic:2..}", gateway: ""))
            ])
        settings.queue.messages = messages
        settings.maximumInFlight = inFlight
        return settings
    }

    private func message(_ topic: String, retain: Bool = false) -> Publish {
        Publish(topic: Array(topic.utf8), payload: [1, 0, 255], qos: .atMostOnce, retain: retain)
    }

    /// A token as a client gives it, with a number of its own.
    private static func tokens(_ count: Int) -> [MessageToken] {
        var settings = ClientSettings(clientID: [])
        settings.acknowledgement = .deferred
        var client = ClientState(settings, now: .now)
        client.transportOpened(now: .now)
        client.received([0x20, 0x03, 0x00, 0x00, 0x00].span, now: .now)
        for number in 1...count {
            client.received([0x32, 0x06, 0x00, 0x01, 0x61, 0x00, UInt8(number), 0x00].span, now: .now)
        }
        return client.takeEvents().compactMap { event in
            if case .message(_, let token) = event { token } else { nil }
        }
    }

    private func forwarded(_ actions: [BridgeState.Action]) -> [String] {
        actions.compactMap { action in
            guard case .forward(let message, let number) = action else { return nil }
            return "\(number) \(String(decoding: message.topic, as: UTF8.self)) qos \(message.qos.rawValue)"
        }
    }

    private func alarms(_ actions: [BridgeState.Action]) -> [BridgeEvent] {
        actions.compactMap { action in
            if case .alarm(let event) = action { event } else { nil }
        }
    }

    @Test mutating func `a local message is acknowledged when the queue holds it, and forwarded`() {
        bridge.linkUp(now: now)
        _ = bridge.takeActions()
        let token = Self.tokens(1)[0]
        bridge.localMessage(message("pi-garage/meter/power", retain: true), token, now: now)
        let actions = bridge.takeActions()
        #expect(forwarded(actions) == ["1 sites/17/pi-garage/meter/power qos 1"])
        #expect(actions.contains(.acknowledgeLocal(token)))
        guard case .forward(let message, _) = actions.first(where: { forwarded([$0]) != [] }) else { return }
        #expect(message.payload == [1, 0, 255] && message.retain)
        bridge.upstreamAcknowledged(1, .success, now: now)
        #expect(bridge.queue.isEmpty)
    }

    @Test mutating func `the first line that matches decides`() {
        bridge.linkUp(now: now)
        bridge.localMessage(message("pi-garage/meter/fast"), nil, now: now)
        #expect(forwarded(bridge.takeActions()) == ["1 f/meter qos 0"])
    }

    @Test mutating func `while the link is down messages wait, in order`() {
        for index in 1...3 { bridge.localMessage(message("pi-garage/\(index)"), Self.tokens(1)[0], now: now) }
        let offline = bridge.takeActions()
        #expect(forwarded(offline) == [])
        #expect(offline.count { if case .acknowledgeLocal = $0 { true } else { false } } == 3)
        bridge.linkUp(now: now)
        let online = bridge.takeActions()
        #expect(
            forwarded(online).map { $0.split(separator: "/").last.map(String.init) } == [
                "1 qos 1", "2 qos 1", "3 qos 1",
            ])
        #expect(alarms(online) == [.linkUp(waiting: 3)])
        for number in 1...3 { bridge.upstreamAcknowledged(number, .success, now: now) }
        #expect(alarms(bridge.takeActions()) == [.caughtUp])
    }

    @Test mutating func `no more messages are on their way than the window has places`() throws {
        bridge = BridgeState(try Self.settings(inFlight: 2))
        bridge.linkUp(now: now)
        for index in 1...4 { bridge.localMessage(message("pi-garage/\(index)"), nil, now: now) }
        #expect(forwarded(bridge.takeActions()).count == 2)
        bridge.upstreamAcknowledged(1, .success, now: now)
        #expect(forwarded(bridge.takeActions()) == ["3 sites/17/pi-garage/3 qos 1"])
    }

    @Test mutating func `a message that the upstream refuses is counted and never tried again`() {
        bridge.linkUp(now: now)
        bridge.localMessage(message("pi-garage/poison"), nil, now: now)
        _ = bridge.takeActions()
        bridge.upstreamAcknowledged(1, .topicNameInvalid, now: now)
        let actions = bridge.takeActions()
        #expect(alarms(actions) == [.dropped(.refused, count: 1)])
        bridge.linkDown("cut", now: now)
        bridge.linkUp(now: now)
        #expect(forwarded(bridge.takeActions()) == [])
    }

    @Test mutating func `a topic that can't be rewritten is counted and acknowledged`() throws {
        let line = BridgeSettings.Line(filter: [0x23], rewrite: try TopicRewrite("{topic:4..}", gateway: ""))
        bridge = BridgeState(BridgeSettings(clientID: [0x63], out: [line]))
        let token = Self.tokens(1)[0]
        bridge.localMessage(message("a/b"), token, now: now)
        let actions = bridge.takeActions()
        #expect(actions.contains(.acknowledgeLocal(token)))
        #expect(alarms(actions) == [.dropped(.topicInvalid, count: 1)])
    }

    @Test mutating func `drops are reported at once, then together`() throws {
        bridge = BridgeState(try Self.settings(messages: 2))
        for index in 1...3 { bridge.localMessage(message("pi-garage/\(index)"), nil, now: now) }
        let first = alarms(bridge.takeActions())
        #expect(first == [.queueFilling(percent: 100), .dropped(.queueFull, count: 1)])
        for index in 4...9 { bridge.localMessage(message("pi-garage/\(index)"), nil, now: now) }
        #expect(alarms(bridge.takeActions()) == [])
        let due = try #require(bridge.wakeAt)
        bridge.tick(now: due)
        #expect(alarms(bridge.takeActions()) == [.dropped(.queueFull, count: 6)])
        bridge.tick(now: due + .seconds(20))
        #expect(alarms(bridge.takeActions()) == [])
        #expect(bridge.wakeAt == nil)
    }

    @Test mutating func `what comes in is published locally under its new topic, with its retain flag`() {
        let token = Self.tokens(1)[0]
        bridge.upstreamMessage(message("sites/17/pi-garage/relay/1/set", retain: true), token, now: now)
        guard case .publishLocally(let message, let returned) = bridge.takeActions().first else {
            Issue.record("not published")
            return
        }
        #expect(String(decoding: message.topic, as: UTF8.self) == "pi-garage/relay/1/set")
        #expect(message.retain && message.qos == .atLeastOnce && message.payload == [1, 0, 255])
        #expect(returned == token)
    }

    @Test mutating func `what no line wants is acknowledged and counted`() {
        let token = Self.tokens(1)[0]
        bridge.upstreamMessage(message("other/topic"), token, now: now)
        #expect(bridge.takeActions() == [.acknowledgeUpstream(token), .alarm(.notWanted(count: 1))])
    }

    @Test func `neither side sends the bridge its own messages`() {
        for request in bridge.localSubscriptions + bridge.upstreamSubscriptions {
            #expect(request.noLocal && request.retainAsPublished)
        }
        #expect(bridge.localSubscriptions.allSatisfy { $0.qos == .atLeastOnce })
    }

    @Test mutating func `attempts that fail alike are one line`() {
        for _ in 0..<3 { bridge.linkDown("connection refused", now: now) }
        bridge.linkDown("no address", now: now)
        #expect(
            alarms(bridge.takeActions()) == [
                .linkDown("connection refused", waiting: 0), .linkDown("no address", waiting: 0),
            ])
    }

    @Test mutating func `properties of the message go on, those of the hop do not`() {
        var message = message("pi-garage/a")
        message.properties[bytes: .contentType] = Array("text/plain".utf8)
        message.properties.userProperties = [
            Properties.UserProperty(name: [0x61], value: [0x31]), Properties.UserProperty(name: [0x61], value: [0x32]),
        ]
        message.properties.subscriptionIdentifiers = [7]
        bridge.linkUp(now: now)
        _ = bridge.takeActions()
        bridge.localMessage(message, nil, now: now)
        guard case .forward(let forwarded, _) = bridge.takeActions().first else {
            Issue.record("not forwarded")
            return
        }
        #expect(forwarded.properties[bytes: .contentType] == Array("text/plain".utf8))
        #expect(forwarded.properties.userProperties.dropLast() == message.properties.userProperties[...])
        #expect(forwarded.properties.subscriptionIdentifiers.isEmpty)
    }

    @Test mutating func `a message that the client gave back goes out later`() {
        bridge.linkUp(now: now)
        bridge.localMessage(message("pi-garage/x/fast"), nil, now: now)
        _ = bridge.takeActions()
        bridge.linkDown("cut", now: now)
        bridge.notForwarded(1, .notConnected, now: now)
        bridge.linkUp(now: now)
        #expect(forwarded(bridge.takeActions()) == ["1 f/x qos 0"])
    }

    @Test mutating func `refused subscriptions are named`() {
        bridge.upstreamSubscribed([.notAuthorized])
        #expect(
            alarms(bridge.takeActions()) == [
                .subscriptionRefused(filter: "sites/17/pi-garage/+/+/set", reason: "\(ReasonCode.notAuthorized)")
            ])
    }
}
