import MQTTCodec
import Testing

@testable import Broker

/// Traps 23 to 29: bytes that are no packet, and texts that are no text.
@Suite struct BytesTraps {
    private let broker = TestBroker()

    /// Sends the bytes as a connected client; the broker must close, and tell version 5 clients the code.
    private func expectClosed(_ bytes: [UInt8], _ version: ProtocolVersion, _ codes: Set<ReasonCode>) throws {
        let client = try broker.client("c", version)
        client.send(bytes)
        let seen = client.seen()
        #expect(client.isClosed, "\(bytes)")
        guard version == .v5 else { return #expect(seen.isEmpty) }
        let code = try #require(seen.disconnectCode)
        #expect(codes.contains(code), "\(bytes): \(code)")
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 23: a fifth length byte is malformed without waiting for more`(version: ProtocolVersion) throws {
        try expectClosed([0x30, 0x80, 0x80, 0x80, 0x80], version, [.malformedPacket])
        try expectClosed([0x30, 0xFF, 0xFF, 0xFF, 0xFF], version, [.malformedPacket])
    }

    @Test(
        arguments: [
            [0xC0, 0x80, 0x00],  // remaining length
            [0x30, 0x06, 0, 1, 0x61, 0x80, 0x00, 0x78],  // property length
            [0x82, 0x0A, 0, 1, 3, 0x0B, 0x81, 0x00, 0, 1, 0x61, 0],  // subscription identifier
        ] as [[UInt8]])
    func `trap 23: a length longer than it need be is malformed`(bytes: [UInt8]) throws {
        try expectClosed(bytes, .v5, [.malformedPacket])
    }

    /// Surrogate, overlong in two forms, beyond U+10FFFF, cut, and U+0000.
    static let badTexts: [[UInt8]] = [
        [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC3], [0x61, 0x00],
    ]

    @Test(arguments: badTexts)
    func `trap 24: text that is not UTF-8 is refused everywhere in CONNECT`(bad: [UInt8]) throws {
        let changes: [(inout Connect) -> Void] = [
            { $0.clientID = bad }, { $0.userName = bad }, { $0.will = Connect.Will(topic: bad, payload: []) },
            { $0.properties[bytes: .authenticationMethod] = bad },
            { $0.properties.userProperties = [.init(name: bad, value: [])] },
            { $0.properties.userProperties = [.init(name: [], value: bad)] },
            {
                $0.will = will("x")
                $0.will?.properties[bytes: .contentType] = bad
            },
            {
                $0.will = will("x")
                $0.will?.properties[bytes: .responseTopic] = bad
            },
        ]
        for change in changes {
            let client = try #require(broker.open())
            #expect(client.connect("c", .v5, change).connack?.reasonCode.isError != false)
            #expect(client.isClosed)
        }
        for version in ProtocolVersion.allCases {
            for change in changes.prefix(3) {
                let client = try #require(broker.open())
                #expect(client.connect("c", version, change).connack?.reasonCode.isError != false)
                #expect(client.isClosed)
            }
        }
    }

    @Test(arguments: badTexts, ProtocolVersion.allCases)
    func `trap 24: a topic or filter that is not UTF-8 ends the connection`(
        bad: [UInt8], version: ProtocolVersion
    ) throws {
        var packets: [[UInt8]] = [[], [], []]
        Publish(topic: bad, payload: []).encode(into: &packets[0], version: version)
        Subscribe(packetID: 1, requests: [.init(filter: bad, qos: .atMostOnce)])
            .encode(into: &packets[1], version: version)
        Unsubscribe(packetID: 1, filters: [bad]).encode(into: &packets[2], version: version)
        for packet in packets {
            try expectClosed(packet, version, [.malformedPacket, .topicNameInvalid, .topicFilterInvalid])
        }
    }

    @Test(arguments: badTexts)
    func `trap 24: a property that is not UTF-8 ends the connection`(bad: [UInt8]) throws {
        for property in [Property.contentType, .responseTopic] {
            var publish = Publish(topic: text("t"), payload: [])
            publish.properties[bytes: property] = bad
            var bytes: [UInt8] = []
            publish.encode(into: &bytes, version: .v5)
            try expectClosed(bytes, .v5, [.malformedPacket, .protocolError])
        }
        for pair in [Properties.UserProperty(name: bad, value: []), .init(name: [], value: bad)] {
            var publish = Publish(topic: text("t"), payload: [])
            publish.properties.userProperties = [pair]
            var bytes: [UInt8] = []
            publish.encode(into: &bytes, version: .v5)
            try expectClosed(bytes, .v5, [.malformedPacket])
        }
        let reason = [0x1F, 0, UInt8(bad.count)] + bad
        for type in [PacketType.puback, .pubrec, .pubrel, .pubcomp] {
            let packet = [type.firstByte, UInt8(4 + reason.count), 0, 1, 0, UInt8(reason.count)] + reason
            try expectClosed(packet, .v5, [.malformedPacket])
        }
        try expectClosed([0xE0, UInt8(2 + reason.count), 0, UInt8(reason.count)] + reason, .v5, [.malformedPacket])
    }

    // The same to the eye: with and without byte order mark, composed and decomposed.
    @Test(arguments: [("\u{FEFF}t", "t"), ("\u{E9}", "e\u{301}")], ProtocolVersion.allCases)
    func `trap 25: topics and client ids are compared byte for byte`(
        pair: (String, String), version: ProtocolVersion
    ) throws {
        let one = try broker.client(pair.0, version)
        one.subscribe(pair.0)
        let other = try broker.client(pair.1, version)
        #expect(one.seen().isEmpty && !one.isClosed)
        other.publish(pair.1, "other")
        other.publish(pair.0, "same")
        let seen = one.publishes()
        #expect(seen.map(\.payload) == [text("same")])
        #expect(seen.map(\.topic) == [text(pair.0)])
        other.publish(pair.0, "kept", retain: true)
        _ = other.subscribe(pair.1)
        #expect(other.seen().isEmpty)
    }

    @Test(arguments: PacketType.allCases.filter { $0 != .publish }, ProtocolVersion.allCases)
    func `trap 26: flags other than the reserved ones are malformed`(
        type: PacketType, version: ProtocolVersion
    ) throws {
        let required = try #require(type.requiredFlags)
        for flags in 0..<UInt8(16) where flags != required {
            // 3.1 has DUP on what has the flags 2.
            if version == .v31, required == 2, flags == 0x0A { continue }
            try expectClosed([type.rawValue << 4 | flags, 2, 0, 1], version, [.malformedPacket])
        }
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 27: QoS 3, DUP at QoS 0 and packet identifier 0 are malformed`(version: ProtocolVersion) throws {
        let none: [UInt8] = version == .v5 ? [0] : []
        let packets: [[UInt8]] = [
            [0x36, UInt8(5 + none.count), 0, 1, 0x61, 0, 1] + none,
            [0x38, UInt8(3 + none.count), 0, 1, 0x61] + none,
            [0x32, UInt8(5 + none.count), 0, 1, 0x61, 0, 0] + none,
            [0x34, UInt8(5 + none.count), 0, 1, 0x61, 0, 0] + none,
            [0x82, UInt8(6 + none.count), 0, 0] + none + [0, 1, 0x61, 0],
            [0xA2, UInt8(5 + none.count), 0, 0] + none + [0, 1, 0x61],
        ]
        for packet in packets { try expectClosed(packet, version, [.malformedPacket, .protocolError]) }
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 28: bytes too many or too few are malformed`(version: ProtocolVersion) throws {
        for type in [PacketType.puback, .pubrec, .pubrel, .pubcomp] {
            try expectClosed([type.firstByte, 1, 0], version, [.malformedPacket])
            let tooLong: [UInt8] = version == .v5 ? [5, 0, 1, 0, 0, 0] : [3, 0, 1, 0]
            try expectClosed([type.firstByte] + tooLong, version, [.malformedPacket])
        }
        try expectClosed([0xC0, 1, 0], version, [.malformedPacket])
        try expectClosed([0xE0] + (version == .v5 ? [3, 0, 0, 0] : [1, 0]), version, [.malformedPacket])
        try expectClosed([0x82] + (version == .v5 ? [4, 0, 1, 0, 0] : [3, 0, 1, 0]), version, [.malformedPacket])
    }

    @Test func `trap 28: short forms of version 5 stand for success`() throws {
        let client = try broker.client("c", expiry: 100) { $0.will = will("not published") }
        client.subscribe("t", .atLeastOnce)
        let publisher = try broker.client("p")
        for (number, hex) in ["40 02 00 01", "40 03 00 02 00", "40 04 00 03 00 00"].enumerated() {
            publisher.publish("t", "\(number)", .atLeastOnce)
            #expect(client.publishes().map(\.packetID) == [UInt16(number + 1)])
            try client.send(hex: hex)
        }
        let watcher = try broker.watcher("will")
        try client.send(hex: "E0 00")
        #expect(client.seen().isEmpty && client.isClosed)
        #expect(watcher.messages().isEmpty)
        let back = try #require(broker.open())
        #expect(back.connect("c", clean: false).published.isEmpty)
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `trap 29: packets that only servers send end the connection`(version: ProtocolVersion) throws {
        for packet in [[0x20, 2, 0, 0], [0x90, 4, 0, 1, 0, 0], [0xB0, 3, 0, 1, 0], [0xD0, 0]] as [[UInt8]] {
            try expectClosed(packet, version, [.protocolError, .malformedPacket])
        }
        try expectClosed([0x00, 0], version, [.malformedPacket])
        if version != .v5 { try expectClosed([0xF0, 0], version, []) }
    }
}
