import MQTTCodec
import Testing

@testable import Client

/// Servers that end the connection instead of answering a message.
@Suite struct PoisonTests {
    /// Connects, answers every message that `kills` does not name, and ends the connection at the first that it does.
    ///
    /// Returns what the server took, by topic, and whether it ended the connection.
    private func turn(_ link: inout TestLink, kills: (String) -> Bool) -> (taken: [String], isEnded: Bool) {
        var lines = link.connect()
        var taken: [String] = []
        while !lines.isEmpty {
            for line in lines {
                let words = line.split(separator: " ").map(String.init)
                guard words.first == "PUBLISH", words.count > 2, let packetID = UInt16(words[1]) else { continue }
                if kills(words[2]) {
                    link.client.transportClosed("cut")
                    return (taken, true)
                }
                taken.append(words[2])
                link.answer(.puback, packetID)
            }
            lines = link.sent()
        }
        link.client.transportClosed("the end")
        return (taken, false)
    }

    private func handles(_ link: inout TestLink) -> [RequestHandle: ReasonCode] {
        var codes: [RequestHandle: ReasonCode] = [:]
        for case .acknowledged(let handle, let code) in link.client.takeEvents() { codes[handle] = code }
        return codes
    }

    @Test(arguments: [ProtocolVersion.v311, .v5], [[3], [0], [7], [2, 3], [0, 7], [0, 1, 2]])
    func `messages that kill the connection are set aside, the others arrive`(
        version: ProtocolVersion, bad: [Int]
    ) {
        var link = TestLink(version: version) { $0.setsPoisonAside = true }
        var all: [Int: RequestHandle] = [:]
        for number in 0..<8 { all[number] = link.publish("t\(number)", .atLeastOnce) }
        var codes: [RequestHandle: ReasonCode] = [:]
        var turns = 0
        while !link.client.isIdle, turns < 40 {
            _ = turn(&link, kills: { topic in bad.contains { topic == "t\($0)" } })
            codes.merge(handles(&link)) { first, _ in first }
            turns += 1
            // A gateway has news now and then: without another message nobody can tell an ill server from a bad message.
            if turns.isMultiple(of: 5) { link.publish("news", .atLeastOnce) }
        }
        #expect(turns < 40)
        for (number, handle) in all {
            #expect(codes[handle] == (bad.contains(number) ? .implementationSpecificError : .success), "\(number)")
        }
        let (isIdle, isCareful) = (link.client.isIdle, link.client.poison.isCareful)
        #expect(isIdle)
        #expect(!isCareful)
    }

    @Test func `a server that kills every message costs none`() {
        var link = TestLink { $0.setsPoisonAside = true }
        for number in 0..<5 { link.publish("t\(number)", .atLeastOnce) }
        for _ in 0..<50 { _ = turn(&link, kills: { _ in true }) }
        #expect(handles(&link).isEmpty)
        // It is well again.
        _ = turn(&link, kills: { _ in false })
        #expect(handles(&link).values.count { $0 == .success } == 5)
    }

    @Test func `a single message is kept for as long as there is no other`() {
        var link = TestLink { $0.setsPoisonAside = true }
        link.publish("bad", .atLeastOnce)
        for _ in 0..<20 { _ = turn(&link, kills: { $0 == "bad" }) }
        #expect(handles(&link).isEmpty)
        link.publish("good", .atLeastOnce)
        for _ in 0..<5 { _ = turn(&link, kills: { $0 == "bad" }) }
        #expect(handles(&link).values.sorted { $0.rawValue < $1.rawValue } == [.success, .implementationSpecificError])
    }

