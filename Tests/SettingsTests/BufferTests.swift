import Bridge
import Testing

@testable import Settings

/// `buffer` of an upstream, and the priorities of its lines.
@Suite struct BufferTests {
    private func bridge(_ buffer: String, store: String = "{}") throws -> BridgeSettings {
        let text = "store: \(store)\nupstream: { a: { url: mqtt://host, out: [ { filter: '#' } ], buffer: \(buffer) } }"
        return try #require(try settings(text).upstreams.first).bridge
    }

    @Test func `without keys there is room for half a gigabyte, and the oldest goes`() throws {
        let queue = try bridge("{}").queue
        #expect(queue == QueueLimits())
        #expect(queue.bytes == 512_000_000 && queue.share == 0.5 && queue.policy == .dropOldest && queue.age == nil)
        #expect(queue.replay.rate == nil && !queue.replay.liveFirst && queue.replay.marks)
    }

    @Test func `limits, place and policy are read`() throws {
        let bridge = try bridge(
            "{ path: /mnt/usb/a, max_messages: 5000, max_size: 1GB, max_share: 25%, max_age: 14d, full: thin, thin: 10 }"
        )
        #expect(bridge.bufferPath == "/mnt/usb/a")
        #expect(bridge.queue.messages == 5_000 && bridge.queue.bytes == 1_000_000_000 && bridge.queue.share == 0.25)
        #expect(bridge.queue.age == .seconds(14 * 86_400) && bridge.queue.policy == .thin(keepingOneIn: 10))
        #expect(try self.bridge("{ full: latest }").queue.policy == .latest)
        #expect(try self.bridge("{ full: drop-newest }").queue.policy == .dropNewest)
    }

    @Test func `it is written as often as the store, unless it says otherwise`() throws {
        #expect(try bridge("{}", store: "{ sync: 2s }").queue.sync == .within(.seconds(2)))
        #expect(try bridge("{ sync: commit }", store: "{ sync: 2s }").queue.sync == .commit)
        #expect(try bridge("{ sync: off }").queue.sync == .off)
    }

    @Test func `with a rate live messages go first, unless somebody wants them in line`() throws {
        let paced = try bridge("{ replay: { rate: 600/min } }").queue.replay
        #expect(paced.rate == 10 && paced.liveFirst)
        #expect(try !bridge("{ replay: { rate: 200/s, live_first: false } }").queue.replay.liveFirst)
        #expect(try bridge("{ replay: { rate: off, mark: false } }").queue.replay.marks == false)
    }

    @Test func `a line has a priority`() throws {
        let lines = "[ { filter: alarm/#, priority: high }, { filter: bulk/#, priority: low }, { filter: '#' } ]"
        let read = try settings("upstream: { a: { url: mqtt://host, out: \(lines) } }").upstreams
        #expect(read.first?.bridge.out.map(\.priority) == [.high, .low, .normal])
    }
}
