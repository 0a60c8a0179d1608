import Bytes
import MQTTCodec
import Testing

@testable import Client

/// A client and the server's end of its wire; what the client sends is read back as short lines.
struct TestLink {
    var client: ClientState
    var now: ContinuousClock.Instant
    let version: ProtocolVersion
    /// Split everything that the server sends into single bytes.
    var drips = false

    init(_ settings: ClientSettings = ClientSettings(clientID: Array("martlet".utf8))) {
        now = ContinuousClock.now
        version = settings.version
        client = ClientState(settings, now: now)
    }

    init(version: ProtocolVersion = .v5, _ change: (inout ClientSettings) -> Void) {
        var settings = ClientSettings(clientID: Array("martlet".utf8))
        settings.version = version
        change(&settings)
        self.init(settings)
    }

    // MARK: the server speaks

    mutating func server(_ bytes: [UInt8]) {
        guard drips else { return client.received(bytes.span, now: now) }
        for byte in bytes { client.received([byte].span, now: now) }
    }

    /// Opens the transport and accepts the connection; returns what the client sent after CONNECT.
    @discardableResult
    mutating func connect(present: Bool = false, _ properties: Properties = Properties()) -> [String] {
        client.transportOpened(now: now)
        _ = sent()
        connack(present: present, properties)
        return sent()
    }

    mutating func connack(
        present: Bool = false, _ properties: Properties = Properties(), code: ReasonCode = .success
    ) {
        var packet = Connack(sessionPresent: present, reasonCode: code)
        packet.properties = properties
        var bytes: [UInt8] = []
        packet.encode(into: &bytes, version: version)
        server(bytes)
    }

    mutating func answer(_ type: PacketType, _ packetID: UInt16, _ code: ReasonCode = .success) {
        var bytes: [UInt8] = []
        Acknowledgement(packetID: packetID, reasonCode: code).encode(type, into: &bytes, version: version)
        server(bytes)
    }

    mutating func suback(_ type: PacketType, _ packetID: UInt16, _ codes: [UInt8]) {
        var bytes: [UInt8] = []
        Suback(packetID: packetID, reasonCodes: codes.map { ReasonCode(rawValue: $0) })
            .encode(type, into: &bytes, version: version)
        server(bytes)
    }

    mutating func message(
        _ topic: String, _ packetID: UInt16, qos: QoS, duplicate: Bool = false, retain: Bool = false
    ) {
        var packet = Publish(topic: Array(topic.utf8), payload: [1], qos: qos, retain: retain)
        packet.packetID = packetID
        packet.duplicate = duplicate
        var bytes: [UInt8] = []
        packet.encode(into: &bytes, version: version)
        server(bytes)
    }

    mutating func pass(_ time: Duration) {
        now += time
        client.tick(now: now)
    }

    // MARK: what the client said

    /// Publishes, or returns the handle 0, which is nobody's.
    @discardableResult
    mutating func publish(
        _ topic: String, _ qos: QoS, retain: Bool = false, payload: [UInt8] = [1]
    ) -> RequestHandle {
        let message = Publish(topic: Array(topic.utf8), payload: payload, qos: qos, retain: retain)
        return (try? client.publish(message, now: now)) ?? RequestHandle(0)
    }

    /// What the client sent since the last call, a line each.
    mutating func sent() -> [String] {
        let bytes = client.takeOutput(now: now)
        var lines: [String] = []
        var start = 0
        while let header = try? FixedHeader.parse(bytes.span, at: start) {
            let packet = Array(bytes[start..<(start + header.length)])
            lines.append((try? line(packet, header)) ?? "NOT MQTT \(packet)")
            start += header.length
        }
        return start == bytes.count ? lines : lines + ["CUT"]
    }

    private func line(_ bytes: [UInt8], _ header: FixedHeader) throws -> String {
        switch header.type {
        case .connect:
            let packet = try Connect(bytes.span, header)
            let kind = packet.cleanStart ? "clean" : "resume"
            return "CONNECT \(String(decoding: packet.clientID, as: UTF8.self)) \(kind)"
        case .publish:
            let packet = try Publish(bytes.span, header, version: version)
            let marks = (packet.duplicate ? " dup" : "") + (packet.retain ? " retain" : "")
            let topic = String(decoding: packet.topic, as: UTF8.self)
            return "PUBLISH \(packet.packetID) \(topic) qos \(packet.qos.rawValue)\(marks)"
        case .puback, .pubrec, .pubrel, .pubcomp:
            let packet = try Acknowledgement(bytes.span, header, version: version)
            let code = packet.reasonCode == .success ? "" : " \(packet.reasonCode)"
            return "\(header.type) \(packet.packetID)\(code)".uppercasedFirstWord
        case .subscribe:
            let packet = try Subscribe(bytes.span, header, version: version)
            let filters = packet.requests.map { String(decoding: $0.filter, as: UTF8.self) }
            return "SUBSCRIBE \(packet.packetID) \(filters.joined(separator: " "))"
        case .unsubscribe:
            let packet = try Unsubscribe(bytes.span, header, version: version)
            let filters = packet.filters.map { String(decoding: $0, as: UTF8.self) }
            return "UNSUBSCRIBE \(packet.packetID) \(filters.joined(separator: " "))"
        case .disconnect: return "DISCONNECT \(try Disconnect(bytes.span, header, version: version).reasonCode)"
        default: return "\(header.type)".uppercasedFirstWord
        }
    }

    /// The topics of the messages that arrived since the last call, and their tokens.
    mutating func arrived() -> [(topic: String, token: MessageToken?)] {
        client.takeEvents().compactMap { event in
            guard case .message(let message, let token) = event else { return nil }
            return (String(decoding: message.topic, as: UTF8.self), token)
        }
    }

    /// The token of the last message that arrived since the last call.
    mutating func nextToken() throws -> MessageToken {
        let last = arrived().last?.token
        return try #require(last)
    }

    /// Why the connection ended, if it did since the last call.
    mutating func closed() -> CloseReason? {
        for case .closed(let reason) in client.takeEvents() { return reason }
        return nil
    }
}

extension String {
    fileprivate var uppercasedFirstWord: String {
        let end = firstIndex(of: " ") ?? endIndex
        return self[..<end].uppercased() + self[end...]
    }
}

extension Properties {
    /// Numeric properties in one line.
    static func numbers(_ values: KeyValuePairs<Property, UInt32>) -> Properties {
        var properties = Properties()
        for (property, value) in values { properties[number: property] = value }
        return properties
    }
}
