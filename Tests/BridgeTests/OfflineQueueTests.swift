import MQTTCodec
import Testing

@testable import Bridge

struct OfflineQueueTests {
    private let start = ContinuousClock.now

    private func queue(messages: Int = 100, bytes: Int = 1 << 20, age: Duration? = nil) -> OfflineQueue {
        var limits = QueueLimits()
        limits.messages = messages
        limits.bytes = bytes
        limits.age = age
        return OfflineQueue(limits)
    }

    private func message(_ number: UInt8, size: Int = 1, expiry: UInt32? = nil) -> Publish {
        var message = Publish(
            topic: [0x74], payload: [number] + [UInt8](repeating: 0, count: size - 1), qos: .atLeastOnce)
        message.properties[number: .messageExpiryInterval] = expiry
        return message
    }

    private func drain(_ queue: inout OfflineQueue, at now: ContinuousClock.Instant) -> [UInt8] {
        var numbers: [UInt8] = []
        while let entry = queue.startNext(now: now) { numbers.append(entry.message.payload[0]) }
        return numbers
    }

    @Test func `messages leave in the order they came in, and stay until they are finished`() {
        var queue = queue()
        for number: UInt8 in 1...3 { queue.append(message(number), now: start) }
        #expect(drain(&queue, at: start) == [1, 2, 3])
        #expect(queue.count == 3)
        for number in 1...3 { queue.finished(number) }
        #expect(queue.isEmpty && queue.sizeInBytes == 0 && queue.dropped.isEmpty)
    }

    @Test func `too many messages cost the oldest`() {
        var queue = queue(messages: 3)
        for number: UInt8 in 1...5 { queue.append(message(number), now: start) }
        #expect(drain(&queue, at: start) == [3, 4, 5])
        #expect(queue.dropped == [.queueFull: 2])
    }

    @Test func `too many bytes cost the oldest`() {
        var queue = queue(bytes: 3_000)
        for number: UInt8 in 1...4 { queue.append(message(number, size: 1_000), now: start) }
        #expect(drain(&queue, at: start) == [3, 4])
        #expect(queue.dropped == [.queueFull: 2])
    }

    @Test func `what is on its way is not dropped`() {
        var queue = queue(messages: 2)
        queue.append(message(1), now: start)
        queue.append(message(2), now: start)
        _ = queue.startNext(now: start)
        queue.append(message(3), now: start)
        #expect(queue.onTheWayCount == 1)
        #expect(drain(&queue, at: start) == [3])
        queue.append(message(4), now: start)
        #expect(queue.dropped == [.queueFull: 2])
        queue.finished(1)
        queue.finished(3)
        #expect(queue.isEmpty && queue.sizeInBytes == 0)
    }

    @Test func `a message larger than the queue costs no other`() {
        var queue = queue(bytes: 2_000)
        queue.append(message(1), now: start)
        queue.append(message(2, size: 5_000), now: start)
        #expect(drain(&queue, at: start) == [1])
        #expect(queue.dropped == [.tooLarge: 1])
    }

    @Test func `expiry is counted down by the time spent here, and ends a message`() {
        var queue = queue()
        queue.append(message(1, expiry: 10), now: start)
        queue.append(message(2, expiry: 100), now: start)
        let entry = queue.startNext(now: start + .milliseconds(10_500))
        #expect(entry?.message.payload == [2])
        #expect(entry?.message.properties[number: .messageExpiryInterval] == 90)
        #expect(queue.dropped == [.expired: 1])
    }

    @Test func `old messages are dropped where an age is set`() {
        var queue = queue(age: .seconds(60))
        queue.append(message(1), now: start)
        queue.append(message(2), now: start + .seconds(30))
        #expect(drain(&queue, at: start + .seconds(60)) == [2])
        #expect(queue.dropped == [.tooOld: 1])
    }

    @Test func `an expired message makes room without being called a loss of the queue`() {
        var queue = queue(messages: 1)
        queue.append(message(1, expiry: 1), now: start)
        queue.append(message(2), now: start + .seconds(2))
        #expect(queue.dropped == [.expired: 1])
    }

    @Test func `what a link gave back goes first`() {
        var queue = queue()
        for number: UInt8 in 1...3 { queue.append(message(number), now: start) }
        _ = queue.startNext(now: start)
        queue.putBack(1)
        #expect(drain(&queue, at: start) == [1, 2, 3])
    }

    @Test func `the fuller limit is the fill`() {
        var queue = queue(messages: 10, bytes: 1_000_000)
        for number: UInt8 in 1...5 { queue.append(message(number), now: start) }
        #expect(queue.fill == 0.5)
    }

    @Test func `counts hold whatever happens`() {
        var queue = queue(messages: 20, bytes: 8_000)
        var seed: UInt64 = 99
        func random(_ bound: UInt64) -> UInt64 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (seed >> 33) % bound
        }
        var now = start
        var started: [Int] = []
        var appended = 0
        var finished = 0
        for _ in 0..<10_000 {
            now += .milliseconds(Int(random(50)))
            switch random(4) {
            case 0, 1:
                appended += 1
                queue.append(message(1, size: 1 + Int(random(600)), expiry: random(3) == 0 ? 1 : nil), now: now)
            case 2: if let entry = queue.startNext(now: now) { started.append(entry.number) }
            default:
                guard let number = started.popLast() else { continue }
                if random(4) == 0 {
                    queue.putBack(number)
                } else {
                    queue.finished(number)
                    finished += 1
                }
            }
            #expect(queue.count <= 20 && queue.sizeInBytes <= 8_000 && queue.sizeInBytes >= 0)
        }
        #expect(appended == finished + queue.count + queue.dropped.values.reduce(0, +))
    }
}
