import Bytes
import Decoders
import Testing

@Suite struct ArrivalTimesTests {
    private let start = ContinuousClock.now
    /// 115,200 baud, eight bits.
    private let byteTime: Duration = .nanoseconds(86_805)

    private func events(
        _ bytes: [UInt8], at now: ContinuousClock.Instant, _ times: inout ArrivalTimes, _ decoder: inout StreamDecoder
    ) -> [StreamEvent] {
        let spread = times.read(bytes.count, at: now, byteTime: byteTime)
        return (0..<spread.portions).flatMap { portion in
            decoder.received(bytes.span.extracting(spread.bytes(of: portion)), at: spread.time(of: portion))
        }
    }

    @Test(arguments: [StreamDecoderKind.dsmrP1, .veDirect])
    func `a message is whole that came while the reader was late for seconds`(kind: StreamDecoderKind) throws {
        let message = kind == .dsmrP1 ? Capture.v5.bytes : StreamSample.file("vedirect/bvm702.dump")
        let stream = [UInt8]((0..<100).flatMap { _ in message }.prefix(60_000))
        var (times, decoder) = (ArrivalTimes(from: start), StreamDecoder(kind))
        var events = events(Array(stream[..<100]), at: start + byteTime * 100, &times, &decoder)
        // What waited is read in one go, in the portions that the kernel gives.
        let late = start + byteTime * stream.count
        for place in stride(from: 100, to: stream.count, by: 4_095) {
            let portion = Array(stream[place..<min(place + 4_095, stream.count)])
            events += self.events(portion, at: late + .microseconds(place), &times, &decoder)
        }
        #expect(events.skipped.isEmpty)
        #expect(events.count >= stream.count / message.count - 1)
    }

    @Test func `a pause of the line inside a message ends it, though the rest came in one go`() {
        let telegram = Capture.v5.bytes
        var (times, decoder) = (ArrivalTimes(from: start), StreamDecoder(.dsmrP1))
        var events = events(Array(telegram[..<300]), at: start + .milliseconds(30), &times, &decoder)
        events += self.events(telegram, at: start + .seconds(4), &times, &decoder)
        #expect(events.skipped == [SkippedBytes(count: 300, reason: .fellSilent)])
        #expect(events.telegrams.count == 1)
    }

    @Test func `the first byte came as long ago as the others took on the line`() {
        var times = ArrivalTimes(from: start)
        let spread = times.read(1_000, at: start + .seconds(2), byteTime: byteTime)
        #expect(spread.first == start + .seconds(2) - byteTime * 1_000)
        #expect(spread.last == start + .seconds(2))
        // No byte comes before the last of those that were read.
        let next = times.read(1_000, at: start + .milliseconds(2_010), byteTime: byteTime)
        #expect(next.first == start + .seconds(2))
    }

    @Test func `every byte of a reading is in one portion, and no two portions are far apart`() {
        var random = Xorshift(seed: 1)
        for _ in 0..<2_000 {
            var times = ArrivalTimes(from: start)
            let count = Int.random(in: 1...4_096, using: &random)
            let now = start + .milliseconds(Int.random(in: 0...20_000, using: &random))
            let pace: Duration = [Duration.zero, .nanoseconds(86_805), .microseconds(33_333)].randomElement(
                using: &random)!
            let spread = times.read(count, at: now, byteTime: pace)
            #expect((0..<spread.portions).flatMap { Array(spread.bytes(of: $0)) } == Array(0..<count))
            #expect(spread.time(of: 0) >= start && spread.time(of: spread.portions - 1) == now)
            for portion in 1..<max(spread.portions, 1) where portion < spread.portions {
                let step = spread.time(of: portion) - spread.time(of: portion - 1)
                #expect(step >= .zero && (spread.portions == count || step <= .milliseconds(101)))
            }
        }
    }
}
