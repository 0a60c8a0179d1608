import MQTTCodec
import Testing

@testable import Bridge
@testable import Client

/// The queue on a disk.
struct StoredQueueTests {
    private let start = ContinuousClock.now
    private var disk = TestBufferDisk(segmentSize: 50_000)

    private func limits(_ change: (inout QueueLimits) -> Void = { _ in }) -> QueueLimits {
        var limits = QueueLimits()
        change(&limits)
        return limits
    }

    private func queue(_ limits: QueueLimits = QueueLimits()) -> OfflineQueue {
        OfflineQueue(limits, isStored: true)
    }

    private func message(_ number: Int, topic: String = "t", size: Int = 0) -> Publish {
        let text = "\(number) " + String(repeating: ".", count: size)
        return Publish(topic: Array(topic.utf8), payload: Array(text.utf8), qos: .atLeastOnce)
    }

    private func token(_ serial: Int) -> MessageToken { MessageToken(serial: serial, packetID: 1) }

    private func numbers(_ messages: [Publish]) -> [Int] {
        messages.compactMap { Int(String(decoding: $0.payload.prefix { $0 != 0x20 }, as: UTF8.self)) }
    }

    /// So much is written that only the last of it is in memory too.
    private mutating func fill(
        _ queue: inout OfflineQueue, _ range: ClosedRange<Int>, size: Int = 2_000,
        topic: (Int) -> String = { _ in "t" }, lane: (Int) -> Priority = { _ in .normal }
    ) {
        for number in range {
            queue.append(message(number, topic: topic(number), size: size), lane(number), now: start)
        }
        queue.tick(now: start + .seconds(1))
        queue.settle(&disk, now: start + .seconds(1))
    }

    @Test mutating func `a message is acknowledged when it is on the disk, and not before`() {
        var queue = queue()
        queue.append(message(1), token: token(1), now: start)
        queue.tick(now: start + .milliseconds(49))
        #expect(queue.takeActions().isEmpty && queue.takeKept().isEmpty)
        queue.tick(now: start + .milliseconds(50))
        disk.take(queue.takeActions())
        #expect(queue.takeKept().isEmpty)
        for news in disk.work() { queue.storageTold(news, now: start) }
        #expect(queue.takeKept() == [token(1)])
    }

    @Test mutating func `a message that the server has soon enough never reaches the disk`() {
        var queue = queue()
        queue.linkUp(now: start)
        for number in 1...100 {
            let now = start + .milliseconds(number * 100)
            queue.append(message(number), token: token(number), now: now)
            guard let entry = queue.startNext(now: now) else {
                Issue.record("nothing to send")
                return
            }
            queue.tick(now: now + .milliseconds(90))
            queue.finished(entry.number)
            #expect(queue.takeKept() == [token(number)])
            queue.settle(&disk, now: now)
        }
        #expect(disk.framesWritten == 0)
    }

    @Test mutating func `what is on its way is written when the server takes too long`() {
        var queue = queue()
        queue.linkUp(now: start)
        queue.append(message(1), token: token(1), now: start)
        _ = queue.startNext(now: start)
        queue.tick(now: start + .milliseconds(999))
        #expect(queue.takeActions().isEmpty)
        queue.tick(now: start + .seconds(1))
        queue.settle(&disk, now: start + .seconds(1))
        #expect(queue.takeKept() == [token(1)])
        #expect(queue.onTheWayCount == 1 && queue.count == 1)
    }

    @Test mutating func `what was kept is there after a restart, in its order, and goes out once`() {
        var queue = queue()
        fill(&queue, 1...5_000, size: 100)
        queue = disk.restart(limits())
        #expect(queue.count == 5_000)
        queue.linkUp(now: start)
        #expect(numbers(queue.sendAll(&disk, now: start)) == Array(1...5_000))
        #expect(queue.isEmpty)
        queue.tick(now: start + .seconds(10))
        queue.settle(&disk, now: start)
        #expect(disk.segments.isEmpty)
        queue = disk.restart(limits())
        #expect(queue.isEmpty)
    }

