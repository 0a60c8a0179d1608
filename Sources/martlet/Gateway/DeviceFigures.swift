import Broker
import Drivers
import MQTTCodec

/// What devices and buses were counted to do, as topics below `$SYS/martlet`; what did not change is not said again.
struct DeviceFigures {
    private static let prefix = "$SYS/martlet/"

    private var said: [String: String] = [:]
    /// As of the last time.
    private var busy: [String: Duration] = [:]

    /// What is to be published now, so long after the last time.
    mutating func changes(
        _ devices: [String: DeviceStatistics], busy: [String: Duration], planned: [String: Double] = [:],
        after elapsed: Duration
    ) -> [Publish] {
        var wanted: [String: String] = [:]
        for (device, statistics) in devices {
            for (key, value) in Self.values(statistics) { wanted["devices/\(Self.level(device))/\(key)"] = value }
        }
        for (port, time) in busy {
            let share = (time - (self.busy[port] ?? .zero)) / max(elapsed, .milliseconds(1))
            wanted["ports/\(Self.level(port))/load"] = String(Int((min(share, 1) * 100).rounded()))
        }
        for (port, share) in planned {
            wanted["ports/\(Self.level(port))/load/planned"] = String(Int((share * 100).rounded()))
        }
        self.busy = busy
        let gone = said.keys.filter { wanted[$0] == nil }.map { ($0, "") }
        let changed = wanted.filter { said[$0.key] != $0.value }.map { ($0.key, $0.value) }
        said = wanted
        return (gone + changed).sorted { $0.0 < $1.0 }.map { topic, value in
            Publish(topic: Array((Self.prefix + topic).utf8), payload: Array(value.utf8), retain: true)
        }
    }

    /// Only what such a device can have.
    private static func values(_ statistics: DeviceStatistics) -> [(String, String)] {
        var values: [(String, Int)] = [("garbled", statistics.garbled)]
        if statistics.polls > 0 {
            values += [
                ("polls", statistics.polls), ("answers", statistics.answers), ("timeouts", statistics.timeouts),
                ("refused", statistics.refused),
            ]
        }
        if statistics.messages > 0 || statistics.skippedBytes > 0 {
            values += [("messages", statistics.messages), ("skipped_bytes", statistics.skippedBytes)]
        }
        let times = [("p50", 0.5), ("p99", 0.99)].compactMap { name, share in
            statistics.responses.milliseconds(share: share).map { ("response_ms/\(name)", text($0)) }
        }
        return values.map { ($0.0, String($0.1)) } + times
    }

    private static func text(_ milliseconds: Double) -> String {
        milliseconds < 10 ? "\((milliseconds * 10).rounded() / 10)" : String(Int(milliseconds.rounded()))
    }

    private static func level(_ name: String) -> String {
        String(decoding: BrokerState.level(Array(name.utf8)), as: UTF8.self)
    }
}