    @Test func `a single message that kills the connection rests, longer each time, and the connection stands`() throws
    {
        var link = TestLink {
            $0.setsPoisonAside = true
            $0.keepAliveSeconds = 0
        }
        let bad = link.publish("bad", .atLeastOnce)
        var ends = 0
        while turn(&link, kills: { $0 == "bad" }).isEnded, ends < 20 { ends += 1 }
        #expect(ends == 5)
        let isTold = link.client.takeEvents().contains(.heldBack(bad))
        #expect(isTold)
        for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
            link.connect()
            // It takes part in nothing: neither is an answer missed, nor is it sent too early.
            #expect(link.client.wakeAt == link.now + .seconds(60 * minutes))
            link.pass(.seconds(60 * minutes - 1))
            #expect(link.sent().isEmpty)
            let (isConnected, count) = (link.client.isConnected, link.client.heldBackCount)
            #expect(isConnected && count == 1)
            link.pass(.seconds(1))
            #expect(link.sent() == ["PUBLISH 1 bad qos 1"])
            link.client.transportClosed("cut")
        }
        #expect(handles(&link).isEmpty)
        link.connect()
        link.pass(.seconds(3_600))
        _ = link.sent()
        link.answer(.puback, 1)
        #expect(handles(&link) == [bad: .success])
        let (isIdle, isCareful) = (link.client.isIdle, link.client.poison.isCareful)
        #expect(isIdle && !isCareful)
    }

    @Test func `a resting message is tried as soon as the server has taken another, and then given up`() {
        var link = TestLink { $0.setsPoisonAside = true }
        let bad = link.publish("bad", .atLeastOnce)
        while turn(&link, kills: { $0 == "bad" }).isEnded {}
        link.connect()
        link.publish("good", .atLeastOnce)
        #expect(link.sent() == ["PUBLISH 2 good qos 1"])
        link.answer(.puback, 2)
        #expect(link.sent() == ["PUBLISH 1 bad qos 1"])
        link.client.transportClosed("cut")
        #expect(handles(&link)[bad] == .implementationSpecificError)
    }

    @Test func `when the server is well again, all are tried at once, and none is given up for what was before`() {
        var link = TestLink { $0.setsPoisonAside = true }
        for number in 0..<3 { link.publish("t\(number)", .atLeastOnce) }
        while turn(&link, kills: { _ in true }).isEnded {}
        #expect(link.client.heldBackCount == 3)
        link.connect()
        link.pass(.seconds(60))
        _ = link.sent()
        link.answer(.puback, 1)
        #expect(link.sent() == ["PUBLISH 2 t1 qos 1"])
        link.client.transportClosed("ill again")
        #expect(handles(&link).values.allSatisfy { $0 == .success })
    }

    @Test func `a server that is ill at more than three messages gets them as before`() {
        var link = TestLink { $0.setsPoisonAside = true }
        for number in 0..<4 { link.publish("t\(number)", .atLeastOnce) }
        for _ in 0..<50 {
            let isEnded = turn(&link, kills: { _ in true }).isEnded
            #expect(isEnded)
        }
        #expect(link.client.heldBackCount == 0)
    }

    @Test func `a message that rests is not missed by the time limit of those that follow`() {
        var link = TestLink {
            $0.setsPoisonAside = true
            $0.keepAliveSeconds = 0
            $0.acknowledgeTimeout = .seconds(10)
        }
        link.publish("bad", .atLeastOnce)
        while turn(&link, kills: { $0 == "bad" }).isEnded {}
        link.connect()
        _ = link.closed()
        link.pass(.seconds(30))
        link.publish("good", .atLeastOnce)
        link.pass(.seconds(9))
        let isConnected = link.client.isConnected
        #expect(isConnected)
        link.pass(.seconds(1))
        #expect(link.closed() == .noAcknowledgement)
    }

    @Test func `without the setting everything is sent again for ever`() {
        var link = TestLink { _ in }
        for topic in ["bad", "good"] { link.publish(topic, .atLeastOnce) }
        for _ in 0..<20 { _ = turn(&link, kills: { $0 == "bad" }) }
        #expect(handles(&link).isEmpty)
    }
}

@Suite struct TopicAliasTests {
    private func link(aliases: UInt32, own: Int = 256) -> TestLink {
        var link = TestLink { $0.topicAliases = own }
        link.connect(.numbers([.topicAliasMaximum: aliases]))
        return link
    }

    @Test func `a topic is written once, then its number stands for it`() {
        var link = link(aliases: 1)
        for topic in ["long/one", "long/two", "long/one", "long/two"] { link.publish(topic, .atLeastOnce) }
        #expect(
            link.sent() == [
                "PUBLISH 1 long/one qos 1", "PUBLISH 2 long/two qos 1", "PUBLISH 3  qos 1", "PUBLISH 4 long/two qos 1",
            ])
    }

    @Test func `numbers end with the connection`() {
        var link = link(aliases: 10)
        link.publish("long/one", .atLeastOnce)
        link.publish("long/one", .atLeastOnce)
        _ = link.sent()
        link.client.transportClosed("cut")
        #expect(
            link.connect(present: true, .numbers([.topicAliasMaximum: 10]))
                == ["PUBLISH 1 long/one qos 1 dup", "PUBLISH 2  qos 1 dup"])
        link.client.transportClosed("cut")
        #expect(link.connect(present: true) == ["PUBLISH 1 long/one qos 1 dup", "PUBLISH 2 long/one qos 1 dup"])
    }

    @Test func `a server or a client that wants none gets none`() {
        for (aliases, own) in [(0, 256), (10, 0)] as [(UInt32, Int)] {
            var link = link(aliases: aliases, own: own)
            link.publish("long/one", .atLeastOnce)
            link.publish("long/one", .atLeastOnce)
            #expect(link.sent() == ["PUBLISH 1 long/one qos 1", "PUBLISH 2 long/one qos 1"])
        }
    }

    @Test func `a message that is too large gives its number back`() {
        var link = TestLink { $0.topicAliases = 256 }
        link.connect(.numbers([.topicAliasMaximum: 10, .maximumPacketSize: 40]))
        link.publish("long/one", .atLeastOnce, payload: Array(repeating: 1, count: 100))
        link.publish("long/one", .atLeastOnce)
        #expect(link.sent() == ["PUBLISH 2 long/one qos 1"])
        #expect(link.client.restrictions == "takes 40 bytes at most")
    }
}
