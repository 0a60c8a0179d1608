import Broker
import Network
import Readings

extension BrokerHost {
    /// A machine whose clock stands still.
    static let test = BrokerHost(node: "test", version: "test") { Timestamp(milliseconds: 0) }
}

extension BrokerServer.Settings {
    init(listeners: [ListenerSettings], version: String) {
        self.init(listeners: listeners, host: BrokerHost(node: "test", version: version) { Timestamp(milliseconds: 0) })
    }
}
