import Drivers
import Foundation
import MQTTCodec
import Testing

@testable import martlet

@Suite struct DeviceFiguresTests {
    private var figures = DeviceFigures()

    private func polled(_ answers: Int) -> DeviceStatistics {
        var statistics = DeviceStatistics()
        statistics.polls = answers + 2
        statistics.answers = answers
        statistics.timeouts = 2
        for _ in 0..<answers { statistics.responses.add(.milliseconds(20)) }
        return statistics
    }

    private func texts(_ messages: [Publish]) -> [String: String] {
        var texts: [String: String] = [:]
        for message in messages {
            #expect(message.retain)
            let topic = String(decoding: message.topic, as: UTF8.self)
            texts[topic.replacing("$SYS/martlet/", with: "")] = String(decoding: message.payload, as: UTF8.self)
        }
        return texts
    }

    @Test mutating func `what a device was counted to do is told, and again only where it changed`() {
        let first = texts(figures.changes(["meter": polled(10)], busy: [:], after: .seconds(10)))
        #expect(first["devices/meter/polls"] == "12" && first["devices/meter/timeouts"] == "2")
        #expect(first["devices/meter/messages"] == nil)
        let again = texts(figures.changes(["meter": polled(11)], busy: [:], after: .seconds(10)))
        #expect(Set(again.keys) == ["devices/meter/polls", "devices/meter/answers"])
        let gone = texts(figures.changes([:], busy: [:], after: .seconds(10)))
        #expect(gone["devices/meter/polls"] == "" && gone.count == first.count)
    }

    @Test mutating func `the load of a bus is that of the time since it was told last`() {
        func load(_ busy: Duration) -> String? {
            texts(figures.changes([:], busy: ["bus": busy], after: .seconds(10)))["ports/bus/load"]
        }
        #expect(load(.seconds(4)) == "40")
        #expect(load(.seconds(13)) == "90")
        #expect(load(.seconds(13)) == "0")
    }

    @Test func `response times are told at most a quarter too long`() {
        var times = ResponseTimes()
        #expect(times.milliseconds(share: 0.5) == nil)
        for _ in 0..<98 { times.add(.milliseconds(30)) }
        for _ in 0..<2 { times.add(.milliseconds(900)) }
        let (median, most) = (times.milliseconds(share: 0.5) ?? 0, times.milliseconds(share: 0.99) ?? 0)
        #expect((30...37.5).contains(median))
        #expect((900...1_125).contains(most))
        times.add(.seconds(100_000))
        times.add(.zero)
        #expect((times.milliseconds(share: 1) ?? 0) > 60_000)
    }

    @Test mutating func `every topic is in the document`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/sys-topics.md"), encoding: .utf8)
        var statistics = polled(1)
        statistics.messages = 1
        for topic in texts(figures.changes(["meter": statistics], busy: ["bus": .zero], after: .seconds(1))).keys {
            let written = topic.replacing("/meter/", with: "/<device>/").replacing("/bus/", with: "/<port>/")
            #expect(text.contains("`\(written)`"), "\(written)")
        }
    }
}
