import Bytes
import MQTTCodec

extension BrokerState {
    /// Brings `$SYS` up to date; what did not change is not published again.
    mutating func publishSystemTopics() {
        let uptime = (now - startedAt).components.seconds
        if uptime == 0 { publishSystem("version", serverVersion) }
        publishSystem("uptime", "\(uptime) seconds")
        if counters.clients != lastPublishedClients {
            lastPublishedClients = counters.clients
            publishSystem("clients/connected", String(counters.clients))
        }
    }

    private mutating func publishSystem(_ name: String, _ value: String) {
        publish(Publish(topic: Array("$SYS/broker/\(name)".utf8), payload: Array(value.utf8), retain: true))
    }
}
