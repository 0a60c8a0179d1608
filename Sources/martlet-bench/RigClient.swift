import Broker
import Bytes
import MQTTCodec

/// The far end of a connection of the rig: reads what it got, counts it, and acknowledges what wants it.
struct RigClient {
    let id: ConnectionID
    let version: ProtocolVersion
    /// What it says in the next turn.
    var outgoing: [UInt8] = []
    /// What was written to it.
    var inbox: [UInt8] = []

    init(id: ConnectionID, version: ProtocolVersion) {
        self.id = id
        self.version = version
    }

    static func connect(_ name: String, _ version: ProtocolVersion) -> [UInt8] {
        var connect = Connect(version: version)
        connect.clientID = Array(name.utf8)
        var bytes: [UInt8] = []
        connect.encode(into: &bytes)
        return bytes
    }

    static func subscribe(_ filters: [String], _ qos: QoS, _ version: ProtocolVersion) -> [UInt8] {
        let requests = filters.map { Subscribe.Request(filter: Array($0.utf8), qos: qos) }
        var bytes: [UInt8] = []
        Subscribe(packetID: 1, requests: requests).encode(into: &bytes, version: version)
        return bytes
    }

    /// One PUBLISH; its payload begins with its number.
    static func publish(
        _ topic: String, _ number: Int, _ qos: QoS, _ version: ProtocolVersion, size: Int = 64, retain: Bool = false
    ) -> [UInt8] {
        var payload = [UInt8](repeating: UInt8(ascii: "x"), count: size)
        for (place, digit) in String(number).utf8.enumerated() where place < size { payload[place] = digit }
        var publish = Publish(topic: Array(topic.utf8), payload: payload, qos: qos, retain: retain)
        if qos != .atMostOnce { publish.packetID = UInt16(truncatingIfNeeded: number % 60_000 + 1) }
        var bytes: [UInt8] = []
        publish.encode(into: &bytes, version: version)
        return bytes
    }

    /// Reads all that was written since the last look.
    mutating func read(_ seen: inout Seen) throws(Discrepancy) {
        var bytes: [UInt8] = []
        swap(&bytes, &inbox)
        var start = 0
        do {
            while let header = try FixedHeader.parse(bytes.span, at: start) {
                try read(bytes.span.extracting(start..<(start + header.length)), header, &seen)
                start += header.length
            }
        } catch {
            throw Discrepancy("the broker wrote a packet that can't be read: \(error)")
        }
        guard start == bytes.count else { throw Discrepancy("the broker wrote half a packet") }
        bytes.removeAll(keepingCapacity: true)
        swap(&bytes, &inbox)
    }

    private mutating func read(
        _ packet: Span<UInt8>, _ header: FixedHeader, _ seen: inout Seen
    ) throws(DecodeError) {
        switch header.type {
        case .connack: if try !Connack(packet, header, version: version).reasonCode.isError { seen.connected += 1 }
        case .suback:
            let codes = try Suback(packet, header, version: version).reasonCodes
            seen.subscribed += codes.count { !$0.isError }
        case .publish: try publishRead(packet, header, &seen)
        case .puback, .pubcomp: seen.acknowledged += 1
        case .pubrec: try answer(.pubrel, packet, header)
        case .pubrel: try answer(.pubcomp, packet, header)
        default: break
        }
    }

    private mutating func publishRead(
        _ packet: Span<UInt8>, _ header: FixedHeader, _ seen: inout Seen
    ) throws(DecodeError) {
        let publish = try PublishHeader(packet, header, version: version)
        seen.messages += 1
        seen.payloadBytes += publish.payload.count
        guard publish.qos != .atMostOnce else { return }
        Acknowledgement(packetID: publish.packetID)
            .encode(publish.qos == .atLeastOnce ? .puback : .pubrec, into: &outgoing, version: version)
    }

    private mutating func answer(
        _ type: PacketType, _ packet: Span<UInt8>, _ header: FixedHeader
    ) throws(DecodeError) {
        let received = try Acknowledgement(packet, header, version: version)
        Acknowledgement(packetID: received.packetID).encode(type, into: &outgoing, version: version)
    }
}
