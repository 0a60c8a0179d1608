import Bytes
import MQTTCodec

extension BrokerState {
    /// What a message is, beside its bytes.
    struct Incoming {
        var qos: QoS
        var retain: Bool
        /// Seconds.
        var expiry: UInt32?
        /// The session that published it, for No Local; -1 for none.
        var publisher: SessionIndex = -1
        /// The connection that waits for an answer; -1 for none.
        var connection = -1
        /// Whether all but the clients inside have it already.
        var isForInside = false
    }

    mutating func publishReceived(
        _ index: Int, _ packet: Span<UInt8>, _ header: FixedHeader
    ) throws(DecodeError) {
        let parts = try PublishHeader(packet, header, version: connections[index].version)
        counters.messagesReceived.add(parts.qos, payload: parts.payload.count)
        spend(packet.count, index)
        if let (code, why) = violation(of: parts, index) { return disconnect(index, code, why: why) }
        guard let alias = parts.topicAlias else {
            return publishReceived(parts, packet, packet.extracting(parts.topic), index)
        }
        guard let aliases = connections[index].aliases, alias > 0, alias <= aliases.incomingMaximum else {
            // [MQTT-3.3.2-8] [MQTT-3.3.2-9]
            return disconnect(index, .topicAliasInvalid, why: "topic alias \(alias), beyond the maximum")
        }
        guard parts.topic.isEmpty else {
            aliases.define(alias, as: packet.extracting(parts.topic))  // [MQTT-3.3.2-12]
            return publishReceived(parts, packet, packet.extracting(parts.topic), index)
        }
        guard let topic = aliases.topic(of: alias) else {
            // Section 3.3.2.3.4: an alias that was never given a topic.
            return disconnect(index, .protocolError, why: "topic alias \(alias), which has no topic yet")
        }
        publishReceived(parts, packet, topic.span, index)
    }

    /// Takes a PUBLISH whose topic is known: routes it, or refuses it, and answers.
    private mutating func publishReceived(
        _ parts: PublishHeader, _ packet: Span<UInt8>, _ topic: Span<UInt8>, _ index: Int
    ) {
        if parts.qos == .exactlyOnce {
            guard let isNew = noteReceived(parts.packetID, index) else { return }
            guard isNew else {
                if takeNotGivenInside(parts.packetID, index) { return giveInside(parts, packet, topic, index) }
                return answerAgain(parts.packetID, index)  // [MQTT-4.3.3-10]
            }
        }
        let refusal = refusal(of: parts, topic, packet, index)
        ticket = -1
        if let refusal {
            counters.publishesRefused.add(refusal)
            if refusal == .quotaExceeded, connections[index].version != .v5, parts.qos != .atMostOnce {
                // 3.1.1 has no word for it, and what is acknowledged must have been taken. [MQTT-4.8.0-2]
                return disconnect(index, .quotaExceeded, why: "the broker's memory is nearly used up")
            }
        } else {
            route(parts, packet, topic, from: connections[index].session, on: index)
        }
        // [MQTT-3.3.4-1] [MQTT-4.3.2-4] [MQTT-4.3.2-5] [MQTT-4.3.3-8]; in the order of receipt.
        if parts.qos == .atLeastOnce {
            answer(index, .puback, parts.packetID, refusal ?? .success, after: ticket)
        } else if parts.qos == .exactlyOnce {
            let session = Int(connections[index].session)
            // [MQTT-4.3.3-9]
            if refusal != nil { sessions[session].received.remove(parts.packetID) }
            markProgress(session)
            answer(index, .pubrec, parts.packetID, refusal ?? .success, after: ticket)
        }
    }

    /// Whether a message came to the process before this one, and maybe not to the clients inside of that.
    private mutating func takeNotGivenInside(_ id: UInt16, _ index: Int) -> Bool {
        guard !notGivenInside.isEmpty else { return false }
        let session = connections[index].session
        return notGivenInside.remove(WaitingAnswers.Name(session, sessions[Int(session)].generation, id)) != nil
    }

    /// Gives those inside what all others have.
    private mutating func giveInside(
        _ parts: PublishHeader, _ packet: Span<UInt8>, _ topic: Span<UInt8>, _ index: Int
    ) {
        ticket = -1
        route(parts, packet, topic, from: connections[index].session, on: index, isForInside: true)
        markProgress(Int(connections[index].session))
        answer(index, .pubrec, parts.packetID, .success, after: ticket)
    }

