import Foundation
import MQTTCodec
import Testing

@testable import Broker

/// Holds `docs/sys-topics.md` against what is published.
@Suite struct SystemTopicDocumentTests {
    /// The topics in the document's tables, with the clients' and nodes' names put in.
    private func documented() throws -> Set<String> {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("docs/sys-topics.md"), encoding: .utf8)
        var topics: Set<String> = ["$SYS/brokers"]
        var prefix = ""
        for line in text.split(separator: "\n") where line.hasPrefix("|") {
            let names = line.split(separator: "|").first.map { Self.quoted(String($0)) } ?? []
            if line.hasPrefix("| topic below") {
                prefix = names.first ?? ""
            } else {
                for name in names { topics.insert("\(prefix)/\(name)") }
            }
        }
        return Set(topics.map { $0.replacingOccurrences(of: "<id>", with: "house") })
    }

    private static func quoted(_ text: String) -> [String] {
        text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { !$0.offset.isMultiple(of: 2) }.map { String($0.element) }
    }

    /// Everything that a broker publishes in a life with all that it tells about.
    private func published() throws -> Set<String> {
        let broker = TestBroker()
        let watcher = try #require(broker.open())
        watcher.connect("watcher")
        watcher.subscribe("$SYS/#")
        let client = try #require(broker.open())
        client.connect("<client>", expiry: 100)
        client.subscribe("t", .atLeastOnce)
        _ = client.unsubscribe("never")
        client.subscribe("u")
        _ = client.unsubscribe("u")
        for address in ["1", "2", "1", "2"] {
            let rival = try #require(broker.open(peer: address, address: address))
            rival.connect("<client>", clean: false, expiry: 100)
        }
        let last = try #require(broker.open())
        last.connect("<client>", clean: false, expiry: 100)
        last.lose()
        watcher.publish("t", "x", .atLeastOnce)
        broker.advance(.seconds(10))
        let events = watcher.publishes().map { String(decoding: $0.topic, as: UTF8.self) }
        return Set(events).union(broker.systemTopics("$SYS/#").keys)
    }

    @Test func `every topic that is published is documented, and every documented one is published`() throws {
        let (documented, published) = (try documented(), try published())
        #expect(published.subtracting(documented).sorted() == [])
        // The bridge's are published by the bridge, those of stores and devices by the gateway.
        let others = ["/connection/<", "/bridges/<", "/martlet/store/", "/martlet/devices/", "/martlet/ports/"]
        let own = documented.filter { topic in !others.contains { topic.contains($0) } }
        #expect(own.subtracting(published).sorted() == [])
    }
}
