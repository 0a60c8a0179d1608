import Bytes
import MQTTCodec

extension BrokerState {
    /// Gives a message that just arrived to one recipient: into its output, or into its queue.
    mutating func deliver(
        _ incoming: Incoming, _ topic: Span<UInt8>, _ properties: Span<UInt8>, _ payload: Span<UInt8>,
        to recipient: Recipient, _ stored: inout StoredMessage
    ) {
        let session = Int(recipient.session)
        let connection = Int(sessions[session].connection)
        let qos = min(incoming.qos, recipient.qos)  // [MQTT-3.8.4-8] (3.1.1: -6)
        let retain = incoming.retain && recipient.retainAsPublished  // [MQTT-3.3.1-12] [MQTT-3.3.1-13]
        // Section 4.5: the server may keep them, and says whether it does.
        if qos == .atMostOnce, connection < 0, !limits.keepsQoS0WhileOffline {
            return counters.dropped.add(.offlineQoS0)
        }
        // What already waits goes first, else an old value would come after a new one. [MQTT-4.6.0-5] [MQTT-4.6.0-6]
        let mustWait = !sessions[session].queue.isEmpty || sessions[session].window.unsent > 0
        let needsStore = qos != .atMostOnce || stored.isLarge || mustWait || connection < 0
        let message = needsStore ? keep(incoming, topic, properties, payload, &stored) : -1
        var delivery = Delivery(
            message: message, qos: qos, retain: retain, subscriptionIdentifier: recipient.identifier,
            share: recipient.share)
        number(&delivery, session)
        if connection < 0 || mustWait { return enqueue(delivery, session) }  // [MQTT-4.5.0-1]
        guard mayWrite(connection) else {
            if qos == .atMostOnce { return noteDropped(session, .queueFull) }
            return enqueue(delivery, session)
        }
        var packetID: UInt16 = 0
        if qos != .atMostOnce {
            guard sessions[session].window.hasRoom(connections[connection].window) else {
                return enqueue(delivery, session)
            }
            guard fits(message, delivery, connection) else { return noteDropped(session, .tooLarge) }
            messages.retain(message)
            noteTaken(delivery, session)
            if mustHold(delivery) {
                return hold(sessions[session].window.add(delivery, isHeld: true), session)
            }
            packetID = sessions[session].window.add(delivery)  // DUP is 0: [MQTT-3.3.1-3] [MQTT-4.3.2-2] [MQTT-4.3.3-2]
        }
        if stored.isLarge || recipient.identifier != 0 || connections[connection].usesAliases {
            guard needsStore else {
                return write(incoming, topic, properties, payload, delivery, to: connection)
            }
            return write(delivery, packetID, to: connection)
        }
        writeEncoded(incoming, topic, properties, payload, delivery, packetID, to: connection)
    }

    /// Whether the connection's output has room; a slow reader's must not grow without end.
    @inline(__always)
    func mayWrite(_ connection: Int) -> Bool {
        let output = connections[connection].output
        return output < 0 || outputs[Int(output)].count < limits.queuedBytes
    }

    /// [MQTT-3.1.2-25]: what is too large for the client is dropped as if it had been sent.
    private mutating func fits(_ message: MessageIndex, _ delivery: Delivery, _ connection: Int) -> Bool {
        connections[connection].maximumPacketSize == Int.max
            || shape(message, delivery, connection).length <= connections[connection].maximumPacketSize
    }

    /// Appends a small message in its encoded form, which all recipients of the same kind share.
    private mutating func writeEncoded(
        _ incoming: Incoming, _ topic: Span<UInt8>, _ properties: Span<UInt8>, _ payload: Span<UInt8>,
        _ delivery: Delivery, _ packetID: UInt16, to connection: Int
    ) {
        let version = connections[connection].version
        let shape = PublishShape(
            version: version, qos: delivery.qos, retain: delivery.retain, packetID: packetID,
            topicLength: topic.count, propertiesLength: properties.count, payloadLength: payload.count,
            expiry: incoming.expiry)
        let kind = encoded.prepare(shape, topic, properties, payload)
        guard encoded.length(kind) <= connections[connection].maximumPacketSize else {
            return noteDropped(Int(connections[connection].session), .tooLarge)
        }
        let output = output(connection)
        encoded.append(kind, shape, to: &outputs[output])
        counters.messagesSent.add(delivery.qos, payload: payload.count)
        grown += encoded.length(kind)
    }

    /// Puts an alias into the shape, if the connection has them and the packet still fits. [MQTT-3.1.2-26]
    /// [MQTT-3.1.2-27] [MQTT-3.3.2-11]
    ///
    /// Called when the packet is certain to be written: what was dropped has made no alias known.
    private func putAlias(_ alias: (alias: UInt16, isKnown: Bool)?, into shape: inout PublishShape) {
        guard let alias else { return }
        shape.alias = alias.alias
        if alias.isKnown { shape.topicLength = 0 }
    }

