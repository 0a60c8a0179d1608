import Bytes
import MQTTCodec
import Testing

@testable import Broker

/// What the trap tests need beside `TestClient`: packets written by hand, and short looks at what came back.
extension TestClient {
    func send(hex: String) throws { send(try #require(Hex.bytes(hex))) }

    /// A CONNECT with the given flags byte, written by hand; in version 5 with `properties` after their length.
    func send(
        connectFlags flags: UInt8, _ version: ProtocolVersion, properties: [UInt8] = [], payload: [UInt8] = [0, 0]
    ) {
        let name = text(version == .v31 ? "MQIsdp" : "MQTT")
        var body = [0, UInt8(name.count)] + name + [version.rawValue, flags, 0, 0]
        if version == .v5 { body += [UInt8(properties.count)] + properties }
        self.version = version
        send([0x10, UInt8(body.count + payload.count)] + body + payload)
    }
}

extension TestBroker {
    /// A connected client.
    func client(
        _ id: String, _ version: ProtocolVersion = .v5, clean: Bool = true, expiry: UInt32? = nil,
        _ change: (inout Connect) -> Void = { _ in }
    ) throws -> TestClient {
        let client = try #require(open())
        #expect(client.connect(id, version, clean: clean, expiry: expiry, change).connack?.reasonCode == .success)
        return client
    }

    /// A client that sees what is published to `filter`.
    func watcher(_ filter: String, _ qos: QoS = .atMostOnce) throws -> TestClient {
        let watcher = try client("watcher of \(filter)")
        watcher.subscribe(filter, qos)
        return watcher
    }
}

extension [Seen] {
    var connack: Connack? {
        for case .connack(let connack) in self { return connack }
        return nil
    }

    var published: [Publish] {
        compactMap { seen in
            guard case .publish(let publish) = seen else { return nil }
            return publish
        }
    }

    /// The payloads of the messages, as text; "again" is added where DUP is set.
    var payloads: [String] {
        published.map { String(decoding: $0.payload, as: UTF8.self) + ($0.duplicate ? " again" : "") }
    }

    /// The reason of the DISCONNECT, if there is one.
    var disconnectCode: ReasonCode? {
        for case .disconnect(let disconnect) in self { return disconnect.reasonCode }
        return nil
    }

    /// The codes of the SUBACK or UNSUBACK.
    var codes: [UInt8]? {
        for case .suback(let suback) in self { return suback.reasonCodes.map(\.rawValue) }
        for case .unsuback(let unsuback) in self { return unsuback.reasonCodes.map(\.rawValue) }
        return nil
    }

    /// The acknowledgements of a kind, as "5" or "5 0x92".
    func acknowledged(_ type: PacketType) -> [String] {
        compactMap { seen in
            guard case .acknowledgement(type, let packet) = seen else { return nil }
            let code = String(packet.reasonCode.rawValue, radix: 16)
            return packet.reasonCode == .success ? "\(packet.packetID)" : "\(packet.packetID) 0x\(code)"
        }
    }
}

extension ProtocolVersion {
    /// Those without properties and reason codes.
    static let before5 = allCases.filter { $0 != .v5 }
    /// Those whose CONNACK has Session Present, and whose clients may be without an id.
    static let since311 = allCases.filter { $0 != .v31 }
}

func text(_ string: String) -> [UInt8] { Array(string.utf8) }

func will(
    _ payload: String, _ qos: QoS = .atMostOnce, retain: Bool = false, delay: UInt32? = nil
) -> Connect.Will {
    var will = Connect.Will(topic: text("will"), payload: text(payload), qos: qos, retain: retain)
    will.properties[number: .willDelayInterval] = delay
    return will
}
