package import Readings

/// Where the broker runs, as it says of itself on `$SYS`.
package struct BrokerHost: Sendable {
    /// The gateway's id: a level of `$SYS/brokers/<node>/…`.
    package var node: String
    /// As `$SYS/broker/version` tells it; the number is the last word.
    package var version: String
    /// The time of day, asked for when `$SYS` is brought up to date and when a client comes or goes.
    ///
    /// A function and not a value, so that a clock that was set meanwhile is told as it is then.
    package var wallClock: @Sendable () -> Timestamp

    package init(node: String, version: String, wallClock: @escaping @Sendable () -> Timestamp) {
        self.node = node
        self.version = version
        self.wallClock = wallClock
    }
}
