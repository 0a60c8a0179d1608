/// What an operator should know of the upstream link; its description is a sentence.
package enum BridgeEvent: Equatable, Sendable {
    case linkUp(waiting: Int)
    case linkDown(String, waiting: Int)
    /// What the server does not allow, in words.
    case serverLimits(String)
    /// Another client has the same client id, for certain or by all appearances.
    case clientIDShared(String, isCertain: Bool)
    /// The server does not speak MQTT 5.
    case olderVersion
    /// The queue passed 80 % of a limit.
    case queueFilling(percent: Int)
    /// The disk does not take what is to be kept, for the reason given.
    case bufferFailing(String)
    case bufferRecovered
    /// A file of the buffer can't be read, for the reason given.
    case bufferUnreadable(String)
    /// Dropped since the last report of this reason.
    case dropped(DropReason, count: Int)
    /// The server hangs up at this message, and there is no other to try.
    case heldBack(topic: String)
    /// Everything that waited was taken by the upstream.
    case caughtUp
    /// A filter that the upstream does not grant.
    case subscriptionRefused(filter: String, reason: String)
    /// A filter that the local broker does not grant.
    case localSubscriptionRefused(filter: String, reason: String)
    /// Messages that were here before, since the last report.
    case circled(count: Int)
    /// Messages from the upstream that no line wants, since the last report.
    case notWanted(count: Int)

    /// Whether it asks for somebody's attention.
    package var isWarning: Bool {
        switch self {
        case .linkUp, .serverLimits, .olderVersion, .caughtUp, .notWanted, .bufferRecovered: false
        case .bufferFailing, .bufferUnreadable, .circled, .clientIDShared, .heldBack, .linkDown, .queueFilling,
            .dropped, .subscriptionRefused,
            .localSubscriptionRefused:
            true
        }
    }
}

extension BridgeEvent: CustomStringConvertible {
    package var description: String {
        switch self {
        case .linkUp(0): "connected"
        case .linkUp(let waiting): "connected; \(waiting) messages wait to be sent"
        case .linkDown(let cause, 0): cause
        case .linkDown(let cause, let waiting): "\(cause); \(waiting) messages are kept"
        case .clientIDShared(let id, true):
            "another client came with our client id '\(id)', and the server threw this one out; "
                + "give each gateway a client_id of its own"
        case .clientIDShared(let id, false):
            "the server accepts the connection and closes it again and again; does another client have our client id "
                + "'\(id)'? give each gateway a client_id of its own"
        case .serverLimits(let words): "the server \(words)"
        case .olderVersion: "the server speaks no MQTT 5; going on with 3.1.1"
        case .queueFilling(let percent): "the queue is \(percent) % full"
        case .bufferFailing(let why):
            "what waits for the server can't be kept and is not acknowledged until it can: \(why)"
        case .bufferRecovered: "what waits for the server is kept again"
        case .bufferUnreadable(let why):
            "some of what waits for the server can't be read, and is left where it is: \(why)"
        case .dropped(let reason, let count): "dropped \(count) messages: \(reason)"
        case .heldBack(let topic):
            "the server hangs up at the message to '\(topic)'; it is kept, and tried again now and then"
        case .caughtUp: "everything that waited has been sent"
        case .subscriptionRefused(let filter, let reason): "the server refuses to send \(filter): \(reason)"
        case .localSubscriptionRefused(let filter, let reason): "the local broker refuses to send \(filter): \(reason)"
        case .circled(let count):
            "\(count) messages came round in a circle and were dropped; do bridges send them on to each other?"
        case .notWanted(let count): "\(count) messages came that no line under `in` wants"
        }
    }
}
