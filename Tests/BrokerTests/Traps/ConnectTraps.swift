import MQTTCodec
import Testing

@testable import Broker

/// Traps 1 to 11: what a CONNECT may be, and how it is answered.
@Suite struct ConnectTraps {
    private let broker = TestBroker()

    // Reserved flag, will QoS without will, will retain without will, will QoS 3, the last with and without will.
    @Test(arguments: [0x03, 0x0A, 0x22, 0x1E, 0x1A] as [UInt8], ProtocolVersion.allCases)
    func `trap 1: a malformed CONNECT is closed, before version 5 without a word`(
        flags: UInt8, version: ProtocolVersion
    ) throws {
        let client = try #require(broker.open())
        client.send(connectFlags: flags, version)
        let seen = client.seen()
        #expect(client.isClosed)
        #expect(version == .v5 ? seen.connack?.reasonCode.isError != false : seen.isEmpty)
        #expect(seen.count <= 1)
    }

    // Level 6 is nobody's; MQIsdp is 3's name alone, and MQTT is the name of 4 and 5 alone.
    @Test(arguments: [
        ("00 04 4D 51 54 54 06", true), ("00 04 4D 51 54 54 03", true), ("00 06 4D 51 49 73 64 70 04", false),
        ("00 06 4D 51 49 73 64 70 05", false), ("00 04 4D 51 54 51 04", false), ("00 04 6D 71 74 74 04", false),
    ])
    func `trap 2: an unknown level is told so, an unknown name is closed`(start: String, isLevel: Bool) throws {
        let client = try #require(broker.open())
        let length = start.split(separator: " ").count + 5
        try client.send(hex: "10 0\(String(length, radix: 16)) \(start) 02 00 00 00 00")
        let (bytes, outcome) = broker.flush(client.id)
        #expect(outcome == .close)
        if isLevel {
            #expect(bytes == [0x20, 2, 0, 1] || bytes == [0x20, 3, 0, 0x84, 0])
        } else {
            #expect(bytes.isEmpty || bytes == [0x20, 2, 0, 1])
        }
    }

    @Test func `trap 2: version 3 is MQIsdp, and has no Session Present and no empty client ids`() throws {
        let client = try #require(broker.open())
        try client.send(hex: "10 0F 00 06 4D 51 49 73 64 70 03 00 00 00 00 01 61")
        #expect(broker.flush(client.id).bytes == [0x20, 2, 0, 0])
        client.lose()
        let back = try #require(broker.open())
        try back.send(hex: "10 0F 00 06 4D 51 49 73 64 70 03 00 00 00 00 01 61")
        #expect(broker.flush(back.id).bytes == [0x20, 2, 0, 0])
        // In 3.1 what is sent again has DUP, SUBSCRIBE too.
        try back.send(hex: "8A 06 00 05 00 01 74 01")
        #expect(broker.flush(back.id).bytes == [0x90, 3, 0, 5, 1])
        let nobody = try #require(broker.open())
        try nobody.send(hex: "10 0E 00 06 4D 51 49 73 64 70 03 02 00 00 00 00")
        let (bytes, outcome) = broker.flush(nobody.id)
        #expect(bytes == [0x20, 2, 0, 2])
        #expect(outcome == .close)
    }

