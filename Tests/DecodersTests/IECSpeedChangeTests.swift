import Decoders
import Testing

@Suite struct IECSpeedChangeTests {
    private let fast = Array("/LGZ5ZMF100AC.M26\r\n".utf8)

    private func step(_ change: inout IECSpeedChange, _ bytes: [UInt8]) -> IECSpeedChange.Step? {
        change.received(bytes.span)
    }

    private func acknowledged(_ number: Int, _ baud: Int) -> IECSpeedChange.Step {
        .init(send: [0x06, 0x30, 0x30 + UInt8(number), 0x30, 0x0D, 0x0A], baud: baud)
    }

    @Test func `a meter's fastest speed is taken in the words of the standard`() {
        for (number, baud) in [300, 600, 1_200, 2_400, 4_800, 9_600, 19_200].enumerated() {
            var change = IECSpeedChange()
            #expect(change.asked() == nil)
            #expect(step(&change, Array("/ABC\(number)meter\r\n".utf8)) == acknowledged(number, baud))
        }
    }

    @Test func `an identification that comes a byte at a time, behind the echo of the question, is understood`() {
        var change = IECSpeedChange()
        _ = change.asked()
        let bytes = Array("/?!\r\n".utf8) + fast
        for byte in bytes.dropLast() { #expect(step(&change, [byte]) == nil) }
        #expect(step(&change, [0x0A]) == acknowledged(5, 9_600))
    }

    @Test func `an identification with its parity bits is understood`() {
        var change = IECSpeedChange()
        _ = change.asked()
        #expect(step(&change, fast.map(EvenParity.adding)) == acknowledged(5, 9_600))
    }

    @Test func `a meter in mode B is followed without a word`() {
        for (sign, baud) in zip("ABCDEF", [600, 1_200, 2_400, 4_800, 9_600, 19_200]) {
            var change = IECSpeedChange()
            _ = change.asked()
            #expect(step(&change, Array("/ABC\(sign)meter\r\n".utf8)) == .init(send: [], baud: baud))
        }
    }

    @Test func `a meter in mode A, and one that goes on at once, are left alone`() {
        for text in [
            "/ABC meter\r\n", "/ABC9meter\r\n", "/ABCGmeter\r\n", "/AB15\r\n", "/ABC5meter\r\n\u{2}1.8.0(1*kWh)",
        ] {
            var change = IECSpeedChange()
            _ = change.asked()
            #expect(step(&change, Array(text.utf8)) == nil, "\(text)")
        }
    }

    @Test func `nothing is answered to a meter that was not asked, or twice`() {
        var change = IECSpeedChange()
        #expect(step(&change, fast) == nil)
        _ = change.asked()
        #expect(step(&change, fast) != nil)
        #expect(step(&change, fast) == nil)
    }

    @Test func `a speed that brought nothing is followed by the next slower one, and at last by none`() {
        var change = IECSpeedChange()
        var failed: [Int] = []
        for expected in [
            acknowledged(5, 9_600), acknowledged(4, 4_800), acknowledged(3, 2_400), acknowledged(2, 1_200),
        ] {
            if let speed = change.asked() { failed.append(speed) }
            #expect(step(&change, fast) == expected)
        }
        for _ in 0..<3 {
            if let speed = change.asked() { failed.append(speed) }
            _ = step(&change, fast)
        }
        #expect(failed == [9_600, 4_800, 2_400, 1_200, 600, 300])
        _ = change.asked()
        #expect(step(&change, fast) == nil)
    }

    @Test func `a speed that brought a readout is asked for again`() {
        var change = IECSpeedChange()
        for _ in 0..<3 {
            #expect(change.asked() == nil)
            #expect(step(&change, fast) == acknowledged(5, 9_600))
            change.answered()
        }
    }

    @Test func `a readout in eight bits with parity gives the same values, and a wrong parity none`() {
        let sent = MeterSamples.readout.map(EvenParity.adding)
        let format = StreamFormat.known(.iec62056)
        let plain = StreamSample("", format, MeterSamples.readout, isProven: true).decode().telegrams
        let read = StreamSample("", format, sent, isProven: true).decode().telegrams
        #expect(read.map(\.entries) == plain.map(\.entries))
        #expect(read.count == 1)
        for place in sent.indices.dropFirst(22) {
            var damaged = sent
            damaged[place] ^= 0x80
            #expect(StreamSample("", format, damaged, isProven: true).decode().telegrams.isEmpty)
        }
    }
}
