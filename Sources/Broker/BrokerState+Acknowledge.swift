import Bytes
import MQTTCodec

extension BrokerState {
    mutating func pubackReceived(_ index: Int, _ packet: Acknowledgement) {
        let session = connections[index].session
        guard case .finished(let delivery) = sessions[Int(session)].window.puback(packet.packetID) else {
            return counters.packetsMissed.add(.puback)
        }
        letGo(delivery, Int(session))
        pump(session)
    }

    /// The answer to an unknown identifier is PUBREL all the same, with 0x92 in version 5. [MQTT-4.3.3-4]
    mutating func pubrecReceived(_ index: Int, _ packet: Acknowledgement) {
        let session = connections[index].session
        let outcome = sessions[Int(session)].window.pubrec(packet.packetID, isError: packet.reasonCode.isError)
        var code = ReasonCode.success
        switch outcome {
        case .finished(let delivery):
            letGo(delivery, Int(session))
            return pump(session)
        case .received(let delivery):
            if delivery != .nothing { letGo(delivery, Int(session)) }
        case .unknown:
            counters.packetsMissed.add(.pubrec)
            if packet.reasonCode.isError { return }  // an error ends a flow, also one that is not there
            code = .packetIdentifierNotFound
        }
        let version = connections[index].version
        let answer = Acknowledgement(packetID: packet.packetID, reasonCode: code)
        // After PUBREL the client forgets the identifier: it must not be sent the message again, whatever happens.
        if code == .success, makesWait(Int(session)) {
            return delay(index) { answer.encode(.pubrel, into: &$0, version: version) }
        }
        withOutput(index) { answer.encode(.pubrel, into: &$0, version: version) }
    }

    /// PUBREL always gets a PUBCOMP. [MQTT-4.3.3-11]
    ///
    /// Its identifier is free from then on. [MQTT-4.3.3-12]
    mutating func pubrelReceived(_ index: Int, _ packet: Acknowledgement) {
        let session = Int(connections[index].session)
        let isKnown = sessions[session].received.remove(packet.packetID) != nil
        if !isKnown { counters.packetsMissed.add(.pubrel) }
        let version = connections[index].version
        let code = isKnown ? ReasonCode.success : .packetIdentifierNotFound
        let answer = Acknowledgement(packetID: packet.packetID, reasonCode: code)
        markProgress(session)
        // After PUBCOMP the client may give the identifier to another message, which must not pass for this one.
        if makesWait(session), sessions[session].hasKeptReceived || journal.running != nil {
            return delay(index) { answer.encode(.pubcomp, into: &$0, version: version) }
        }
        withOutput(index) { answer.encode(.pubcomp, into: &$0, version: version) }
    }

    mutating func pubcompReceived(_ index: Int, _ packet: Acknowledgement) {
        let session = connections[index].session
        guard sessions[Int(session)].window.pubcomp(packet.packetID) else {
            return counters.packetsMissed.add(.pubcomp)
        }
        markProgress(Int(session))
        pump(session)
    }
}