    /// The aliases of a connection, when a packet of this shape has room for one.
    private mutating func aliases(_ connection: Int, _ shape: PublishShape) -> TopicAliases? {
        // An alias takes three bytes, and the two lengths before it may grow by one each.
        guard connections[connection].usesAliases, shape.length + 5 <= connections[connection].maximumPacketSize else {
            return nil
        }
        return connections[connection].aliases
    }

    /// Appends a QoS 0 message that is this connection's own (it carries an identifier or an alias), straight from
    /// the publisher's bytes.
    private mutating func write(
        _ incoming: Incoming, _ topic: Span<UInt8>, _ properties: Span<UInt8>, _ payload: Span<UInt8>,
        _ delivery: Delivery, to connection: Int
    ) {
        var shape = PublishShape(
            version: connections[connection].version, qos: delivery.qos, retain: delivery.retain,
            topicLength: topic.count, propertiesLength: properties.count, payloadLength: payload.count,
            expiry: incoming.expiry, identifier: delivery.subscriptionIdentifier)
        guard shape.length <= connections[connection].maximumPacketSize else {
            return noteDropped(Int(connections[connection].session), .tooLarge)
        }
        if let aliases = aliases(connection, shape) { putAlias(aliases.alias(for: topic), into: &shape) }
        let output = output(connection)
        shape.appendStart(to: &outputs[output].bytes)
        if shape.topicLength > 0 { outputs[output].bytes.append(copying: topic) }
        shape.appendMiddle(to: &outputs[output].bytes)
        if shape.version == .v5 { outputs[output].bytes.append(copying: properties) }
        outputs[output].bytes.append(copying: payload)
        counters.messagesSent.add(delivery.qos, payload: payload.count)
        grown += shape.length
    }

    mutating func shape(_ message: MessageIndex, _ delivery: Delivery, _ connection: Int) -> PublishShape {
        let record = messages[message]
        return PublishShape(
            version: connections[connection].version, qos: delivery.qos, retain: delivery.retain,
            topicLength: Int(record.topicLength), propertiesLength: Int(record.propertiesLength),
            payloadLength: Int(record.payloadLength), expiry: record.expiresAt.map { secondsLeft(until: $0) },
            identifier: delivery.subscriptionIdentifier)
    }

    /// What the message's expiry has counted down to. [MQTT-3.3.2-6]
    private mutating func secondsLeft(until instant: MonotonicTime) -> UInt32 {
        let left = (instant - now).components
        return UInt32(clamping: left.seconds + (left.attoseconds > 0 ? 1 : 0))
    }

    /// Appends a kept message.
    ///
    /// Large payloads are shared, not copied.
    mutating func write(
        _ delivery: Delivery, _ packetID: UInt16, duplicate: Bool = false, to connection: Int
    ) {
        var shape = shape(delivery.message, delivery, connection)
        shape.packetID = packetID
        shape.duplicate = duplicate
        if shape.length > connections[connection].maximumPacketSize {
            return noteDropped(Int(connections[connection].session), .tooLarge)
        }
        if let aliases = aliases(connection, shape) {
            putAlias(messages.alias(for: delivery.message, from: aliases), into: &shape)
        }
        let record = messages[delivery.message]
        let output = output(connection)
        shape.appendStart(to: &outputs[output].bytes)
        if shape.topicLength > 0 {
            messages.append(record.topic, of: delivery.message, to: &outputs[output].bytes)
        }
        shape.appendMiddle(to: &outputs[output].bytes)
        if shape.version == .v5 {
            messages.append(record.properties, of: delivery.message, to: &outputs[output].bytes)
        }
        if record.isLarge {
            outputs[output].append(sharing: messages.largeBytes(of: delivery.message), record.payload)
        } else {
            messages.append(record.payload, of: delivery.message, to: &outputs[output].bytes)
        }
        counters.messagesSent.add(delivery.qos, payload: record.payload.count)
        grown += shape.length
    }

    /// Queues a delivery; when the queue is full the oldest goes, or this one, and is counted.
    mutating func enqueue(_ delivery: Delivery, _ session: Int) {
        if limits.dropPolicy == .newest, isFull(session, messages[delivery.message].length) {
            return noteDropped(session, .queueFull)
        }
        messages.retain(delivery.message)
        noteTaken(delivery, session)
        grown += Session.overheadPerQueued
        let size = messages[delivery.message].length + Session.overheadPerQueued
        sessions[session].queue.append(delivery)
        sessions[session].queuedBytes += size
        let messageLimit = isInternal(session) ? limits.queuedMessagesInside : limits.queuedMessages
        while sessions[session].queue.count > messageLimit
            || sessions[session].queuedBytes > limits.queuedBytes && sessions[session].queue.count > 1
        {
            guard let oldest = dequeue(session) else { return }
            letGo(oldest, session)
            noteDropped(session, .queueFull)
        }
    }

