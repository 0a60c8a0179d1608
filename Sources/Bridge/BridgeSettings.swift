package import MQTTCodec

/// One upstream server: what goes there, what comes from there, and what is kept while it is away.
package struct BridgeSettings: Equatable, Sendable {
    /// One line of `out` or `in`: messages that match the filter go on under another topic.
    package struct Line: Equatable, Sendable {
        /// Matched where the message comes from; checked by the caller with `Topic.isValidFilter`.
        package var filter: [UInt8]
        package var rewrite: TopicRewrite
        /// The QoS it goes on with, whatever it came with: a message published at QoS 0 is worth keeping too.
        package var qos: QoS

        package init(filter: [UInt8], rewrite: TopicRewrite = .same, qos: QoS = .atLeastOnce) {
            self.filter = filter
            self.rewrite = rewrite
            self.qos = qos
        }
    }

    /// Unique at the upstream server.
    package var clientID: [UInt8]
    /// From the local broker to the upstream; the first line that matches decides.
    package var out: [Line]
    /// From the upstream to the local broker; the first line that matches decides.
    package var `in`: [Line]
    package var queue = QueueLimits()
    /// How many messages are on their way to the upstream at once.
    package var maximumInFlight = 100

    package init(clientID: [UInt8], out: [Line] = [], in incoming: [Line] = []) {
        self.clientID = clientID
        self.out = out
        self.in = incoming
    }
}

/// How much is kept for the upstream; the oldest messages are dropped when it is too much.
package struct QueueLimits: Equatable, Sendable {
    package var messages = 100_000
    package var bytes = 64 << 20
    /// Older messages are dropped; nil keeps them.
    package var age: Duration?

    package init() {}
}
