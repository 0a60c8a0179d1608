import Bytes
import MQTTCodec
import Readings

extension BrokerState {
    /// `$SYS/brokers/<node>/…`: names are EMQX's, as far as they mean something for one broker.
    mutating func publishNodeTopics(_ time: Timestamp) {
        setSystem("$SYS/brokers", host.node)
        setNode("version", host.version.split(separator: " ").last.map(String.init) ?? host.version)
        setNode("sysdescr", "Martlet")
        setNode("uptime", String(milliseconds(now - startedAt)))
        setNode("datetime", time.textInUTC)
        for (name, value) in statistics {
            let maximum = max(system.maxima[name] ?? 0, value)
            system.maxima[name] = maximum
            setNode("stats/\(name)/count", String(value))
            setNode("stats/\(name)/max", String(maximum))
        }
        for (name, value) in messageMetrics + transportMetrics + packetMetrics {
            setNode("metrics/\(name)", String(value))
        }
    }

    private mutating func setNode(_ name: String, _ value: String) {
        setSystem("$SYS/brokers/\(host.node)/\(name)", value)
    }

    private func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }

    private var statistics: [(String, Int)] {
        [
            ("connections", counters.clients),
            ("suboptions", subscriptions.count),
            ("subscribers", subscriptions.subscriberCount),
            ("subscriptions", subscriptions.count),
            ("subscriptions/shared", subscriptions.sharedCount),
            ("topics", subscriptions.filterCount),
            ("routes", subscriptions.filterCount),
        ]
    }

    private var transportMetrics: [(String, Int)] {
        [
            ("bytes/received", counters.bytesReceived),
            ("bytes/sent", counters.bytesSent),
            ("packets/received", counters.packetsReceived.total),
            ("packets/sent", counters.allPacketsSent),
        ]
    }

    private var packetMetrics: [(String, Int)] {
        let (received, sent, missed) = (counters.packetsReceived, counters.packetsSent, counters.packetsMissed)
        return [
            ("packets/connect/received", received[.connect]),
            ("packets/connack/sent", sent[.connack]),
            ("packets/publish/received", counters.messagesReceived.total),
            ("packets/publish/sent", counters.messagesSent.total),
            ("packets/publish/error", counters.publishesRefused.other),
            ("packets/publish/auth_error", counters.publishesRefused.notAuthorized),
            ("packets/puback/received", received[.puback]),
            ("packets/puback/sent", sent[.puback]),
            ("packets/puback/missed", missed[.puback]),
            ("packets/pubrec/received", received[.pubrec]),
            ("packets/pubrec/sent", sent[.pubrec]),
            ("packets/pubrec/missed", missed[.pubrec]),
            ("packets/pubrel/received", received[.pubrel]),
            ("packets/pubrel/sent", sent[.pubrel]),
            ("packets/pubrel/missed", missed[.pubrel]),
            ("packets/pubcomp/received", received[.pubcomp]),
            ("packets/pubcomp/sent", sent[.pubcomp]),
            ("packets/pubcomp/missed", missed[.pubcomp]),
            ("packets/subscribe/received", received[.subscribe]),
            ("packets/subscribe/error", counters.subscriptionsRefused.other),
            ("packets/subscribe/auth_error", counters.subscriptionsRefused.notAuthorized),
            ("packets/suback/sent", sent[.suback]),
            ("packets/unsubscribe/received", received[.unsubscribe]),
            ("packets/unsuback/sent", sent[.unsuback]),
            ("packets/pingreq/received", received[.pingreq]),
            ("packets/pingresp/sent", sent[.pingresp]),
            ("packets/disconnect/received", received[.disconnect]),
            ("packets/disconnect/sent", sent[.disconnect]),
            ("packets/auth/received", received[.auth]),
            ("packets/auth/sent", sent[.auth]),
        ]
    }

    private var messageMetrics: [(String, Int)] {
        let (received, sent) = (counters.messagesReceived, counters.messagesSent)
        return [
            ("messages/received", received.total),
            ("messages/sent", sent.total),
            ("messages/qos0/received", received[.atMostOnce]),
            ("messages/qos0/sent", sent[.atMostOnce]),
            ("messages/qos1/received", received[.atLeastOnce]),
            ("messages/qos1/sent", sent[.atLeastOnce]),
            ("messages/qos2/received", received[.exactlyOnce]),
            ("messages/qos2/sent", sent[.exactlyOnce]),
            ("messages/publish", received.total - counters.publishesRefused.total),
            ("messages/delivered", sent.total),
            ("messages/acked", counters.packetsReceived[.puback] + counters.packetsReceived[.pubcomp]),
            ("messages/retained", retained.count),
            ("messages/dropped", counters.messagesDropped + counters.messagesWithoutSubscriber),
            ("messages/dropped/expired", counters.dropped[.expired]),
            ("messages/dropped/no_subscribers", counters.messagesWithoutSubscriber),
        ]
    }
}
