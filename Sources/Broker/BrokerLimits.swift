package import MQTTCodec

/// What the broker accepts, section `broker.limits` of the configuration; the defaults are the documented ones.
package struct BrokerLimits: Equatable, Sendable {
    /// What goes when a session's queue is full.
    package enum DropPolicy: Equatable, Sendable {
        case oldest
        case newest
    }

    /// Which member of a shared subscription gets a message.
    package enum SharedStrategy: Equatable, Sendable {
        /// One after the other.
        case roundRobin
        /// The same one as long as it is connected and keeps up.
        case sticky
        /// The same one for the same topic.
        case hashTopic
    }

    /// The longest packet taken from a client, in bytes, fixed header included.
    package var maximumPacketSize = 1_000_000
    /// The highest QoS at which clients may publish; subscriptions ask for what they like. [MQTT-3.2.2-9]
    package var maximumQoS = QoS.exactlyOnce
    /// Whether clients may have messages retained.
    package var retainAvailable = true
    /// What a client may have unacknowledged towards us.
    package var receiveMaximum: UInt16 = 100
    /// What we may have unacknowledged towards a client; its own Receive Maximum wins if lower.
    package var inFlight = 100
    /// Topic aliases per connection and direction; a client's own maximum wins if lower.
    package var topicAliasMaximum: UInt16 = 10
    /// In seconds; a client that asks for more, or for none, is given this.
    package var maximumKeepAlive: UInt16 = 65_535
    /// The longest a session outlives its connection, in seconds: MQTT 5 asks, 3.1.1 gets `sessionExpiryV3`.
    package var sessionExpiry: UInt32 = 14 * 86_400
    package var sessionExpiryV3: UInt32 = 14 * 86_400
    /// Of clients from outside; the gateway's own don't count.
    package var maximumConnections = 10_000
    /// New connections a second, over all listeners; more wait in the kernel's queue.
    ///
    /// 0 is no limit.
    package var connectionRate = 500
    /// How long a connection may take to send its CONNECT.
    package var connectTimeout: Duration = .seconds(10)
    /// Per session: messages waiting for an offline or slow client; then `dropPolicy` decides what goes.
    package var queuedMessages = 10_000
    /// The same for the gateway's own clients; the bridge has a limit of its own behind it.
    package var queuedMessagesInside = 100_000
    /// Per session, in bytes; also bounds what waits unsent in a connection's output.
    package var queuedBytes = 32_000_000
    package var dropPolicy = DropPolicy.oldest
    /// Whether QoS 0 messages are queued for sessions without a connection. [MQTT 5, section 4.5]
    package var keepsQoS0WhileOffline = false
    /// What one client may publish, in messages and in bytes a second; past it, it is read more slowly.
    ///
    /// 0 is no limit.
    package var messageRate = 0
    package var byteRate = 0
    /// Per client.
    package var subscriptions = 1_000
    package var topicLevels = 128
    /// The longest topic name or filter, in bytes.
    package var topicLength = 65_535
    /// What messages, queues and outputs may take together, in bytes; nearing it, first new retained messages are
    /// refused, then slow subscribers' queues give way, then new connections are refused.
    package var memory = 256_000_000
    /// Whether a payload that says it is UTF-8 text is checked to be. [MQTT-3.3.2-4]
    package var validatesPayloadFormat = false
    package var sharedStrategy = SharedStrategy.roundRobin
    /// How often `$SYS` is brought up to date; zero is never.
    package var sysInterval: Duration = .seconds(10)

    package init() {}
}
