import Bytes

/// A client's request to connect. [MQTT 5, section 3.1]
package struct Connect: Equatable, Sendable {
    /// The message the server publishes when the connection ends without DISCONNECT.
    package struct Will: Equatable, Sendable {
        package var topic: [UInt8]
        package var payload: [UInt8]
        package var qos: QoS
        package var retain: Bool
        package var properties = Properties()

        package init(topic: [UInt8], payload: [UInt8], qos: QoS = .atMostOnce, retain: Bool = false) {
            self.topic = topic
            self.payload = payload
            self.qos = qos
            self.retain = retain
        }
    }

    package var version: ProtocolVersion
    /// Set by mosquitto's bridges in the highest bit of the level: they want no message of their own back, and
    /// RETAIN as it was published.
    package var isBridge = false
    /// Clean session in 3.1.1, clean start in 5.
    package var cleanStart = true
    /// In seconds; 0 means none.
    package var keepAlive: UInt16 = 0
    package var clientID: [UInt8] = []
    package var will: Will?
    package var userName: [UInt8]?
    package var password: [UInt8]?
    package var properties = Properties()

    package init(version: ProtocolVersion) {
        self.version = version
    }
}

extension Connect {
    /// Reads the CONNECT packet that `bytes` begins with.
    package init(_ bytes: Span<UInt8>, _ header: FixedHeader) throws(DecodeError) {
        var reader = try header.body(of: bytes)
        (version, isBridge) = try Self.version(&reader, of: bytes)
        let flagsAt = reader.offset
        let flags = ConnectFlags(rawValue: try reader.byte())
        try flags.check(at: flagsAt, version: version)
        // [MQTT-3.1.3-1] [MQTT-3.1.3-3]: from here on the fields have one order, and the flags say which are there.
        // [MQTT-3.1.2-9] [MQTT-3.1.2-16] to [MQTT-3.1.2-19] (3.1.1: [MQTT-3.1.2-18] to [MQTT-3.1.2-21])
        cleanStart = flags.contains(.cleanStart)
        keepAlive = try reader.twoBytes()
        if version == .v5 {
            properties = try Properties(reading: &reader, of: bytes, in: .packet(.connect))
        }
        clientID = [UInt8](copying: bytes, try reader.text(of: bytes))  // [MQTT-3.1.3-4]
        if flags.contains(.will) {
            will = try Will(&reader, of: bytes, flags: flags, version: version)
        }
        if flags.contains(.userName) {
            userName = [UInt8](copying: bytes, try reader.text(of: bytes))  // [MQTT-3.1.3-12] (3.1.1: -11)
        }
        if flags.contains(.password) {
            password = [UInt8](copying: bytes, try reader.prefixedRange())
        }
        try reader.end()
    }

    @_lifetime(reader: copy reader)
    private static func version(
        _ reader: inout ByteReader, of bytes: Span<UInt8>
    ) throws(DecodeError) -> (ProtocolVersion, isBridge: Bool) {
        // [MQTT-3.1.2-1]: another name is another protocol.
        let name = try reader.prefixedRange()
        let nameBytes = [UInt8](copying: bytes, name)
        let isOld = nameBytes == ProtocolVersion.v31.name
        guard isOld || nameBytes == ProtocolVersion.v5.name else {
            throw DecodeError(.unknownProtocolName, at: name.lowerBound)
        }
        let levelAt = reader.offset
        let level = try reader.byte()
        let isBridge = level & 0x80 != 0
        guard let version = ProtocolVersion(rawValue: level & 0x7F), (version == .v31) == isOld,
            !isBridge || version != .v5
        else {
            throw DecodeError(.unsupportedProtocolLevel, at: levelAt)  // [MQTT-3.1.2-2]
        }
        return (version, isBridge)
    }

