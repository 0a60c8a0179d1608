import Bytes
import MQTTCodec

/// Messages of QoS 1 and 2 that came, until they are acknowledged: in the order they came in. [MQTT-4.6.0-2]
struct IncomingMessages: Sendable {
    enum Arrival: Equatable, Sendable {
        case deliver(MessageToken)
        /// A repeated QoS 2 message whose PUBREC was sent: send it again. [MQTT-4.3.3-10]
        case receiveAgain
        /// A repeated QoS 2 message that the caller still holds.
        case ignore
        /// More messages than the receive maximum allows. [MQTT-3.3.4-9]
        case tooMany
    }

    /// What became of a QoS 2 packet identifier.
    private enum Exchange: Equatable, Sendable {
        /// The caller has not kept it yet; `isRepeated` once it came again on a later connection.
        case held(isRepeated: Bool)
        /// PUBREC is the answer, as often as it comes.
        case received
    }

    private struct Pending: Sendable {
        let token: MessageToken
        let qos: QoS
        var isReady = false
        /// Came on a connection that is gone: not acknowledged in its turn.
        var isStale = false
    }

    private var pending = Ring<Pending>()
    private var firstSerial = 0
    private var nextSerial = 0
    private var exactlyOnce: [UInt16: Exchange] = [:]
    /// PUBRECs for repeated messages that the caller has kept only now.
    private var late = Ring<UInt16>()
    /// Messages of this connection that are not acknowledged to the end.
    private var openCount = 0

    mutating func arrived(_ message: Publish, receiveMaximum: Int) -> Arrival {
        if message.qos == .exactlyOnce, let exchange = exactlyOnce[message.packetID] {
            guard exchange != .received else { return .receiveAgain }
            exactlyOnce[message.packetID] = .held(isRepeated: true)
            return .ignore
        }
        guard openCount < receiveMaximum else { return .tooMany }
        openCount += 1
        if message.qos == .exactlyOnce { exactlyOnce[message.packetID] = .held(isRepeated: false) }
        let token = MessageToken(serial: nextSerial, packetID: message.packetID)
        nextSerial += 1
        pending.append(Pending(token: token, qos: message.qos))
        return .deliver(token)
    }

    /// The caller has the message; a token of no use any more is ignored.
    mutating func kept(_ token: MessageToken) {
        let position = token.serial - firstSerial
        guard position >= 0, position < pending.count, !pending[position].isReady else { return }
        pending[position].isReady = true
        let entry = pending[position]
        guard entry.isStale, entry.qos == .exactlyOnce else { return }
        if exactlyOnce[token.packetID] == .held(isRepeated: true) { late.append(token.packetID) }
        exactlyOnce[token.packetID] = .received
    }

    /// The next acknowledgement that may be sent.
    mutating func nextReady() -> (packetID: UInt16, type: PacketType)? {
        if let packetID = late.popFirst() { return (packetID, .pubrec) }
        while let first = pending.first, first.isReady || first.isStale && first.qos == .atLeastOnce {
            _ = pending.popFirst()
            firstSerial += 1
            guard !first.isStale else { continue }
            guard first.qos == .exactlyOnce else {
                openCount -= 1
                return (first.token.packetID, .puback)
            }
            exactlyOnce[first.token.packetID] = .received
            return (first.token.packetID, .pubrec)
        }
        return nil
    }

    /// PUBREL came; false if nothing is known of it.
    mutating func released(_ packetID: UInt16) -> Bool {
        guard exactlyOnce.removeValue(forKey: packetID) != nil else { return false }
        openCount = max(0, openCount - 1)
        return true
    }

    /// The connection is gone: the server sends again what was not acknowledged, at QoS 1 as a new message.
    ///
    /// QoS 2 messages that the caller holds stay known, so that they are not delivered twice.
    mutating func connectionLost() {
        late = Ring()
        openCount = 0
        for position in 0..<pending.count { pending[position].isStale = true }
        for (packetID, exchange) in exactlyOnce where exchange == .held(isRepeated: true) {
            exactlyOnce[packetID] = .held(isRepeated: false)
        }
    }

    /// The server has no session, so nothing of an earlier one may be mixed with what comes. [MQTT-3.2.2-5]
    mutating func sessionLost() {
        pending = Ring()
        firstSerial = nextSerial
        exactlyOnce = [:]
        late = Ring()
        openCount = 0
    }
}
