/// How much is kept for the upstream, what goes when it is too much, and how it is sent later.
package struct QueueLimits: Equatable, Sendable {
    /// What goes when a limit is reached.
    package enum Policy: Equatable, Sendable {
        /// The oldest message of the lowest priority.
        case dropOldest
        /// The message that comes; one of a higher priority than others still gets the place of their oldest.
        case dropNewest
        /// The oldest message that has a newer one of its topic: a topic's latest value stays.
        case latest
        /// All but one in so many messages of each topic, in the oldest file first; a file may be thinned again.
        case thin(keepingOneIn: Int)
    }

    /// When a message that nobody has acknowledged is written.
    package enum Sync: Equatable, Sendable {
        /// At once.
        case commit
        /// When it has waited so long.
        case within(Duration)
        /// The same as within a second, and the disk's own cache is not waited for.
        case off

        /// How long a message may wait unwritten.
        var patience: Duration {
            switch self {
            case .commit: .zero
            case .within(let duration): duration
            case .off: .seconds(1)
            }
        }
    }

    package var messages = 10_000_000
    /// Bytes on the disk.
    package var bytes = 512_000_000
    /// The part of the disk that the buffer may take at most, from 0 to 1; `bytes` holds too.
    package var share = 0.5
    /// Older messages are dropped; nil keeps them.
    package var age: Duration?
    package var policy = Policy.dropOldest
    package var sync = Sync.within(.milliseconds(50))
    package var replay = Replay()

    package init() {}

    /// How messages go out that could not be sent when they came.
    package struct Replay: Equatable, Sendable {
        /// Messages in a second; nil has no limit.
        package var rate: Double?
        /// Whether messages that come while older ones still wait are sent before them.
        package var liveFirst = false
        /// Whether a message says that it is sent late.
        package var marks = true

        package init() {}
    }
}
