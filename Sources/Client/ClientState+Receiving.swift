import MQTTCodec

extension ClientState {
    /// The message is kept; the server is told when everything before it is kept too.
    package mutating func acknowledge(_ token: MessageToken) {
        incoming.kept(token)
        sendAcknowledgements()
    }

    mutating func publishReceived(_ message: Publish) {
        guard message.properties[number: .topicAlias] == nil else {
            // This client announced no Topic Alias Maximum. [MQTT-3.1.2-26]
            return fail(.protocolError(.topicAliasInvalid, "it used a topic alias"), .topicAliasInvalid)
        }
        guard message.qos > .atMostOnce else { return events.append(.message(message, nil)) }
        switch incoming.arrived(message, receiveMaximum: receiveMaximum) {
        case .ignore: break
        case .receiveAgain: sendAnswer(.pubrec, message.packetID, .success)
        case .tooMany:
            let what = "it sent more messages at once than this client allows"
            fail(.protocolError(.receiveMaximumExceeded, what), .receiveMaximumExceeded)
        case .deliver(let token):
            guard settings.acknowledgement == .automatic else { return events.append(.message(message, token)) }
            events.append(.message(message, nil))
            incoming.kept(token)
        }
    }

    /// 3.1.1 has no way to tell the server a limit.
    private var receiveMaximum: Int {
        settings.version == .v5 ? Int(max(1, settings.receiveMaximum)) : Int(UInt16.max)
    }

    mutating func sendAcknowledgements() {
        guard phase == .open else { return }
        while let (packetID, type) = incoming.nextReady() { sendAnswer(type, packetID, .success) }
    }

    /// PUBREL is always answered. [MQTT-4.3.3-11]
    mutating func released(_ packetID: UInt16) {
        let isKnown = incoming.released(packetID)
        sendAnswer(.pubcomp, packetID, isKnown ? .success : .packetIdentifierNotFound)
    }

    private mutating func sendAnswer(_ type: PacketType, _ packetID: UInt16, _ code: ReasonCode) {
        Acknowledgement(packetID: packetID, reasonCode: code)
            .encode(type, into: &output, version: settings.version)
    }
}