    private mutating func isFull(_ session: Int, _ length: Int) -> Bool {
        let messageLimit = isInternal(session) ? limits.queuedMessagesInside : limits.queuedMessages
        return sessions[session].queue.count >= messageLimit
            || sessions[session].queuedBytes + length + Session.overheadPerQueued > limits.queuedBytes
    }

    /// Drops a session's oldest queued messages until `bytes` are left.
    mutating func trimQueue(_ session: Int, to bytes: Int) {
        while sessions[session].queuedBytes > bytes, let oldest = dequeue(session) {
            letGo(oldest, session)
            noteDropped(session, .memory)
        }
    }

    @inline(__always)
    func isInternal(_ session: Int) -> Bool {
        let connection = sessions[session].connection
        return connection >= 0 && connections[Int(connection)].isInternal
    }

    private mutating func dequeue(_ session: Int) -> Delivery? {
        guard let delivery = sessions[session].queue.popFirst() else { return nil }
        sessions[session].queuedBytes -= messages[delivery.message].length + Session.overheadPerQueued
        return delivery
    }

    /// Counts a message that the session did not get, and says so: once per power of two, not a line a message.
    mutating func noteDropped(_ session: Int, _ reason: DropReason) {
        counters.dropped.add(reason)
        sessions[session].dropped += 1
        guard sessions[session].dropped.nonzeroBitCount == 1 else { return }
        events.append(
            .dropped(
                client: String(decoding: sessions[session].clientID, as: UTF8.self), reason,
                total: sessions[session].dropped))
    }

    /// Sends what the window, the output and the queue allow: first what must be sent again, then the queue.
    mutating func pump(_ session: SessionIndex) {
        let place = Int(session)
        let connection = Int(sessions[place].connection)
        guard connection >= 0 else { return }
        let limit = connections[connection].window
        while sessions[place].window.unsent > 0, sessions[place].window.hasRoom(limit), mayWrite(connection) {
            guard let (id, delivery, isDuplicate) = sessions[place].window.nextUnsent() else { break }
            guard fits(delivery.message, delivery, connection) else {
                giveUp(id, delivery, place, .tooLarge)
                continue
            }
            guard mayReceive(session, delivery.message) else {
                giveUp(id, delivery, place, .notAllowed)
                continue
            }
            write(delivery, id, duplicate: isDuplicate, to: connection)  // [MQTT-3.3.1-1]
        }
        while !sessions[place].queue.isEmpty, sessions[place].window.hasRoom(limit), mayWrite(connection) {
            guard let delivery = dequeue(place) else { break }
            send(delivery, session: place, connection: connection)
        }
    }

    /// What the client allowed on its last connection is too large on this one, or rules forbid it now: as if it were
    /// acknowledged, or its place in the window would never be free again. [MQTT-3.1.2-25]
    private mutating func giveUp(_ id: UInt16, _ delivery: Delivery, _ session: Int, _ reason: DropReason) {
        if delivery.qos == .exactlyOnce {
            _ = sessions[session].window.pubrec(id, isError: true)
        } else {
            _ = sessions[session].window.puback(id)
        }
        letGo(delivery, session)
        noteDropped(session, reason)
    }

    /// Sends a delivery taken from the queue; its reference goes to the window or back.
    private mutating func send(_ delivery: Delivery, session: Int, connection: Int) {
        let isExpired = messages[delivery.message].expiresAt.map { $0 <= now } ?? false  // [MQTT-3.3.2-5]
        guard !isExpired, fits(delivery.message, delivery, connection) else {
            letGo(delivery, session)
            return noteDropped(session, isExpired ? .expired : .tooLarge)
        }
        guard mayReceive(SessionIndex(clamping: session), delivery.message) else {
            letGo(delivery, session)
            return noteDropped(session, .notAllowed)
        }
        guard delivery.qos != .atMostOnce else {
            write(delivery, 0, to: connection)
            letGo(delivery, session)
            return
        }
        if mustHold(delivery) { return hold(sessions[session].window.add(delivery, isHeld: true), session) }
        let id = sessions[session].window.add(delivery)
        if delivery.keeping == .journal { markProgress(session) }
        write(delivery, id, to: connection)
    }

    /// A client is back: PUBREL and PUBLISH that it owes an answer for go again, in their first order. [MQTT-4.4.0-1]
    mutating func resume(_ session: SessionIndex) {
        let place = Int(session)
        let connection = Int(sessions[place].connection)
        let version = connections[connection].version
        for id in sessions[place].window.released {
            let packet = Acknowledgement(packetID: id)
            if makesWait(place) {
                delay(connection) { packet.encode(.pubrel, into: &$0, version: version) }
            } else {
                withOutput(connection) { packet.encode(.pubrel, into: &$0, version: version) }
            }
        }
        sessions[place].window.connectionResumed()
        pump(session)
    }
}