    @Test mutating func `what was sent before a restart is not sent again, but for the last moment`() {
        var queue = queue()
        fill(&queue, 1...1_000, size: 100)
        queue.linkUp(now: start)
        for _ in 1...300 {
            guard let entry = queue.startNext(now: start) else { break }
            queue.finished(entry.number)
        }
        queue.tick(now: start + .seconds(2))
        queue.settle(&disk, now: start + .seconds(2))
        queue = disk.restart(limits())
        #expect(queue.count == 700)
        queue.linkUp(now: start)
        #expect(numbers(queue.sendAll(&disk, now: start)) == Array(301...1_000))
    }

    @Test mutating func `next to no memory is needed for what is on the disk`() {
        var queue = queue()
        for batch in 0..<40 {
            fill(&queue, batch * 500 + 1...batch * 500 + 500, size: 500)
            #expect(queue.memoryBytes < 4 << 20)
        }
        #expect(queue.count == 20_000 && queue.memory.count < 5_000)
        queue.linkUp(now: start)
        #expect(numbers(queue.sendAll(&disk, now: start)) == Array(1...20_000))
        #expect(queue.memory.isEmpty && queue.memoryBytes == 0)
    }

    @Test mutating func `alarms do not wait behind bulk, and each keeps its order`() {
        var queue = queue()
        fill(&queue, 1...3_000, size: 1_000, lane: { $0 % 10 == 0 ? .high : $0 % 2 == 0 ? .normal : .low })
        queue.linkUp(now: start)
        let sent = numbers(queue.sendAll(&disk, now: start))
        let high = sent.prefix(300)
        #expect(high.elementsEqual(stride(from: 10, through: 3_000, by: 10)))
        #expect(sent.dropFirst(300).prefix(1_200).allSatisfy { $0 % 2 == 0 } && sent.count == 3_000)
        #expect(sent.suffix(1_500).elementsEqual(stride(from: 1, through: 2_999, by: 2)))
    }

    // MARK: full

    @Test mutating func `the oldest of the lowest priority goes first, from the disk too`() {
        var queue = queue(limits { $0.messages = 2_000 })
        fill(&queue, 1...2_000, size: 2_000, lane: { $0 <= 100 ? .high : .normal })
        fill(&queue, 2_001...2_500, size: 2_000)
        #expect(queue.dropped == [.queueFull: 500] && queue.count == 2_000)
        queue.linkUp(now: start)
        #expect(numbers(queue.sendAll(&disk, now: start)) == Array(1...100) + Array(601...2_500))
    }

    @Test mutating func `drop-newest keeps what it has, but for a higher priority`() {
        var queue = queue(
            limits {
                $0.messages = 10
                $0.policy = .dropNewest
            })
        fill(&queue, 1...12)
        queue.append(message(13), .high, now: start)
        #expect(queue.dropped == [.noRoom: 2, .queueFull: 1])
        queue.linkUp(now: start)
        #expect(numbers(queue.sendAll(&disk, now: start)) == [13] + Array(2...10))
    }

    @Test mutating func `latest drops what has a newer message of its topic, so no topic loses its last value`() {
        var queue = queue(
            limits {
                $0.messages = 200
                $0.policy = .latest
            })
        let topic: (Int) -> String = { $0 <= 5 ? "rare/\($0)" : "busy/\($0 % 2)" }
        fill(&queue, 1...200, topic: topic)
        for number in 201...1_000 { fill(&queue, number...number, topic: topic) }
        #expect(queue.count <= 200 && queue.dropped[.queueFull] == nil)
        queue = disk.restart(queue.limits)
        queue.linkUp(now: start)
        let sent = numbers(queue.sendAll(&disk, now: start))
        #expect(sent.starts(with: 1...5) && sent.suffix(2) == [999, 1_000] && sent == sent.sorted())
    }

