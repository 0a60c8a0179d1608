package import MQTTCodec

/// How one client presents itself to a server, and what it keeps between connections.
package struct ClientSettings: Equatable, Sendable {
    /// When the server is told that a message has arrived.
    package enum AcknowledgementMode: Equatable, Sendable {
        /// At once.
        case automatic
        /// When `acknowledge(_:)` is called, because the message is kept then.
        case deferred
    }

    package var version = ProtocolVersion.v5
    /// Tells a 3.1.1 server that a bridge comes, which wants no message of its own back; not every server knows that.
    package var isBridge = false
    /// Empty lets the server assign one.
    package var clientID: [UInt8]
    /// The first connection begins without what an earlier process left behind; later ones resume.
    package var cleanStart = true
    /// How long the server keeps the session after a connection ends; 0 means not at all.
    package var sessionExpirySeconds: UInt32 = 0
    /// 0 means none.
    package var keepAliveSeconds: UInt16 = 60
    package var userName: [UInt8]?
    package var password: [UInt8]?
    package var will: Connect.Will?
    package var acknowledgement = AcknowledgementMode.automatic
    /// How many messages above QoS 0 the server may send before the first is acknowledged.
    package var receiveMaximum: UInt16 = 1000
    /// The largest packet that is accepted.
    package var maximumPacketSize: UInt32 = 16 << 20
    /// How many messages above QoS 0 are sent before the first is acknowledged; the server may allow fewer.
    package var maximumInFlight = 100
    /// How many topics are named by a number after their first message, where the server allows it.
    package var topicAliases = 0
    /// Whether a message that the server answers by ending the connection, again and again, is given up at last.
    package var setsPoisonAside = false
    /// How many messages may wait for their turn.
    package var maximumWaiting = 10_000
    /// How long CONNACK may take.
    package var connectTimeout: Duration = .seconds(10)
    /// How long the server may leave every message unacknowledged before the connection is given up, and they are
    /// sent again on the next one; nil waits for ever.
    package var acknowledgeTimeout: Duration? = .seconds(60)

    package init(clientID: [UInt8]) {
        self.clientID = clientID
    }
}