    /// Appends the packet.
    package func encode(into output: inout [UInt8]) {
        var body: [UInt8] = []
        body.append(prefixed: version.name)
        body.append(version.rawValue | (isBridge ? 0x80 : 0))
        body.append(flags.rawValue)
        body.append(bigEndian: keepAlive)
        if version == .v5 { properties.encode(into: &body) }
        body.append(prefixed: clientID)
        if let will {
            if version == .v5 { will.properties.encode(into: &body) }
            body.append(prefixed: will.topic)
            body.append(prefixed: will.payload)
        }
        if let userName { body.append(prefixed: userName) }
        if let password { body.append(prefixed: password) }
        output.append(packet: .connect, body: body)
    }

    private var flags: ConnectFlags {
        var flags: ConnectFlags = cleanStart ? .cleanStart : []
        if let will {
            flags.formUnion(.will)
            flags.formUnion(ConnectFlags(rawValue: will.qos.rawValue << 3))
            if will.retain { flags.formUnion(.willRetain) }
        }
        if userName != nil { flags.formUnion(.userName) }
        if password != nil { flags.formUnion(.password) }
        return flags
    }
}

extension Connect.Will {
    @_lifetime(reader: copy reader)
    fileprivate init(
        _ reader: inout ByteReader, of bytes: Span<UInt8>, flags: ConnectFlags, version: ProtocolVersion
    ) throws(DecodeError) {
        let properties = version == .v5 ? try Properties(reading: &reader, of: bytes, in: .will) : Properties()
        if let responseTopic = properties[bytes: .responseTopic],
            !Topic.isValidName(responseTopic.span, responseTopic.indices)
        {
            throw DecodeError(.propertyValue, at: reader.offset)  // [MQTT-3.3.2-14], of the will that becomes a PUBLISH
        }
        // [MQTT-3.1.3-11] (3.1.1: -10)
        let topic = try reader.prefixedRange()
        guard Topic.isValidName(bytes, topic) else {
            throw DecodeError(topic.isEmpty ? .topicEmpty : .topicHasWildcard, at: topic.lowerBound)
        }
        let payload = try reader.prefixedRange()
        self.init(
            topic: [UInt8](copying: bytes, topic), payload: [UInt8](copying: bytes, payload),
            qos: flags.willQoS, retain: flags.contains(.willRetain))
        self.properties = properties
    }
}

/// The connect flags byte. [MQTT 5, section 3.1.2.3]
struct ConnectFlags: OptionSet {
    let rawValue: UInt8
    static let reserved = ConnectFlags(rawValue: 0x01)
    static let cleanStart = ConnectFlags(rawValue: 0x02)
    static let will = ConnectFlags(rawValue: 0x04)
    static let willRetain = ConnectFlags(rawValue: 0x20)
    static let password = ConnectFlags(rawValue: 0x40)
    static let userName = ConnectFlags(rawValue: 0x80)

    var willQoS: QoS { QoS(rawValue: rawValue >> 3 & 3) ?? .atMostOnce }

    func check(at offset: Int, version: ProtocolVersion) throws(DecodeError) {
        // [MQTT-3.1.2-3]
        guard !contains(.reserved) else { throw DecodeError(.reservedBits, at: offset) }
        // [MQTT-3.1.2-11] to [MQTT-3.1.2-13] (3.1.1: [MQTT-3.1.2-13] to [MQTT-3.1.2-15])
        guard rawValue >> 3 & 3 != 3 else { throw DecodeError(.willFlags, at: offset) }
        guard contains(.will) || rawValue & 0x38 == 0 else { throw DecodeError(.willFlags, at: offset) }
        // [MQTT-3.1.2-22] of 3.1.1; version 5 dropped the rule.
        if version != .v5, contains(.password), !contains(.userName) {
            throw DecodeError(.passwordWithoutUserName, at: offset)
        }
    }
}

extension ProtocolVersion {
    /// The protocol name in CONNECT.
    fileprivate var name: [UInt8] { Array((self == .v31 ? "MQIsdp" : "MQTT").utf8) }
}
