import Foundation
import MQTTCodec
import Readings
import Store
import Testing

@testable import martlet

@Suite struct StoreStatusTests {
    private static let day: Int64 = 86_400_000
    private var status = StoreStatus(bytesPerDay: 1_000_000)

    private func statistics(_ blockBytes: Int) -> LogStatistics {
        var statistics = LogStatistics()
        statistics.commits = blockBytes / 4_096
        statistics.bytesWritten = blockBytes / 2
        statistics.blockBytesWritten = blockBytes
        return statistics
    }

    private func time(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: 20_000 * Self.day + milliseconds) }

    private func texts(_ messages: [Publish]) -> [String: String] {
        var texts: [String: String] = [:]
        for message in messages {
            let topic = String(decoding: message.topic, as: UTF8.self)
            texts[topic.replacing("$SYS/martlet/store/", with: "")] = String(decoding: message.payload, as: UTF8.self)
        }
        return texts
    }

    @Test mutating func `what was counted is told, and again only where it changed`() {
        status.problem("", of: "journal")
        _ = status.count(["journal": statistics(8_192)], at: time(0))
        let messages = status.changes(alarmsOnly: false)
        #expect(messages.allSatisfy { $0.retain })
        #expect(
            texts(messages) == [
                "journal/bytes_written": "4096", "journal/block_bytes_written": "8192", "journal/commits": "2",
                "journal/failed_commits": "0", "journal/bytes_on_disk": "0", "journal/set_aside": "0",
                "journal/problem": "", "block_bytes_today": "8192", "warning": "",
            ])
        #expect(status.changes(alarmsOnly: false).isEmpty)
        var later = statistics(8_192)
        later.setAside = 1
        _ = status.count(["journal": later], at: time(1_000))
        #expect(texts(status.changes(alarmsOnly: false)) == ["journal/set_aside": "1"])
    }

    @Test mutating func `every topic is in the document`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/sys-topics.md"), encoding: .utf8)
        status.problem("", of: "journal")
        _ = status.count(["journal": LogStatistics()], at: time(0))
        for topic in texts(status.changes(alarmsOnly: false)).keys {
            #expect(text.contains("`store/\(topic.replacing("journal/", with: "<store>/"))`"))
        }
    }

    @Test mutating func `one budget holds for all stores, warns once a day, and ends with the day`() throws {
        #expect(status.count(["journal": statistics(400_000), "other": statistics(400_000)], at: time(0)) == nil)
        let stores = ["journal": statistics(800_000), "other": statistics(700_000)]
        let told = status.count(stores, at: time(1_000))
        let excess = try #require(told)
        #expect((excess.written, excess.budget) == (1_500_000, 1_000_000))
        #expect(texts(status.changes(alarmsOnly: true))["warning"] == "\(excess)")
        #expect(status.count(["journal": statistics(900_000), "other": statistics(700_000)], at: time(2_000)) == nil)
        #expect(status.changes(alarmsOnly: true).isEmpty)
        #expect(texts(status.changes(alarmsOnly: false))["block_bytes_today"] == "1600000")
        #expect(status.count(["journal": statistics(904_096)], at: time(Self.day)) == nil)
        let next = texts(status.changes(alarmsOnly: false))
        #expect(next["warning"] == "" && next["block_bytes_today"] == "4096")
    }

    @Test mutating func `a store that was opened anew counts from nothing`() {
        _ = status.count(["journal": statistics(40_960)], at: time(0))
        _ = status.count(["journal": statistics(4_096)], at: time(1_000))
        #expect(texts(status.changes(alarmsOnly: false))["block_bytes_today"] == "45056")
    }

    @Test mutating func `what is wrong is told without the counters`() {
        _ = status.count(["journal": statistics(4_096)], at: time(0))
        status.problem("the disk is full", of: "journal")
        #expect(texts(status.changes(alarmsOnly: true)) == ["journal/problem": "the disk is full", "warning": ""])
        status.problem("", of: "journal")
        #expect(texts(status.changes(alarmsOnly: true)) == ["journal/problem": ""])
    }

    @Test mutating func `the topics of a store go with it`() {
        _ = status.count(["a/b": statistics(4_096), "a/bc": statistics(4_096)], at: time(0))
        status.problem("the disk is full", of: "a/b")
        let before = texts(status.changes(alarmsOnly: false))
        #expect(before["a%2Fb/problem"] == "the disk is full")
        status.removed("a/b")
        let after = texts(status.changes(alarmsOnly: true))
        #expect(
            after.count == 7 && after.values.allSatisfy(\.isEmpty) && after.keys.allSatisfy { $0.hasPrefix("a%2Fb/") })
    }
}
