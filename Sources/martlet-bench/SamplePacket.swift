import MQTTCodec

/// Packets as clients send them: topics of 30 bytes, payloads of 64.
enum SamplePacket {
    typealias Known = (bytes: [UInt8], sum: Int)

    static func message(_ qos: QoS, _ number: Int) -> Publish {
        let payload = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 64)
        var publish = Publish(
            topic: Array("site/house\(10 + number)/boiler/temperature".utf8), payload: payload, qos: qos)
        if qos != .atMostOnce { publish.packetID = UInt16(number + 1) }
        return publish
    }

    static func acknowledgement(_ number: Int) -> Acknowledgement {
        Acknowledgement(packetID: UInt16(number + 1))
    }

    static func welcome(_ number: Int) -> Connack {
        var connack = Connack(reasonCode: .success)
        connack.properties[number: .sessionExpiryInterval] = UInt32(number)
        connack.properties[number: .receiveMaximum] = 100
        connack.properties[number: .maximumPacketSize] = 1_000_000
        connack.properties[number: .topicAliasMaximum] = 10
        return connack
    }

    // MARK: encoded, with what the benchmarks find in them

    static func publish(_ qos: QoS, _ number: Int) -> Known {
        encoded(message(qos, number), .v311)
    }

    static func publishWithProperties(_ number: Int) -> Known {
        var publish = message(.atLeastOnce, number)
        publish.properties[number: .payloadFormatIndicator] = 1
        publish.properties[bytes: .contentType] = Array("text/plain".utf8)
        publish.properties.userProperties = [.init(name: Array("unit".utf8), value: Array("celsius".utf8))]
        return encoded(publish, .v5)
    }

    private static func encoded(_ publish: Publish, _ version: ProtocolVersion) -> Known {
        var bytes: [UInt8] = []
        publish.encode(into: &bytes, version: version)
        return (bytes, Int(publish.packetID) + publish.payload.count + publish.topic.count)
    }

    static func puback(_ number: Int) -> Known {
        ([0x40, 2, 0, UInt8(number + 1)], number + 1)
    }

    static func connect(_ version: ProtocolVersion, _ number: Int) -> Known {
        var connect = Connect(version: version)
        connect.clientID = Array("sensor-\(number)".utf8)
        connect.keepAlive = UInt16(60 + number)
        connect.userName = Array("anna".utf8)
        connect.password = Array("correct horse battery staple".utf8)
        if version == .v5 { addAll(to: &connect) }
        var bytes: [UInt8] = []
        connect.encode(into: &bytes)
        return (bytes, 60 + number)
    }

    private static func addAll(to connect: inout Connect) {
        connect.properties[number: .sessionExpiryInterval] = 3_600
        connect.properties[number: .receiveMaximum] = 20
        connect.properties[number: .topicAliasMaximum] = 10
        connect.properties[number: .requestProblemInformation] = 1
        connect.properties.userProperties = [.init(name: Array("firmware".utf8), value: Array("1.2.3".utf8))]
        connect.will = Connect.Will(topic: Array("sensors/status".utf8), payload: Array("offline".utf8))
    }

    /// How many whole packets these bytes are; 0 if they are something else.
    static func count(in bytes: [UInt8]) -> Int {
        var count = 0
        var start = 0
        while let header = try? FixedHeader.parse(bytes.span, at: start) {
            start += header.length
            count += 1
        }
        return start == bytes.count ? count : 0
    }
}
