import MQTTCodec
import Testing

@testable import Bridge
@testable import Client

/// Random traffic, links and power cuts.
struct StoredQueueModelTests {
    /// What is known from outside.
    private struct World {
        var random: UInt64
        var queue: OfflineQueue
        var disk: TestBufferDisk
        var now = ContinuousClock.now
        var wall: Int64 = 1_000_000_000
        var published = 0
        /// Acknowledged to the publisher, and not seen upstream yet.
        var promised: Set<Int> = []
        var unacknowledged: [Int: Int] = [:]
        var onTheWay: [(number: Int, message: Int)] = []
        var isUp = false
        /// The messages that the upstream has, in the order it got them first; by priority.
        var arrived: [[Int]] = [[], [], []]
        var seen: Set<Int> = []
        let limits: QueueLimits

        init(seed: UInt64) {
            random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
            var limits = QueueLimits()
            limits.sync = [.commit, .within(.milliseconds(50)), .within(.seconds(1))][Int(seed % 3)]
            self.limits = limits
            disk = TestBufferDisk(segmentSize: 500 + Int(seed % 7) * 1_000)
            queue = OfflineQueue(limits, isStored: true)
            queue.clock(wall, now: now)
        }

        mutating func pick(_ bound: Int) -> Int {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((random >> 33) % UInt64(bound))
        }

        mutating func step() {
            now += .milliseconds(pick(20))
            wall += 10
            switch pick(40) {
            case 0..<12: publish()
            case 12..<22: start()
            case 22..<30: finish()
            case 30..<36: work(1 + pick(20))
            case 36, 37: queue.tick(now: now)
            case 38: toggle()
            default: if pick(10) == 0 { powerCut() }
            }
            hear()
        }

        /// The priority of a message; what has the same topic has the same.
        static func lane(_ message: Int) -> Priority { [.normal, .high, .low, .normal][message % 4] }

        private mutating func publish() {
            for _ in 0...pick(30) {
                published += 1
                let payload = Array("\(published) ".utf8) + [UInt8](repeating: 46, count: pick(3_000))
                unacknowledged[published] = published
                queue.append(
                    Publish(topic: [0x61 + UInt8(published % 4)], payload: payload, qos: .atLeastOnce),
                    Self.lane(published), token: MessageToken(serial: published, packetID: 1), now: now)
            }
        }

        private mutating func start() {
            guard isUp else { return }
            for _ in 0...pick(40) {
                guard let entry = queue.startNext(now: now) else { return }
                let text = String(decoding: entry.message.payload.prefix { $0 != 0x20 }, as: UTF8.self)
                guard let message = Int(text) else {
                    Issue.record("an unknown message")
                    return
                }
                onTheWay.append((entry.number, message))
                // The upstream has it from here on, whether or not its answer comes back.
                guard seen.insert(message).inserted else { continue }
                arrived[Self.lane(message).index].append(message)
                promised.remove(message)
            }
        }

        private mutating func finish() {
            for _ in 0...pick(40) {
                guard !onTheWay.isEmpty else { return }
                queue.finished(onTheWay.removeFirst().number)
            }
        }

        mutating func work(_ most: Int = .max) {
            disk.take(queue.takeActions())
            for news in disk.work(most) { queue.storageTold(news, now: now) }
        }

        private mutating func toggle() {
            isUp.toggle()
            guard isUp else {
                queue.linkDown()
                return
            }
            queue.linkUp(now: now)
            // Another kind of link gives back what it took.
            guard pick(3) == 0 else { return }
            for (number, _) in onTheWay { queue.putBack(number) }
            onTheWay = []
        }

        private mutating func powerCut() {
            hear()
            queue = disk.restart(limits)
            queue.clock(wall, now: now)
            onTheWay = []
            unacknowledged = [:]
            isUp = false
        }

        private mutating func hear() {
            for token in queue.takeKept() {
                guard let message = unacknowledged.removeValue(forKey: token.serial) else {
                    Issue.record("\(token.serial) was acknowledged twice")
                    continue
                }
                if !seen.contains(message) { promised.insert(message) }
            }
            #expect(queue.memoryBytes >= 0 && queue.unkeptCount >= 0 && queue.sizeInBytes >= 0)
        }

        /// Everything comes to an end.
        mutating func end() {
            if !isUp { toggle() }
            for _ in 0..<100_000 {
                start()
                while !onTheWay.isEmpty { finish() }
                now += .seconds(2)
                queue.tick(now: now)
                work()
                hear()
                if queue.isEmpty, disk.segments.isEmpty, unacknowledged.isEmpty { return }
            }
            Issue.record("\(queue.count) messages are left, and \(disk.segments.count) files")
        }
    }

    @Test(arguments: 0..<24)
    func `nothing acknowledged is lost, and each priority keeps its order, over power cuts and link losses`(
        seed: UInt64
    ) {
        var world = World(seed: seed)
        for _ in 0..<1_500 { world.step() }
        world.end()
        #expect(world.promised == [])
        for messages in world.arrived { #expect(messages == messages.sorted()) }
        #expect(world.queue.dropped == [:] && world.queue.memory.isEmpty && world.queue.places.isEmpty)
    }
}
