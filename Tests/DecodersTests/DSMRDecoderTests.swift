import Bytes
import Decoders
import Testing

@Suite struct DSMRDecoderTests {
    @Test(arguments: Capture.allCases, [1, 2, 7, 64, 5000])
    func `every captured telegram is read, however it is cut into portions`(capture: Capture, portion: Int) {
        let events = decode(capture.bytes, portion: portion)
        #expect(events.count == 1)
        #expect(events.telegrams.first?.checksum == (capture == .v2 ? .absent : .matched))
        #expect(events.telegrams.first?.unreadableLines == 0)
        #expect(events.telegrams.first?.lengthInBytes == capture.bytes.count)
    }

    @Test func `all telegrams in one stream come out in order`() {
        let stream = Capture.allCases.flatMap(\.bytes)
        let names = decode(stream, portion: 100).telegrams.map(\.identification)
        // v2.2 comes first: after a checksum was seen, a telegram without one would be refused.
        #expect(
            names == [
                #"ISk5\2MT382-1004"#, "KFM5KAIFA-METER", #"ISk5\2MT382-1000"#, #"ISK5\2M550T-1012"#,
                #"FLU5\253769484_A"#, #"EST5\253710000_A"#,
            ])
    }

    @Test func `a telegram knows when its first byte came`() {
        let start = ContinuousClock.now
        var decoder = StreamDecoder(.dsmrP1)
        let events = decode([0, 0] + Capture.v5.bytes, portion: 1, with: &decoder, from: start)
        #expect(events.telegrams.first?.startedAt == start + .milliseconds(20))
    }

    @Test(arguments: Capture.allCases)
    func `a telegram cut anywhere gives nothing, and costs the next one nothing`(capture: Capture) {
        let whole = capture.bytes
        for end in stride(from: 1, to: whole.count, by: 3) {
            let cut = Array(whole[..<end])
            #expect(decode(cut).telegrams.isEmpty)
            let events = decode(cut + whole, portion: 5000)
            #expect(events.telegrams.count == 1)
            #expect(events.skipped == [SkippedBytes(count: end, reason: .cutShort)])
        }
    }

    @Test(arguments: Capture.allCases)
    func `joining in the middle costs the telegram that was missed and no more`(capture: Capture) throws {
        let whole = capture.bytes
        let middle = try #require(whole[100...].firstIndex(of: UInt8(ascii: "(")))
        let events = decode(Array(whole[middle...]) + whole)
        #expect(events.telegrams.count == 1)
        #expect(events.skipped == [SkippedBytes(count: whole.count - middle, reason: .noise)])
    }

    @Test func `noise between telegrams is counted`() {
        let noise: [UInt8] = Array(repeating: 0xFF, count: 20)
        let events = decode(Capture.v4.bytes + noise + Capture.v4.bytes)
        #expect(events.telegrams.count == 2)
        #expect(events.skipped == [SkippedBytes(count: 20, reason: .noise)])
    }

    @Test func `NULs and line ends between telegrams are nobody's fault`() {
        let events = decode([0, 13, 10] + Capture.v4.bytes + [0, 13, 10, 0] + Capture.v4.bytes + [0])
        #expect(events.telegrams.count == 2)
        #expect(events.skipped.isEmpty)
    }

    @Test func `endless noise is reported in portions`() {
        let events = decode(Array(repeating: 0xF8, count: 10_000))
        #expect(events.skipped == Array(repeating: SkippedBytes(count: 4096, reason: .noise), count: 2))
    }

    @Test func `a telegram without an end is given up at 4096 bytes`() {
        let endless = Array("/ISk5\\2MT382-1000\r\n\r\n".utf8) + Array(repeating: UInt8(ascii: "x"), count: 5000)
        let events = decode(endless + Capture.v5.bytes)
        #expect(events.telegrams.count == 1)
        #expect(events.skipped.first == SkippedBytes(count: 4096, reason: .tooLong))
        #expect(events.skipped.dropFirst().map(\.reason) == [.noise])
    }

    @Test func `halves of two telegrams with a pause between never become one`() {
        let start = ContinuousClock.now
        let whole = Capture.v2.bytes
        var decoder = StreamDecoder(.dsmrP1)
        _ = decode(Array(whole[..<200]), with: &decoder, from: start)
        let events = decode(Array(whole[200...]), with: &decoder, from: start + .seconds(5))
        #expect(events.telegrams.isEmpty)
        #expect(events.skipped == [SkippedBytes(count: 200, reason: .fellSilent)])
    }
}

