/// What the broker accepts, section `broker.limits` of the configuration; the defaults are the documented ones.
package struct BrokerLimits: Equatable, Sendable {
    /// The longest packet taken from a client, in bytes, fixed header included.
    package var maximumPacketSize = 1_000_000
    /// What a client may have unacknowledged towards us at QoS 2 (QoS 1 is acknowledged at once).
    package var receiveMaximum: UInt16 = 100
    /// What we may have unacknowledged towards a client; its own Receive Maximum wins if lower.
    package var inFlight = 100
    /// In seconds; a client that asks for more, or for none, is given this.
    package var maximumKeepAlive: UInt16 = 65_535
    /// The longest a session outlives its connection, in seconds: MQTT 5 asks, 3.1.1 gets `sessionExpiryV3`.
    package var sessionExpiry: UInt32 = 14 * 86_400
    package var sessionExpiryV3: UInt32 = 14 * 86_400
    package var maximumConnections = 10_000
    /// How long a connection may take to send its CONNECT.
    package var connectTimeout: Duration = .seconds(10)
    /// Per session: messages waiting for an offline or slow client; then the oldest is dropped and counted.
    package var queuedMessages = 10_000
    /// The same for the gateway's own clients; the bridge has a limit of its own behind it.
    package var queuedMessagesInside = 100_000
    /// Per session, in bytes; also bounds what waits unsent in a connection's output.
    package var queuedBytes = 32_000_000
    /// Per client.
    package var subscriptions = 1_000
    package var topicLevels = 128
    /// How often `$SYS` is brought up to date.
    package var sysInterval: Duration = .seconds(10)

    package init() {}
}
