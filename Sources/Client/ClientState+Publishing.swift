import Bytes
package import MQTTCodec

extension ClientState {
    /// Sends a message, now or when its turn comes; at QoS 1 and 2 `acknowledged` follows with the handle.
    ///
    /// A server that allows less QoS or no retained messages gets what it allows.
    package mutating func publish(
        _ message: Publish, now: ContinuousClock.Instant
    ) throws(PublishRefusal) -> RequestHandle {
        guard message.topic.count <= Int(UInt16.max), Topic.isValidName(message.topic.span, 0..<message.topic.count)
        else { throw .topicInvalid }
        guard message.payload.count < VariableByteInteger.maximum - (1 << 17) else { throw .packetTooLarge }
        guard message.qos > .atMostOnce else { return try publishOnce(message) }
        guard outgoing.waiting.count < settings.maximumWaiting else { throw .tooManyWaiting }
        let handle = newHandle()
        outgoing.append(message, handle)
        send(now: now)
        return handle
    }

    /// QoS 0: now or never.
    private mutating func publishOnce(_ message: Publish) throws(PublishRefusal) -> RequestHandle {
        guard phase == .open else { throw .notConnected }
        guard append(message) else { throw .packetTooLarge }
        downgrades.count(message, limits)
        return newHandle()
    }

    /// Appends the packet if it is not too large for the server.
    private mutating func append(_ message: Publish) -> Bool {
        var message = message
        if !limits.retainAvailable { message.retain = false }  // [MQTT-3.2.2-14]
        let start = output.count
        let alias = nameShortly(&message)
        message.encode(into: &output, version: settings.version)
        guard output.count - start <= limits.maximumPacketSize else {
            output.removeSubrange(start...)  // [MQTT-3.2.2-15]
            if let alias { aliases[alias] = nil }
            return false
        }
        return true
    }

    /// A topic that was sent before on this connection goes as its number; returns one that has just got its own.
    /// [MQTT-3.3.2-12]
    private mutating func nameShortly(_ message: inout Publish) -> [UInt8]? {
        if let alias = aliases[message.topic] {
            message.properties[number: .topicAlias] = alias
            message.topic = []
            return nil
        }
        guard message.topic.count > 4, aliases.count < min(settings.topicAliases, limits.topicAliasMaximum) else {
            return nil
        }
        let alias = UInt32(aliases.count + 1)
        aliases[message.topic] = alias
        message.properties[number: .topicAlias] = alias
        return message.topic
    }

    /// Sends what may be sent: first what an earlier connection left, in its order, then what waits.
    mutating func send(now: ContinuousClock.Instant) {
        guard phase == .open else { return }
        if !outgoing.isAnswerOwed { activity.lastProgress = now }
        sendAcknowledgements()
        guard resend() else { return }
        while !outgoing.waiting.isEmpty, mayStartAnother {
            guard startNext() else { return }
        }
        if poison.isCareful { sendHeld(now: now) }
    }

    /// Nothing else is there to try.
    private mutating func sendHeld(now: ContinuousClock.Instant) {
        let resting = poison.resting
        while outgoing.placesTaken == 0, let handle = poison.next(of: outgoing.owed, now: now),
            let index = outgoing.index(of: handle)
        {
            _ = sendPublish(at: index)
        }
        for handle in outgoing.owed where poison.resting.contains(handle) && !resting.contains(handle) {
            events.append(.heldBack(handle))
        }
    }

    private var mayStartAnother: Bool {
        outgoing.window.count < settings.maximumInFlight && hasPlace
    }

    /// Whether the server's Receive Maximum leaves a place. [MQTT-3.3.4-7]
    private var hasPlace: Bool { outgoing.placesTaken < (poison.isCareful ? 1 : limits.receiveMaximum) }

    /// False if something of the window still waits for a place, and so everything behind it does.
    private mutating func resend() -> Bool {
        var index = 0
        while index < outgoing.window.count {
            let entry = outgoing.window[index]
            guard !entry.isSent else {
                index += 1
                continue
            }
            switch entry.stage {
            case .released:
                // PUBREL is not held back by the quota. [MQTT-4.9.0-3]
                sendRelease(entry.message.packetID, .success)
                outgoing.releaseSent(at: index)
                index += 1
            case .published where poison.holds(entry.handle): index += 1
            case .published:
                guard hasPlace else { return false }
                if sendPublish(at: index) { index += 1 }
            }
        }
        return true
    }

    /// Sends the PUBLISH of an entry, or takes the entry out; true if it is still there.
    private mutating func sendPublish(at index: Int) -> Bool {
        var message = outgoing.window[index].message
        let published = message
        let sentQoS = min(message.qos, limits.maximumQoS)  // [MQTT-3.2.2-11]
        message.duplicate = outgoing.window[index].wasSent && sentQoS > .atMostOnce  // [MQTT-3.3.1-1]
        message.qos = sentQoS
        guard append(message) else {
            finish(at: index, .packetTooLarge)
            return false
        }
        if !outgoing.window[index].isCounted { downgrades.count(published, limits) }
        outgoing.counted(at: index)
        guard sentQoS > .atMostOnce else {
            finish(at: index, .success)
            return false
        }
        outgoing.publishSent(at: index, qos: sentQoS)
        return true
    }

    /// False when there is no packet identifier left.
    private mutating func startNext() -> Bool {
        guard let packetID = newPacketID() else { return false }
        outgoing.startNext(packetID: packetID)
        _ = sendPublish(at: outgoing.window.count - 1)
        return true
    }

    // MARK: answers

    mutating func acknowledgementReceived(
        _ type: PacketType, _ packet: Acknowledgement, now: ContinuousClock.Instant
    ) {
        guard type != .pubrel else { return released(packet.packetID) }
        activity.lastProgress = now
        guard let index = outgoing.index(of: packet.packetID) else { return unknownAcknowledged(type, packet) }
        let entry = outgoing.window[index]
        poison.answered(entry.handle)
        switch (type, entry.message.qos) {
        case (.puback, .atLeastOnce): finish(at: index, packet.reasonCode)
        case (.pubrec, .exactlyOnce):
            guard !packet.reasonCode.isError else { return finish(at: index, packet.reasonCode) }  // no PUBREL follows
            outgoing.received(at: index)
            sendRelease(packet.packetID, .success)
            outgoing.releaseSent(at: index)
        case (.pubcomp, .exactlyOnce) where entry.stage == .released: finish(at: index, .success)
        default:
            fail(.protocolError(.protocolError, "it answered a message with a \(type)"), .protocolError)
        }
    }

    /// A late answer to what this side forgot; PUBREC must be answered all the same. [MQTT-4.3.3-4]
    private mutating func unknownAcknowledged(_ type: PacketType, _ packet: Acknowledgement) {
        guard type == .pubrec, !packet.reasonCode.isError else { return }
        sendRelease(packet.packetID, .packetIdentifierNotFound)
    }

    private mutating func sendRelease(_ packetID: UInt16, _ code: ReasonCode) {
        Acknowledgement(packetID: packetID, reasonCode: code)
            .encode(.pubrel, into: &output, version: settings.version)
    }

    mutating func finish(at index: Int, _ code: ReasonCode) {
        let handle = outgoing.remove(at: index).handle
        poison.forget(handle)
        events.append(.acknowledged(handle, code))
    }
}
