package import MQTTCodec

/// A request of the caller, until it is answered.
package struct RequestHandle: Hashable, Sendable {
    package let number: Int

    init(_ number: Int) {
        self.number = number
    }
}

/// A message that the caller has not said to have kept yet.
package struct MessageToken: Hashable, Sendable {
    /// Counts messages, so that a token of an earlier connection fits nothing.
    let serial: Int
    let packetID: UInt16
}

/// What the caller of `ClientState` learns or must do.
package enum ClientEvent: Equatable, Sendable {
    /// The server accepted the connection.
    case connected(sessionPresent: Bool)
    /// A message arrived; with a token where `acknowledge(_:)` must be called for it.
    case message(Publish, MessageToken?)
    /// The server took a message of QoS 1 or 2, or refused it: a code from 0x80 on.
    case acknowledged(RequestHandle, ReasonCode)
    /// The server ends the connection at this message again and again, and there is no other to try: it rests now.
    case heldBack(RequestHandle)
    /// One code per filter.
    case subscribed(RequestHandle, [ReasonCode])
    /// One code per filter.
    case unsubscribed(RequestHandle, [ReasonCode])
    /// The connection is over: write what is left of the output, then close the transport.
    case closed(CloseReason)
}

/// Why a connection ended; its description is a sentence for the log.
package enum CloseReason: Equatable, Sendable {
    /// `disconnect` was called.
    case requested
    /// The network ended it.
    case transport(String)
    /// The server answered CONNECT with an error.
    case refused(ReasonCode, String?)
    /// The server sent DISCONNECT.
    case server(ReasonCode, String?)
    case noConnack
    case keepAliveTimeout
    case noAcknowledgement
    case malformed(DecodeError)
    /// The server broke a rule.
    case protocolError(ReasonCode, String)
}

extension CloseReason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .requested: "disconnected"
        case .transport(let cause): cause
        case .refused(let code, let text): Self.sentence("the server refused the connection: \(code)", text)
        case .server(let code, let text): Self.sentence("the server ended the connection: \(code)", text)
        case .noConnack: "the server accepted the connection but did not answer CONNECT"
        case .keepAliveTimeout: "the server did not answer a ping"
        case .noAcknowledgement: "the server did not acknowledge any message for too long"
        case .malformed(let error): "the server sent something that is not MQTT: \(error)"
        case .protocolError(_, let what): "the server broke the protocol: \(what)"
        }
    }

    private static func sentence(_ text: String, _ addition: String?) -> String {
        guard let addition, !addition.isEmpty else { return text }
        return "\(text) (\(addition))"
    }
}

/// Why a message was not accepted for sending.
package enum PublishRefusal: Error, Equatable, Sendable {
    /// QoS 0 is not kept for later.
    case notConnected
    case topicInvalid
    /// `maximumWaiting` messages wait already.
    case tooManyWaiting
    /// Larger than this server accepts, or than MQTT can say.
    case packetTooLarge
}
