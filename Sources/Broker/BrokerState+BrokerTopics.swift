import Bytes
import MQTTCodec

extension BrokerState {
    /// `$SYS/broker/…`: names and formats are mosquitto's, because that is what dashboards read.
    mutating func publishBrokerTopics() {
        setSystem("$SYS/broker/version", host.version)
        setSystem("$SYS/broker/uptime", "\((now - startedAt).components.seconds) seconds")
        for (name, value) in clientValues + messageValues + storeValues() { setSystem("$SYS/broker/\(name)", value) }
        for (place, average) in system.loads.averages.enumerated() {
            let (name, period) = place.quotientAndRemainder(dividingBy: LoadAverages.periods.count)
            setSystem(
                "$SYS/broker/load/\(LoadAverages.names[name])/\(LoadAverages.periods[period])min",
                LoadAverages.text(average))
        }
    }

    /// Sessions of clients outside the gateway, connected or not.
    var outsideSessions: Int { sessions.count - freeSessions.count - counters.insideClients }

    private var clientValues: [(String, Int)] {
        let total = max(outsideSessions, counters.clients)
        let disconnected = total - counters.clients
        return [
            ("clients/total", total),
            ("clients/maximum", counters.maximumClients),
            ("clients/connected", counters.clients),
            ("clients/active", counters.clients),
            ("clients/disconnected", disconnected),
            ("clients/inactive", disconnected),
            ("clients/expired", counters.sessionsExpired),
            ("connections/socket/count", counters.sockets),
        ]
    }

    private var messageValues: [(String, Int)] {
        [
            ("messages/received", counters.packetsReceived.total),
            ("messages/sent", counters.allPacketsSent),
            ("publish/messages/received", counters.messagesReceived.total),
            ("publish/messages/sent", counters.messagesSent.total),
            ("publish/messages/dropped", counters.messagesDropped),
            ("publish/bytes/received", counters.messagesReceived.payloadBytes),
            ("publish/bytes/sent", counters.messagesSent.payloadBytes),
            ("bytes/received", counters.bytesReceived),
            ("bytes/sent", counters.bytesSent),
        ]
    }

    private mutating func storeValues() -> [(String, Int)] {
        let waiting = outputs.map(\.count).filter { $0 > 0 }
        let waitingBytes = waiting.reduce(0, +)
        let heap = memoryInUse
        system.maximumHeap = max(system.maximumHeap, heap)
        return [
            ("messages/stored", messages.count),
            ("store/messages/count", messages.count),
            ("store/messages/bytes", messages.bytes),
            ("subscriptions/count", subscriptions.count),
            ("shared_subscriptions/count", subscriptions.sharedCount),
            ("retained messages/count", retained.count),
            ("packet/out/count", waiting.count),
            ("packet/out/bytes", waitingBytes),
            ("heap/current", heap),
            ("heap/maximum", system.maximumHeap),
        ]
    }
}