    @Test mutating func `thinning leaves one in so many of each topic, the oldest thinnest`() {
        var queue = queue(
            limits {
                $0.messages = 400
                $0.policy = .thin(keepingOneIn: 2)
            })
        for number in 1...3_000 { fill(&queue, number...number, size: 10, topic: { "t/\($0 % 3)" }) }
        #expect(queue.count <= 400 && queue.dropped[.queueFull] == nil)
        queue.linkUp(now: start)
        let sent = numbers(queue.sendAll(&disk, now: start))
        #expect(sent == sent.sorted() && sent.last == 3_000)
        for rest in 0..<3 { #expect(sent.count { $0 % 3 == rest } > 50) }
        // Of the old half there is less than of the new one.
        #expect(sent.count { $0 <= 1_500 } < sent.count { $0 > 1_500 })
        #expect((sent.first ?? 0) < 200)
    }

    @Test mutating func `files that are mostly done give their room back while others need it`() {
        var queue = queue(limits { $0.bytes = 400_000 })
        disk = TestBufferDisk(segmentSize: 100_000)
        fill(&queue, 1...350, size: 1_000, lane: { $0 % 20 == 0 ? .high : .low })
        for number in 351...700 { fill(&queue, number...number, size: 1_000, lane: { _ in .low }) }
        for second in 1...20 {
            queue.tick(now: start + .seconds(second))
            queue.settle(&disk, now: start + .seconds(second))
        }
        let size = disk.segments.values.joined().reduce(0) { $0 + $1.count }
        #expect(size < 500_000)
        queue = disk.restart(queue.limits)
        queue.linkUp(now: start)
        let sent = numbers(queue.sendAll(&disk, now: start))
        #expect(sent.filter { $0 % 20 == 0 && $0 <= 350 } == stride(from: 20, through: 340, by: 20).map(\.self))
    }

    @Test mutating func `a file whose newest message is too old goes whole`() {
        var queue = queue(limits { $0.age = .seconds(3_600) })
        queue.clock(1_000_000_000, now: start)
        fill(&queue, 1...1_000)
        queue.tick(now: start + .seconds(3_700))
        queue.tick(now: start + .seconds(3_800))
        queue.settle(&disk, now: start + .seconds(3_800))
        #expect(queue.dropped[.tooOld] ?? 0 > 900)
    }

    @Test mutating func `the age of a message goes on over a restart`() {
        var queue = queue()
        queue.clock(1_000_000_000, now: start)
        var expiring = message(1)
        expiring.properties[number: .messageExpiryInterval] = 60
        queue.append(expiring, now: start)
        expiring.payload = Array("2 ".utf8)
        expiring.properties[number: .messageExpiryInterval] = 600
        queue.append(expiring, now: start)
        queue.tick(now: start + .seconds(1))
        queue.settle(&disk, now: start)
        queue = disk.restart(limits())
        queue.clock(1_000_100_000, now: start)
        queue.linkUp(now: start)
        let sent = queue.sendAll(&disk, now: start)
        #expect(numbers(sent) == [2] && sent[0].properties[number: .messageExpiryInterval] == 500)
        #expect(queue.dropped == [.expired: 1])
    }

    // MARK: a disk that fails

    @Test
    mutating func `while the disk takes nothing nothing is acknowledged, and devices cost no more than some memory`() {
        var queue = queue()
        queue.storageTold(.failing("it is full"), now: start)
        queue.append(message(0), token: token(0), now: start)
        for number in 1...30_000 { queue.append(message(number, size: 1_000), now: start) }
        queue.tick(now: start + .seconds(60))
        #expect(queue.takeKept().isEmpty && queue.takeActions().isEmpty)
        #expect(queue.unkeptBytes < 17 << 20 && queue.dropped[.diskFailing] ?? 0 > 10_000)
        queue.storageTold(.recovered, now: start)
        queue.tick(now: start + .seconds(61))
        queue.settle(&disk, now: start)
        #expect(queue.takeKept() == [token(0)])
    }

    @Test mutating func `what can't be read any more is counted, and holds up nothing`() {
        var queue = queue()
        disk = TestBufferDisk(segmentSize: 6_000)
        fill(&queue, 1...3_000)
        for segment in disk.segments.keys.sorted().prefix(100) { disk.lose(0, of: segment) }
        queue.linkUp(now: start)
        let sent = numbers(queue.sendAll(&disk, now: start))
        #expect(sent.count == 2_900 && sent == sent.sorted() && queue.dropped == [.damaged: 100] && queue.isEmpty)
    }

    // MARK: replay

    @Test mutating func `live messages go first, the others at their rate, and say so`() {
        var queue = queue(
            limits {
                $0.replay.rate = 10
                $0.replay.liveFirst = true
            })
        queue.clock(5_000_000, now: start)
        fill(&queue, 1...100, topic: { "t/\($0 % 2)" })
        let up = start + .seconds(100)
        queue.linkUp(now: up)
        var sent: [Publish] = []
        for tick in 0..<100 {
            let now = up + .milliseconds(tick * 100)
            if tick % 10 == 0 { queue.append(message(1_000 + tick, topic: "t/1"), now: now) }
            sent += queue.sendAll(&disk, now: now)
        }
        let live = sent.filter { numbers([$0])[0] >= 1_000 }
        let replayed = sent.filter { numbers([$0])[0] < 1_000 }
        #expect(numbers(live) == stride(from: 1_000, to: 1_100, by: 10).map(\.self))
        #expect(numbers(replayed) == Array(1...replayed.count) && (95...101).contains(replayed.count))
        #expect(live.allSatisfy { $0.properties.userProperties.isEmpty })
        let marks = replayed.map { $0.properties.userProperties.map { String(decoding: $0.value, as: UTF8.self) } }
        #expect(marks.allSatisfy { $0 == ["5000000"] })
    }

    @Test mutating func `a replayed message is not retained where a newer one of its topic is out`() {
        var queue = queue(limits { $0.replay.liveFirst = true })
        for (number, topic) in [(1, "door"), (2, "power")] {
            var retained = message(number, topic: topic)
            retained.retain = true
            queue.append(retained, now: start)
        }
        queue.linkUp(now: start + .seconds(60))
        var live = message(3, topic: "power")
        live.retain = true
        queue.append(live, now: start + .seconds(60))
        let sent = queue.sendAll(&disk, now: start + .seconds(60))
        #expect(numbers(sent) == [3, 1, 2])
        #expect(sent.map(\.retain) == [true, true, false])
    }

    @Test mutating func `a reading that was good says replayed, and keeps its time and number`() {
        var queue = queue()
        let payload = #"{"v":"a,\"q\":\"good\"","u":"W","t":1780000000123,"q":"good","n":81723}"#
        queue.append(Publish(topic: [0x74], payload: Array(payload.utf8), qos: .atLeastOnce), now: start)
        queue.linkUp(now: start + .seconds(5))
        let sent = queue.sendAll(&disk, now: start + .seconds(5))
        let text = sent.map { String(decoding: $0.payload, as: UTF8.self) }
        #expect(text == [#"{"v":"a,\"q\":\"good\"","u":"W","t":1780000000123,"q":"replayed","n":81723}"#])
    }

    @Test mutating func `an order to drain sends everything at once`() {
        var queue = queue(limits { $0.replay.rate = 1 })
        fill(&queue, 1...500)
        queue.linkUp(now: start)
        #expect(queue.sendAll(&disk, now: start).count < 5)
        queue.pace.isSuspended = true
        #expect(queue.sendAll(&disk, now: start).count > 490 && queue.isEmpty)
        #expect(!queue.pace.isSuspended)
    }

    @Test mutating func `an order to drop leaves what is on its way`() {
        var queue = queue()
        fill(&queue, 1...500)
        queue.linkUp(now: start)
        guard let first = queue.startNext(now: start) else {
            Issue.record("nothing to send")
            return
        }
        #expect(queue.dropEverything() == 499 && queue.count == 1)
        queue.finished(first.number)
        #expect(queue.isEmpty && queue.startNext(now: start) == nil && queue.dropped == [.ordered: 499])
        queue.tick(now: start + .seconds(60))
        queue.settle(&disk, now: start)
        queue = disk.restart(limits())
        #expect(queue.isEmpty)
    }
}
