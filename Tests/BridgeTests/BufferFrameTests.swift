import Bytes
import MQTTCodec
import Testing

@testable import Bridge

/// What stands in a buffer's log.
struct BufferFrameTests {
    private func message() -> Publish {
        var message = Publish(topic: Array("site/power".utf8), payload: [1, 0, 255], qos: .exactlyOnce, retain: true)
        message.properties[number: .messageExpiryInterval] = 600
        message.properties.userProperties = [Properties.UserProperty(name: [0x61], value: [0x62])]
        return message
    }

    @Test func `a message comes back as it was, with its place, priority and time`() throws {
        let frame = BufferFrame.encoded(message(), at: 81_723, .high, arrived: 1_780_000_000_123)
        guard case .message(let header)? = try BufferFrame(frame.span) else {
            Issue.record("not a message")
            return
        }
        #expect(header.place == 81_723 && header.lane == .high && header.arrived == 1_780_000_000_123)
        #expect(BufferFrame.message(frame.span, header) == message())
        #expect(BufferFrame.topic(frame.span, header) == message().topic)
    }

    @Test func `what remains of a file comes back as it was`() throws {
        let progress = BufferProgress(segment: 7, end: 1_000_000, remaining: [3..<4, 10..<500, 999_999..<1_000_000])
        let frame = BufferFrame.encoded(progress)
        #expect(try BufferFrame(frame.span) == .progress(progress))
    }

    @Test func `a frame of a kind that nobody knows is passed over`() throws {
        let frame: [UInt8] = [99, 1, 2, 3]
        #expect(try BufferFrame(frame.span) == nil)
    }

    @Test(arguments: 0..<20)
    func `damaged frames are refused or make other messages, and nothing else`(seed: UInt64) {
        var random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func pick(_ bound: Int) -> Int {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((random >> 33) % UInt64(bound))
        }
        let frames = [
            BufferFrame.encoded(message(), at: 5, .low, arrived: -1),
            BufferFrame.encoded(BufferProgress(segment: 1, end: 900, remaining: [3..<9, 20..<300])),
        ]
        for step in 0..<1_000 {
            var frame = frames[step % 2]
            for _ in 0...pick(4) {
                switch pick(3) {
                case 0: frame[pick(frame.count)] = UInt8(pick(256))
                case 1: frame.removeLast(min(frame.count - 1, pick(8)))
                default: frame.insert(UInt8(pick(256)), at: pick(frame.count))
                }
            }
            var stored = StoredMessages(keepsTopics: true)
            let whole = frames[0]
            stored.restored(whole.span, in: 1)
            stored.restored(frame.span, in: 1)
            #expect(stored.count <= 2 && stored.bytes >= 0)
            guard case .message(let header)? = try? BufferFrame(frame.span) else { continue }
            _ = BufferFrame.message(frame.span, header)
        }
    }

    @Test func `a frame that was cut anywhere is no frame, or none that can be sent`() throws {
        let frame = BufferFrame.encoded(message(), at: 5, .low, arrived: 9)
        for length in 1..<frame.count {
            let part = Array(frame.prefix(length))
            guard case .message(let header)? = try? BufferFrame(part.span) else { continue }
            #expect(BufferFrame.message(part.span, header) == nil)
        }
    }
}