    /// PUBREC for a message that came before: not while the first one's still waits, which will do for both.
    private mutating func answerAgain(_ id: UInt16, _ index: Int) {
        guard connections[index].answers < 0 || !answers.contains(id, .pubrec, in: connections[index].answers) else {
            return
        }
        let session = connections[index].session
        // The one before it was on another connection, and may still not be safe.
        let name = WaitingAnswers.Name(session, sessions[Int(session)].generation, id)
        answer(index, .pubrec, id, .success, after: answers.adopt(name, index))
    }

    private mutating func route(
        _ parts: PublishHeader, _ packet: Span<UInt8>, _ topic: Span<UInt8>, from session: SessionIndex,
        on connection: Int = -1, isForInside: Bool = false
    ) {
        let incoming = Incoming(
            qos: parts.qos, retain: parts.retain, expiry: parts.messageExpiry, publisher: session,
            connection: connection, isForInside: isForInside)
        let payload = packet.extracting(parts.payload)
        if connection >= 0, connections[connection].isBridge {
            return route(incoming, topic, Self.markOfBridge.span, payload)
        }
        guard !parts.forwardsAllProperties else {
            return route(incoming, topic, packet.extracting(parts.properties), payload)
        }
        var properties: [UInt8] = []
        parts.appendForwardable(from: packet, to: &properties)
        route(incoming, topic, properties.span, payload)
    }

    /// What a bridge of 3.1.1 publishes may have come round in a circle, and has no properties to say so: `?` in the
    /// bridges' list of gateways, as a user property.
    private static let markOfBridge = [UInt8(0x26), 0, 12] + Array("martlet-hops".utf8) + [0, 1, UInt8(ascii: "?")]

    /// Notes a QoS 2 identifier: whether it is new, or nil if the client went beyond its Receive Maximum.
    private mutating func noteReceived(_ id: UInt16, _ index: Int) -> Bool? {
        let session = Int(connections[index].session)
        guard !sessions[session].received.contains(id) else { return false }
        let maximum = Int(connections[index].receiveMaximum)
        if connections[index].version == .v5, sessions[session].received.count >= maximum {
            disconnect(index, .receiveMaximumExceeded, why: "more than \(maximum) unfinished QoS 2 messages")
            return nil
        }
        sessions[session].received.insert(id)
        return true
    }

    /// What ends the connection, beside a malformed packet: the client was told at CONNACK, or should know.
    private mutating func violation(of parts: PublishHeader, _ index: Int) -> (ReasonCode, String)? {
        if parts.hasSubscriptionIdentifier {
            return (.protocolError, "a PUBLISH with a subscription identifier")  // [MQTT-3.3.4-6]
        }
        guard !connections[index].isInternal else { return nil }
        if parts.qos > limits.maximumQoS {
            return (.qosNotSupported, "a PUBLISH above QoS \(limits.maximumQoS.rawValue)")  // [MQTT-3.2.2-11]
        }
        if parts.retain, !limits.retainAvailable {
            return (.retainNotSupported, "a retained PUBLISH")  // [MQTT-3.2.2-14]
        }
        return nil
    }

    /// Why a message is not taken; it is then acknowledged with the code and dropped, which a 3.1.1 client can't see.
    private mutating func refusal(
        of parts: PublishHeader, _ topic: Span<UInt8>, _ packet: Span<UInt8>, _ index: Int
    ) -> ReasonCode? {
        guard !connections[index].isInternal else { return nil }
        // [MQTT-4.7.2-1]: the server's own
        if topic[0] == UInt8(ascii: "$") { return mayRequest(index, topic) ? nil : .notAuthorized }
        guard mayPublish(index, topic) else { return .notAuthorized }
        if isBeyondLimits(topic) { return .topicNameInvalid }
        if limits.validatesPayloadFormat, parts.payloadIsText, !UTF8Text.isValid(packet, parts.payload) {
            return .payloadFormatInvalid
        }
        // 3.1.1 has no word for it: such a client is not read until the disk takes its message.
        if journal.failure != nil, parts.qos != .atMostOnce, connections[index].version == .v5,
            mustKeep(parts, topic)
        {
            return .quotaExceeded
        }
        guard pressure != .none, parts.retain, !parts.payload.isEmpty, retained.message(for: topic) == nil else {
            return nil
        }
        noteDropped(Int(connections[index].session), .memory)
        return .quotaExceeded
    }

