import Bytes
package import MQTTCodec

/// One client's connection to a server, without the transport: bytes and requests in, bytes and events out.
///
/// It outlives connections: what the server has not acknowledged when one ends is sent again on the next. The caller
/// opens and closes the transport, calls `takeOutput` and `takeEvents` after each turn, and `tick` at `wakeAt`.
package struct ClientState: Sendable {
    enum Phase: Equatable, Sendable {
        case idle
        case awaitingConnack(until: ContinuousClock.Instant)
        case open
    }

    let settings: ClientSettings
    var phase = Phase.idle
    var limits = ServerLimits()
    var output: [UInt8] = []
    var events: [ClientEvent] = []
    var outgoing = OutgoingMessages()
    var incoming = IncomingMessages()
    var subscriptions = Subscriptions()
    var activity: Activity
    var poison = PoisonWatch()
    /// What servers made less of; the caller may hand it on to the next client.
    package var downgrades = Downgrades()
    /// The numbers that topics have on this connection.
    var aliases: [[UInt8]: UInt32] = [:]
    private var partial: [UInt8] = []
    private var clientID: [UInt8]
    private var isFirstConnection = true
    private var lastHandle = 0
    private var lastPacketID: UInt16 = 0

    package init(_ settings: ClientSettings, now: ContinuousClock.Instant) {
        self.settings = settings
        clientID = settings.clientID
        activity = Activity(now: now)
    }

    package var version: ProtocolVersion { settings.version }

    /// Whether the server has accepted the connection and it has not ended since.
    package var isConnected: Bool { phase == .open }

    /// Whether nothing is left that the server must still take or acknowledge.
    package var isIdle: Bool { outgoing.isEmpty && subscriptions.isSettled && output.isEmpty }

    // MARK: output

    /// The bytes to write; ask once after each turn.
    package mutating func takeOutput(now: ContinuousClock.Instant) -> [UInt8] {
        guard !output.isEmpty else { return [] }
        activity.lastSent = now
        defer { output = [] }
        return output
    }

    /// What happened since the last call.
    package mutating func takeEvents() -> [ClientEvent] {
        guard !events.isEmpty else { return [] }
        defer { events = [] }
        return events
    }

    /// Whether `takeEvents` would return something.
    package var hasEvents: Bool { !events.isEmpty }

    // MARK: connection

    /// The transport is open: CONNECT is the first packet. [MQTT-3.1.0-1]
    package mutating func transportOpened(now: ContinuousClock.Instant) {
        guard phase == .idle else { return }
        output = []
        partial = []
        limits = ServerLimits()
        aliases = [:]
        activity = Activity(now: now)
        phase = .awaitingConnack(until: now + settings.connectTimeout)
        connectPacket.encode(into: &output)
        isFirstConnection = false
    }

    /// The network ended the connection, or it could not be used.
    package mutating func transportClosed(_ cause: String) {
        end(.transport(cause))
    }

    /// Says goodbye; the server drops the will. [MQTT-3.14.4-3]
    package mutating func disconnect() {
        if phase == .open { Disconnect().encode(into: &output, version: settings.version) }
        end(.requested)
    }

    /// Bytes arrived, in any portions.
    package mutating func received(_ bytes: Span<UInt8>, now: ContinuousClock.Instant) {
        guard phase != .idle else { return }
        // Part of a packet is a sign of life too: on a slow line a large one takes longer than an answer to a ping may.
        activity.lastReceived = now
        activity.pingSent = nil
        if partial.isEmpty {
            keepRest(of: bytes, from: readPackets(bytes, now: now))
        } else {
            var whole: [UInt8] = []
            swap(&whole, &partial)
            whole.append(copying: bytes)
            let end = readPackets(whole.span, now: now)
            if end == 0, phase != .idle {
                // Not copied for every read: a large packet comes in thousands of them.
                swap(&whole, &partial)
            } else {
                keepRest(of: whole.span, from: end)
            }
        }
        if phase != .idle { send(now: now) }
    }

    private mutating func keepRest(of bytes: Span<UInt8>, from start: Int) {
        if phase != .idle, start < bytes.count { partial = [UInt8](copying: bytes, start..<bytes.count) }
    }

    /// Handles the whole packets at the front; returns how many bytes they had.
    private mutating func readPackets(_ bytes: Span<UInt8>, now: ContinuousClock.Instant) -> Int {
        var start = 0
        do throws(DecodeError) {
            while phase != .idle, let header = try FixedHeader.parse(bytes, at: start) {
                guard header.length <= Int(settings.maximumPacketSize) else {
                    throw DecodeError(.packetTooLarge, at: 0)
                }
                guard bytes.count - start >= header.length else { break }
                try packetReceived(bytes.extracting(start..<(start + header.length)), header, now: now)
                start += header.length
            }
        } catch {
            fail(.malformed(error), error.reasonCode)
        }
        return start
    }

    private mutating func packetReceived(
        _ bytes: Span<UInt8>, _ header: FixedHeader, now: ContinuousClock.Instant
    ) throws(DecodeError) {
        guard phase == .open else { return try firstPacketReceived(bytes, header, now: now) }
        switch header.type {
        case .publish: try publishReceived(Publish(bytes, header, version: settings.version))
        case .puback, .pubrec, .pubrel, .pubcomp:
            let packet = try Acknowledgement(bytes, header, version: settings.version)
            acknowledgementReceived(header.type, packet, now: now)
        case .suback: subackReceived(try Suback(bytes, header, version: settings.version))
        case .unsuback: unsubackReceived(try Suback(bytes, header, version: settings.version))
        case .pingresp: try Ping.check(header)
        case .disconnect where settings.version == .v5:
            let packet = try Disconnect(bytes, header, version: .v5)
            end(.server(packet.reasonCode, packet.properties[text: .reasonString]))
        default:
            fail(.protocolError(.protocolError, "it sent a \(header.type)"), .protocolError)
        }
    }

    /// Nothing comes before CONNACK. [MQTT-3.2.0-1]
    private mutating func firstPacketReceived(
        _ bytes: Span<UInt8>, _ header: FixedHeader, now: ContinuousClock.Instant
    ) throws(DecodeError) {
        guard header.type == .connack else {
            return end(.protocolError(.protocolError, "its first packet was a \(header.type)"))
        }
        let packet = try Connack(bytes, header, version: settings.version)
        guard packet.reasonCode == .success else {
            return end(.refused(packet.reasonCode, packet.properties[text: .reasonString]))
        }
        phase = .open
        limits = ServerLimits(packet.properties)
        if let assigned = limits.assignedClientID { clientID = assigned }  // [MQTT-3.2.2-16]
        activity.lastProgress = now
        poison.connected()
        if !packet.sessionPresent { sessionLost() }
        events.append(.connected(sessionPresent: packet.sessionPresent))
        sendSubscriptions(sessionPresent: packet.sessionPresent)
    }

    private mutating func sessionLost() {
        incoming.sessionLost()
        for entry in outgoing.sessionLost() {
            poison.forget(entry.handle)
            events.append(.acknowledged(entry.handle, .success))
        }
    }

    private var connectPacket: Connect {
        var packet = Connect(version: settings.version)
        packet.isBridge = settings.isBridge && settings.version != .v5
        packet.clientID = clientID
        packet.keepAlive = settings.keepAliveSeconds
        packet.userName = settings.userName
        packet.password = settings.password
        packet.will = settings.will
        let isKept = settings.sessionExpirySeconds > 0
        guard settings.version == .v5 else {
            // In 3.1.1 a clean session also ends with the connection, so a kept one can't begin clean.
            packet.cleanStart = !isKept
            return packet
        }
        packet.cleanStart = !isKept || (settings.cleanStart && isFirstConnection)
        if isKept { packet.properties[number: .sessionExpiryInterval] = settings.sessionExpirySeconds }
        packet.properties[number: .receiveMaximum] = UInt32(max(1, settings.receiveMaximum))
        packet.properties[number: .maximumPacketSize] = max(1, settings.maximumPacketSize)
        return packet
    }

    // MARK: ending

    /// Tells an MQTT 5 server why, and ends.
    mutating func fail(_ reason: CloseReason, _ code: ReasonCode) {
        if phase == .open, settings.version == .v5 {
            Disconnect(reasonCode: code).encode(into: &output, version: .v5)
        }
        end(reason)
    }

    mutating func end(_ reason: CloseReason) {
        guard phase != .idle else { return }
        if phase == .open, settings.setsPoisonAside { lookForPoison(reason) }
        phase = .idle
        partial = []
        outgoing.connectionLost()
        incoming.connectionLost()
        subscriptions.connectionLost()
        events.append(.closed(reason))
    }

    /// The server, or the network, ended the connection: perhaps because of a message.
    private mutating func lookForPoison(_ reason: CloseReason) {
        switch reason {
        case .transport, .server: break
        default: return
        }
        guard let handle = poison.ended(outgoing.unanswered), let index = outgoing.index(of: handle) else { return }
        finish(at: index, .implementationSpecificError)
    }

    /// How many messages rest because the server ends the connection at them.
    package var heldBackCount: Int { poison.resting.count }

    /// What the server does not allow, in words; empty if there is nothing.
    package var restrictions: String { limits.sentence }

    // MARK: identifiers

    mutating func newHandle() -> RequestHandle {
        lastHandle += 1
        return RequestHandle(lastHandle)
    }

    /// An identifier that is not in use; nil when all 65,535 are. [MQTT-2.2.1-3]
    mutating func newPacketID() -> UInt16? {
        for _ in 0..<Int(UInt16.max) {
            lastPacketID = lastPacketID == .max ? 1 : lastPacketID + 1
            if !outgoing.contains(lastPacketID), !subscriptions.contains(lastPacketID) { return lastPacketID }
        }
        return nil
    }
}

extension Properties {
    /// A text property as text.
    fileprivate subscript(text property: Property) -> String? {
        self[bytes: property].map { String(decoding: $0, as: UTF8.self) }
    }
}
