import Bytes
import Readings
import Testing

@testable import Decoders

@Suite struct SMLDecoderTests {
    private static let serial: [UInt8] = [0x0A, 0x01, 0x44, 0x5A, 0x47, 0x00]
    private static let power: [UInt8] = [1, 0, 16, 7, 0, 255]

    private func decode(_ bytes: [UInt8]) -> [StreamEvent] {
        var decoder = StreamDecoder(.sml)
        let events = decoder.received(bytes.span, at: .now)
        return events + (decoder.takeSkipped().map { [.skipped($0)] } ?? [])
    }

    private func telegrams(_ bytes: [UInt8]) -> [Telegram] {
        decode(bytes).compactMap { if case .telegram(let telegram) = $0 { telegram } else { nil } }
    }

    private func text(_ telegram: Telegram?, _ code: String) -> String? {
        OBISCode(code).flatMap { telegram?.entry($0)?.text }
    }

    private func x25(_ bytes: [UInt8]) -> UInt16 { Checksum.x25(bytes.span) }

    private func kermit(_ bytes: [UInt8]) -> UInt16 { Checksum.kermit(bytes.span) }

    /// A file of a DZG meter with this serial number, whose power is sent so.
    private func dzg(_ serial: UInt32, _ value: [UInt8], sum: ([UInt8]) -> UInt16) -> [UInt8] {
        let server = Self.serial + (0..<4).reversed().map { UInt8(truncatingIfNeeded: serial >> ($0 * 8)) }
        let entry = SMLWriter.entry(Self.power, unit: 27, scaler: -2, value: value)
        return SMLWriter.file(SMLWriter.content(server: server, [entry]), sum: sum)
    }

    @Test func `real meters' files give what they counted`() throws {
        let telegrams = telegrams(SMLSamples.all.flatMap(\.self))
        try #require(telegrams.count == 3)
        #expect(telegrams[0].identification == "1 ISK 00 75126084")
        #expect(text(telegrams[0], "1-0:1.8.0") == "79139.3")
        #expect(text(telegrams[0], "1-0:16.7.0") == "2144")
        #expect(text(telegrams[1], "1-0:1.8.0") == "8603838.7975")
        #expect(text(telegrams[1], "1-0:1.7.0") == "109.52")
        #expect(text(telegrams[2], "1-0:36.7.0") == "82.26")
        let energy = OBISCode("1-0:1.8.0").flatMap { telegrams[0].entry($0)?.normalised }
        #expect(energy?.value == .number(79.1393) && energy?.unit == "kWh")
        #expect(telegrams.allSatisfy { $0.time == .notSent && $0.unreadableLines == 0 })
    }

    @Test func `a meter with Holley's checksum is read, and held to it`() {
        let value: [UInt8] = [0x55, 0, 0, 0x10, 0]
        var decoder = SMLDecoder(longestPause: .seconds(1))
        func read(_ bytes: [UInt8]) -> StreamEvent? { decoder.received(bytes.span, at: .now).last }
        guard case .telegram? = read(dzg(1, value, sum: kermit)) else {
            Issue.record("not read")
            return
        }
        guard case .skipped(let skipped)? = read(dzg(1, value, sum: x25)), case .checksumWrong = skipped.reason else {
            Issue.record("the other checksum was taken")
            return
        }
    }

    @Test func `the power of a DZG DVS74 in two bytes is never negative, and that of others may be`() {
        let value: [UInt8] = [0x53, 0x8B, 0x28]
        #expect(text(telegrams(dzg(43_000_000, value, sum: x25)).first, "1-0:16.7.0") == "356.24")
        #expect(text(telegrams(dzg(58_999_999, value, sum: x25)).first, "1-0:16.7.0") == "356.24")
        #expect(text(telegrams(dzg(60_000_000, value, sum: x25)).first, "1-0:16.7.0") == "-299.12")
        #expect(text(telegrams(dzg(40_221_297, value, sum: x25)).first, "1-0:16.7.0") == "-299.12")
        #expect(
            text(telegrams(dzg(43_000_000, [0x55, 0xFF, 0xFF, 0xFF, 0xFF], sum: x25)).first, "1-0:16.7.0") == "-0.01")
    }

    @Test(arguments: 0..<4)
    func `four bytes 1B in a message are no end, wherever they stand`(shift: Int) {
        let value: [UInt8] = [0x69] + Array(repeating: 0x1B, count: 8)
        let name = SMLWriter.entry(Self.power, unit: 27, scaler: 0, value: value)
        let server = Array(repeating: UInt8(1), count: 4 + shift) + Array(repeating: 0x1B, count: 4)
        let file = SMLWriter.file(SMLWriter.content(server: server, [name]), sum: x25)
        let telegram = telegrams(file).first
        #expect(text(telegram, "1-0:16.7.0") == String(0x1B1B_1B1B_1B1B_1B1B))
        #expect(telegram?.identification == Hex.text(server))
    }

    @Test func `a byte that is lost costs its own file`() {
        let file = SMLSamples.iskra
        for place in [3, 20, 100, file.count - 2] {
            var damaged = file
            damaged.remove(at: place)
            #expect(telegrams(file + damaged + file + file).count == 3)
        }
    }

    @Test func `a file that never ends is given up`() {
        var decoder = StreamDecoder(.sml)
        let bytes = SMLSamples.iskra.dropLast(20) + Array(repeating: 5, count: 5_000)
        let events = decoder.received(Array(bytes).span, at: .now)
        #expect(events.contains { if case .skipped(let skipped) = $0 { skipped.reason == .tooLong } else { false } })
    }

    @Test func `the time of a meter that has one is taken, and the seconds since its start are not`() {
        let name: [UInt8] = [0x77] + SMLWriter.octets(Self.power) + [1]
        func file(_ tag: UInt8, _ seconds: [UInt8]) -> [UInt8] {
            let entry = name + [0x72, 0x62, tag, 0x65] + seconds + [0x62, 27, 1, 0x52, 7, 1]
            return SMLWriter.file(SMLWriter.content(server: [1], [entry]), sum: x25)
        }
        func time(_ file: [UInt8]) -> MeterTime? { telegrams(file).first?.entries.first?.time }
        #expect(time(file(1, [0, 1, 2, 3])) == .notSent)
        #expect(time(file(2, [0x65, 0, 0, 0])) == .at(Timestamp(milliseconds: 0x6500_0000 * 1_000)))
        #expect(time(file(2, [0, 0, 0, 9])) == .invalid)
    }

    @Test func `lists in lists to any depth, and lengths beyond the file, are malformed`() {
        let contents: [[UInt8]] = [
            Array(repeating: 0x71, count: 300), [0x76, 0x8F, 0x8F, 0x8F, 0x0F, 1], [0x7F], [0x76, 1, 1],
        ]
        for content in contents {
            let events = decode(SMLWriter.file(content, sum: x25))
            #expect(events == [.skipped(SkippedBytes(count: events.skippedCount, reason: .malformed))])
        }
    }
}

extension [StreamEvent] {
    fileprivate var skippedCount: Int {
        reduce(0) { if case .skipped(let skipped) = $1 { $0 + skipped.count } else { $0 } }
    }
}
