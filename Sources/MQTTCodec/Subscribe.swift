import Bytes

/// A request for topic filters. [MQTT 5, section 3.8]
package struct Subscribe: Equatable, Sendable {
    package enum RetainHandling: UInt8, Sendable {
        case send = 0
        case sendIfNew = 1
        case never = 2
    }

    package struct Request: Equatable, Sendable {
        package var filter: [UInt8]
        package var qos: QoS
        package var noLocal = false
        package var retainAsPublished = false
        package var retainHandling = RetainHandling.send
        /// Whether the filter is well formed; one bad filter does not fail the others. [MQTT-3.8.4-5]
        package var isValid = true

        package init(filter: [UInt8], qos: QoS) {
            self.filter = filter
            self.qos = qos
        }
    }

    package var packetID: UInt16
    package var requests: [Request]
    package var properties = Properties()

    package init(packetID: UInt16, requests: [Request]) {
        self.packetID = packetID
        self.requests = requests
    }

    /// Reads the SUBSCRIBE packet that `bytes` begins with.
    package init(_ bytes: Span<UInt8>, _ header: FixedHeader, version: ProtocolVersion) throws(DecodeError) {
        var reader = try header.body(of: bytes)
        packetID = try reader.packetID()
        if version == .v5 {
            properties = try Properties(reading: &reader, of: bytes, in: .packet(.subscribe))
        }
        requests = []
        guard reader.remaining > 0 else { throw DecodeError(.noFilter, at: reader.offset) }  // [MQTT-3.8.3-2]
        while reader.remaining > 0 {
            requests.append(try Request(&reader, of: bytes, version: version))
        }
    }

    /// Appends the packet.
    package func encode(into output: inout [UInt8], version: ProtocolVersion) {
        var body: [UInt8] = []
        body.append(bigEndian: packetID)
        if version == .v5 { properties.encode(into: &body) }
        for request in requests {
            body.append(prefixed: request.filter)
            body.append(version == .v5 ? request.options : request.qos.rawValue)
        }
        output.append(packet: .subscribe, body: body)
    }
}

extension Subscribe.Request {
    @_lifetime(reader: copy reader)
    fileprivate init(
        _ reader: inout ByteReader, of bytes: Span<UInt8>, version: ProtocolVersion
    ) throws(DecodeError) {
        let filter = try reader.text(of: bytes)  // [MQTT-3.8.3-1]
        let optionsAt = reader.offset
        let options = try reader.byte()
        guard let qos = QoS(rawValue: options & 3) else { throw DecodeError(.qosThree, at: optionsAt) }
        // [MQTT-3.8.3-4] of 3.1.1, [MQTT-3.8.3-5] of 5
        guard options & (version == .v5 ? 0xC0 : 0xFC) == 0 else { throw DecodeError(.reservedBits, at: optionsAt) }
        guard let retainHandling = Subscribe.RetainHandling(rawValue: options >> 4 & 3) else {
            throw DecodeError(.reservedBits, at: optionsAt)
        }
        self.init(filter: [UInt8](copying: bytes, filter), qos: qos)
        isValid = Topic.isValidFilter(bytes, filter)
        noLocal = options & 4 != 0
        retainAsPublished = options & 8 != 0
        self.retainHandling = retainHandling
    }

    fileprivate var options: UInt8 {
        qos.rawValue | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0) | retainHandling.rawValue << 4
    }
}