@Suite struct DSMRChecksumTests {
    @Test(arguments: Capture.withChecksum)
    func `a flipped bit anywhere yields no values`(capture: Capture) {
        var random = Xorshift(seed: 7)
        let whole = capture.bytes
        for position in whole.indices {
            var damaged = whole
            damaged[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            #expect(decode(damaged).telegrams.isEmpty, "byte \(position)")
        }
    }

    @Test(arguments: Capture.withChecksum)
    func `a replaced byte anywhere yields no values`(capture: Capture) {
        var random = Xorshift(seed: 8)
        let whole = capture.bytes
        for position in whole.indices {
            var damaged = whole
            damaged[position] ^= UInt8.random(in: 1...255, using: &random)
            #expect(decode(damaged).telegrams.isEmpty, "byte \(position)")
        }
    }

    @Test(arguments: Capture.allCases)
    func `no mutation stops the decoder, and none of a checked telegram changes a value`(capture: Capture) {
        let original = decode(capture.bytes).telegrams.first?.entries
        var random = Xorshift(seed: 99)
        for round in 0..<300 {
            let events = decode(mutated(capture.bytes, using: &random) + Capture.v5.bytes)
            #expect(events.telegrams.last?.identification == #"ISk5\2MT382-1000"#, "round \(round)")
            guard capture != .v2, events.telegrams.count == 2 else { continue }
            #expect(events.telegrams.first?.entries == original, "round \(round)")
        }
    }

    @Test func `the checksum's mismatch is told with both sums`() {
        var damaged = Capture.v5.bytes
        damaged[100] ^= 1
        let reasons = decode(damaged).skipped.map(\.reason)
        guard case .checksumWrong(let sent, let computed) = reasons.first else {
            Issue.record("\(reasons)")
            return
        }
        #expect(sent == 0x6EEE)
        #expect(computed != sent)
    }

    @Test func `a checksum without its leading zeros is understood`() throws {
        let (telegram, sum) = try #require(Self.telegramWithSmallSum())
        let events = decode(telegram + Array("\(String(sum, radix: 16, uppercase: true))\r\n".utf8))
        #expect(events.telegrams.first?.checksum == .matched)
    }

    @Test func `a NUL between checksum and line end is overlooked`() {
        var bytes = Capture.v5.bytes
        bytes.insert(0, at: bytes.count - 2)
        #expect(decode(bytes).telegrams.count == 1)
    }

    @Test func `a telegram that must have a checksum is refused without`() {
        let bytes = Array(Capture.v5.bytes.dropLast(6)) + [13, 10]
        #expect(decode(bytes).skipped.map(\.reason) == [.checksumMissing])
    }

    @Test func `once a meter sent a checksum, a telegram without is damaged`() {
        let events = decode(Capture.v4.bytes + Capture.v2.bytes)
        #expect(events.telegrams.count == 1)
        #expect(events.skipped.map(\.reason) == [.checksumMissing])
    }

    @Test(arguments: ["!6EEE\n", "!6EEEE\r\n", "!6EEG\r\n", "!6eee\r\n", "! 6EEE\r\n", "!6EEE\r\r\n"])
    func `an end that is written otherwise is refused`(end: String) {
        let bytes = Array(Capture.v5.bytes.dropLast(7)) + Array(end.utf8) + Capture.v5.bytes
        #expect(decode(bytes).telegrams.count == 1)
    }

    /// A telegram up to its `!` whose sum needs three digits or fewer.
    private static func telegramWithSmallSum() -> (bytes: [UInt8], sum: UInt16)? {
        for number in 0..<1000 {
            let telegram = Array("/ABC5TEST\r\n\r\n0-0:1.0.0(170102192002W)\r\n1-0:1.8.1(\(number)*kWh)\r\n!".utf8)
            let sum = Checksum.arc(telegram.span)
            if sum < 0x1000 { return (telegram, sum) }
        }
        return nil
    }

    private func mutated(_ bytes: [UInt8], using random: inout Xorshift) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let position = Int.random(in: bytes.indices, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[position] = .random(in: 0...255, using: &random)
            case 1: bytes.insert(.random(in: 0...255, using: &random), at: position)
            case 2: bytes.remove(at: position)
            default: bytes.removeSubrange(position..<min(position + 30, bytes.count))
            }
        }
        return bytes
    }
}

@Suite struct DSMRWithoutChecksumTests {
    @Test(arguments: Capture.withChecksum)
    func `a checked telegram with parity bits is checked without them`(capture: Capture) {
        let telegrams = decode(capture.bytes.map(evenParity)).telegrams
        #expect(telegrams.first?.checksum == .matched)
        #expect(telegrams.first?.entries == decode(capture.bytes).telegrams.first?.entries)
    }

    @Test func `version 2 on a port opened 8N1 loses its parity bit`() {
        let withParity = Capture.v2.bytes.map(evenParity)
        let telegram = decode(withParity).telegrams.first
        #expect(telegram?.entries == decode(Capture.v2.bytes).telegrams.first?.entries)
        #expect(telegram?.identification == #"ISk5\2MT382-1004"#)
    }

    @Test func `a wrong parity bit anywhere yields no values`() {
        let withParity = Capture.v2.bytes.map(evenParity)
        var random = Xorshift(seed: 3)
        for position in withParity.indices {
            var damaged = withParity
            damaged[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            #expect(decode(damaged).telegrams.isEmpty, "byte \(position)")
        }
    }

    @Test(arguments: ["1-0:1.8.1(00001.001*kWh", "1-0:1.8.1 00001.001", "1-0:1.8(00001.001*kWh)", "garbage"])
    func `one unreadable line makes a telegram without checksum worthless`(line: String) {
        let bytes = "/ISk5\\2MT382-1004\r\n\r\n\(line)\r\n1-0:1.7.0(0001.01*kW)\r\n!\r\n".utf8
        #expect(decode(Array(bytes)).skipped.map(\.reason) == [.malformed])
    }

    private func evenParity(_ byte: UInt8) -> UInt8 {
        byte.nonzeroBitCount.isMultiple(of: 2) ? byte : byte | 0x80
    }
}
