import Broker
import Readings

extension BrokerHost {
    /// A machine whose clock stands still.
    static let test = BrokerHost(node: "test", version: "test") { Timestamp(milliseconds: 0) }
}