    @Test(arguments: PacketType.allCases.filter { $0 != .connect })
    func `trap 3: a first packet that is not CONNECT is closed without a word`(type: PacketType) throws {
        let client = try #require(broker.open())
        client.send([type.firstByte, 2, 0, 1])
        #expect(client.seen().isEmpty)
        #expect(client.isClosed)
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 3: a second CONNECT ends the connection and publishes the will`(version: ProtocolVersion) throws {
        let watcher = try broker.watcher("will")
        let client = try broker.client("c", version) { $0.will = will("gone") }
        let seen = client.connect("c", version)
        #expect(client.isClosed)
        #expect(seen.disconnectCode == (version == .v5 ? .protocolError : nil))
        #expect(seen.connack == nil)
        #expect(watcher.messages() == ["will gone"])
    }

    // A wrong flag, a Receive Maximum of 0, authentication data alone, an id of the gateway's own.
    @Test(
        arguments: [
            (0x03, [], [0, 0]), (0x02, [0x21, 0, 0], [0, 0]), (0x02, [0x16, 0, 1, 0], [0, 0]),
            (0x02, [], [0, 9, 0x24, 0x6D, 0x61, 0x72, 0x74, 0x6C, 0x65, 0x74, 0x2F]),
        ] as [(UInt8, [UInt8], [UInt8])])
    func `trap 4: an error in CONNECT never ends with DISCONNECT`(
        flags: UInt8, properties: [UInt8], payload: [UInt8]
    ) throws {
        let client = try #require(broker.open())
        client.send(connectFlags: flags, .v5, properties: properties, payload: payload)
        let seen = client.seen()
        #expect(client.isClosed)
        #expect(seen.disconnectCode == nil)
        #expect(seen.connack?.reasonCode.isError != false)
    }

    @Test(arguments: ProtocolVersion.before5)
    func `trap 5: before version 5 an empty client id with a session to keep is refused`(
        version: ProtocolVersion
    ) throws {
        let client = try #require(broker.open())
        let connack = try #require(client.connect("", version, clean: false).connack)
        #expect(connack.reasonCode == .clientIdentifierNotValid)
        #expect(!connack.sessionPresent)
        #expect(client.isClosed)
    }

    @Test func `trap 5: version 5 gives clients without an id different ones`() throws {
        let ids = try (0..<3).map { _ in
            let client = try #require(broker.open())
            return client.connect("", clean: false).connack?.properties[bytes: .assignedClientIdentifier]
        }
        #expect(Set(ids).count == 3)
        #expect(!ids.contains(nil) && !ids.contains([]))
    }

    @Test func `trap 6: a client's own id is not sent back`() throws {
        let client = try #require(broker.open())
        let connack = try #require(client.connect("mine").connack)
        #expect(connack.properties[bytes: .assignedClientIdentifier] == nil)
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 7: a password without a user name is malformed except in version 5`(version: ProtocolVersion) throws {
        let client = try #require(broker.open())
        client.send(connectFlags: 0x42, version, payload: [0, 1, 0x61, 0, 1, 0x70])
        let seen = client.seen()
        guard version == .v5 else {
            #expect(seen.isEmpty)
            #expect(client.isClosed)
            return
        }
        #expect(seen.connack != nil)
        #expect(seen.connack?.reasonCode != .malformedPacket && seen.connack?.reasonCode != .protocolError)
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 8: the old connection of a client id is told and closed before the new one is answered`(
        version: ProtocolVersion
    ) throws {
        let old = try broker.client("twin", version)
        let new = try #require(broker.open())
        // Flushed in between nothing: the broker decides the order.
        #expect(new.connect("twin", version).connack?.reasonCode == .success)
        let last = old.seen()
        #expect(old.isClosed)
        #expect(last.disconnectCode == (version == .v5 ? .sessionTakenOver : nil))
        #expect(last.count == (version == .v5 ? 1 : 0))
    }

    // Delay, expiry, clean start of the new one: is the old will published, and when?
    @Test(
        arguments: [
            (0, 100, false, 1), (0, 100, true, 1), (60, 100, true, 1), (60, 100, false, 0), (60, 0, false, 1),
        ] as [(UInt32, UInt32, Bool, Int)])
    func `trap 9: a take-over publishes the old will unless its session is resumed within the delay`(
        delay: UInt32, expiry: UInt32, clean: Bool, published: Int
    ) throws {
        let watcher = try broker.watcher("will")
        _ = try broker.client("c", clean: false, expiry: expiry) { $0.will = will("old", delay: delay) }
        _ = try broker.client("c", clean: clean, expiry: expiry)
        #expect(watcher.messages().count == published)
        broker.advance(.seconds(61))
        #expect(watcher.messages().isEmpty)
    }

    @Test(arguments: ProtocolVersion.before5)
    func `trap 9: before version 5 a take-over publishes the old will at once`(version: ProtocolVersion) throws {
        let watcher = try broker.watcher("will")
        _ = try broker.client("c", version, clean: false) { $0.will = will("old") }
        _ = try broker.client("c", version, clean: false)
        #expect(watcher.messages() == ["will old"])
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 10: what follows a refused CONNECT in the same bytes has no effect`(version: ProtocolVersion) throws {
        let watcher = try broker.watcher("#")
        let client = try #require(broker.open(anonymous: false))
        client.version = version
        client.send { self.pipelined(version, into: &$0) }
        let seen = client.seen()
        #expect(seen.count == 1)
        #expect(seen.connack?.reasonCode.isError == true)
        #expect(client.isClosed)
        #expect(watcher.messages().isEmpty)
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 11: what follows a good CONNECT in the same bytes is handled in order, after the CONNACK`(
        version: ProtocolVersion
    ) throws {
        let client = try #require(broker.open())
        client.version = version
        client.send { self.pipelined(version, into: &$0) }
        let seen = client.seen()
        #expect(seen.count == 3)
        guard case .connack = seen.first, case .suback = seen.dropFirst().first, case .publish = seen.last else {
            Issue.record("\(seen)")
            return
        }
    }

    @Test(arguments: ProtocolVersion.since311)
    func `trap 11: no queued message overtakes the CONNACK of a resumed session`(version: ProtocolVersion) throws {
        let away = try broker.client("away", version, clean: false, expiry: version == .v5 ? 100 : nil)
        away.subscribe("t", .atLeastOnce)
        away.lose()
        try broker.client("p").publish("t", "waited", .atLeastOnce)
        let back = try #require(broker.open())
        let seen = back.connect("away", version, clean: false, expiry: version == .v5 ? 100 : nil)
        guard case .connack(let connack)? = seen.first else {
            Issue.record("\(seen)")
            return
        }
        #expect(connack.sessionPresent)
        #expect(seen.payloads == ["waited"])
    }

    private func pipelined(_ version: ProtocolVersion, into bytes: inout [UInt8]) {
        var connect = Connect(version: version)
        connect.clientID = text("hasty")
        connect.encode(into: &bytes)
        Subscribe(packetID: 1, requests: [.init(filter: text("t"), qos: .atMostOnce)])
            .encode(into: &bytes, version: version)
        Publish(topic: text("t"), payload: [1]).encode(into: &bytes, version: version)
    }
}
