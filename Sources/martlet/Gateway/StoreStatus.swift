import Broker
import MQTTCodec
import Readings
import Store

/// What the gateway's stores write, and what is wrong with them, as topics below `$SYS/martlet/store`.
///
/// What did not change is not said again.
struct StoreStatus {
    private static let prefix = "$SYS/martlet/store/"
    private static let today = "block_bytes_today"
    private static let warning = "warning"
    private static let problem = "problem"

    private var budget: WriteBudget
    /// Block bytes of each store that the budget has.
    private var counted: [String: Int] = [:]
    /// By topic, behind the prefix.
    private var wanted: [String: String] = [StoreStatus.warning: ""]
    private var said: [String: String] = [:]

    init(bytesPerDay budget: Int?) {
        self.budget = WriteBudget(bytesPerDay: budget)
    }

    /// What a store can't do, in words; empty for nothing.
    mutating func problem(_ text: String, of store: String) {
        wanted[Self.topic(store, Self.problem)] = text
    }

    /// Takes what the stores have counted since they were opened; returns what is beyond the day's budget, once a day.
    mutating func count(_ stores: [String: LogStatistics], at now: Timestamp) -> WriteBudget.Excess? {
        var written = 0
        for (store, statistics) in stores {
            let before = counted[store] ?? 0
            // One that was opened anew counts from nothing.
            written += statistics.blockBytesWritten - (statistics.blockBytesWritten < before ? 0 : before)
            counted[store] = statistics.blockBytesWritten
            set(statistics, of: store)
        }
        let excess = budget.wrote(written, at: now)
        wanted[Self.today] = String(budget.bytesToday)
        if let excess { wanted[Self.warning] = "\(excess)" } else if !budget.isExceeded { wanted[Self.warning] = "" }
        return excess
    }

    private mutating func set(_ statistics: LogStatistics, of store: String) {
        let values = [
            ("bytes_written", statistics.bytesWritten), ("block_bytes_written", statistics.blockBytesWritten),
            ("commits", statistics.commits), ("failed_commits", statistics.failedCommits),
            ("bytes_on_disk", statistics.bytesOnDisk), ("set_aside", statistics.setAside),
        ]
        for (key, value) in values { wanted[Self.topic(store, key)] = String(value) }
    }

    /// The store is no more: its topics go.
    mutating func removed(_ store: String) {
        counted[store] = nil
        let own = Self.topic(store, "")
        for topic in wanted.keys where topic.hasPrefix(own) { wanted[topic] = nil }
    }

    /// What is to be published now; with `alarmsOnly` just what is wrong.
    mutating func changes(alarmsOnly: Bool) -> [Publish] {
        let gone = said.keys.filter { wanted[$0] == nil }
        let changed = wanted.filter { said[$0.key] != $0.value && (!alarmsOnly || Self.isAlarm($0.key)) }
        for topic in gone { said[topic] = nil }
        said.merge(changed) { _, new in new }
        let messages = gone.map { ($0, "") } + changed.map { ($0.key, $0.value) }
        return messages.sorted { $0.0 < $1.0 }.map(Self.message)
    }

    private static func isAlarm(_ topic: String) -> Bool {
        topic == warning || topic.hasSuffix("/\(problem)")
    }

    private static func topic(_ store: String, _ key: String) -> String {
        "\(String(decoding: BrokerState.level(Array(store.utf8)), as: UTF8.self))/\(key)"
    }

    private static func message(_ topic: String, _ value: String) -> Publish {
        Publish(topic: Array((prefix + topic).utf8), payload: Array(value.utf8), retain: true)
    }
}