    /// Whether a topic name has too many bytes or levels.
    func isBeyondLimits(_ topic: Span<UInt8>) -> Bool {
        topic.count > limits.topicLength || TopicLevels.count(topic) > limits.topicLevels
    }

    /// Publishes a message that no client sends just now: a will, a `$SYS` topic.
    mutating func publish(_ message: Publish, from session: SessionIndex = -1) {
        var packet: [UInt8] = []
        var outgoing = message
        outgoing.packetID = message.qos == .atMostOnce ? 0 : 1
        outgoing.encode(into: &packet, version: .v5)
        // Encoded here a line above, so it can't be malformed.
        guard let header = try? FixedHeader.parse(packet.span),
            let parts = try? PublishHeader(packet.span, header, version: .v5)
        else { return }
        route(parts, packet.span, packet.span.extracting(parts.topic), from: session)
    }

    /// Retains the message, and gives it to everybody who subscribed.
    mutating func route(
        _ incoming: Incoming, _ topic: Span<UInt8>, _ properties: Span<UInt8>, _ payload: Span<UInt8>
    ) {
        var stored = StoredMessage(isLarge: topic.count + properties.count + payload.count > MessageStore.largeSize)
        if incoming.retain, !incoming.isForInside {
            retain(incoming, topic, properties, payload, &stored)  // else [MQTT-3.3.1-8]
        }
        let matches = subscriptions.match(topic)
        if matches.isEmpty {
            if incoming.publisher >= 0 { counters.messagesWithoutSubscriber += 1 }
        } else {
            encoded.begin()
            for position in matches {
                var recipient = subscriptions.recipient(at: position)
                if recipient.session < 0 {
                    guard let member = chooseMember(SubscriptionStore.place(of: recipient), topic) else { continue }
                    recipient = member
                }
                // [MQTT-3.8.3-3]
                if recipient.noLocal, recipient.session == incoming.publisher { continue }
                if incoming.isForInside, sessions[Int(recipient.session)].keeping != .inside { continue }
                guard mayReceive(recipient.session, topic) else {
                    noteDropped(Int(recipient.session), .notAllowed)
                    continue
                }
                deliver(incoming, topic, properties, payload, to: recipient, &stored)
            }
        }
        if incoming.qos != .atMostOnce {
            ticket = ticket(for: stored.index, incoming.connection)
            if incoming.retain, payload.isEmpty {
                ticket = ticketForRemoval(incoming.connection, besides: ticket)
            }
        }
        if stored.index >= 0 { messages.release(stored.index) }
    }

    /// A message while it is being given out: kept in the store once somebody needs it to be.
    struct StoredMessage {
        var index: MessageIndex = -1
        var isLarge: Bool
    }

    mutating func keep(
        _ incoming: Incoming, _ topic: Span<UInt8>, _ properties: Span<UInt8>, _ payload: Span<UInt8>,
        _ stored: inout StoredMessage
    ) -> MessageIndex {
        guard stored.index < 0 else { return stored.index }
        let record = MessageStore.Record(
            topicLength: Int32(clamping: topic.count), propertiesLength: Int32(clamping: properties.count),
            payloadLength: Int32(clamping: payload.count), location: 0, blockBits: 0, qos: incoming.qos,
            expiresAt: incoming.expiry.map { now + .seconds(Int($0)) })
        grown += record.length
        stored.index = messages.add(record, topic: topic, properties: properties, payload: payload)
        return stored.index
    }

    private mutating func retain(
        _ incoming: Incoming, _ topic: Span<UInt8>, _ properties: Span<UInt8>, _ payload: Span<UInt8>,
        _ stored: inout StoredMessage
    ) {
        guard payload.count > 0 else {
            // An empty one takes away what was there and is not kept itself. [MQTT-3.3.1-6] [MQTT-3.3.1-7]
            if let old = retained.remove(topic) {
                noteNotRetained(topic)
                messages.release(old)
            }
            return
        }
        let index = keep(incoming, topic, properties, payload, &stored)
        messages.retain(index)
        if let old = retained.replace(index, for: topic) { messages.release(old) }  // [MQTT-3.3.1-5]
        noteRetained(index, incoming, topic)
    }

    mutating func removeExpiredRetained() {
        for place in retained.all {
            guard let expiresAt = messages[place.message].expiresAt, expiresAt <= now else { continue }
            let topic = messages.topic(of: place.message)
            guard let message = retained.take(place.node) else { continue }
            noteNotRetained(topic.span)
            messages.release(message)
        }
    }
}
