import Decoders
import Testing

@Suite struct FrameDecoderTests {
    private func frames(_ events: [StreamEvent]) -> [BinaryFrame] {
        events.compactMap { if case .frame(let frame) = $0 { frame } else { nil } }
    }

    private func table(_ path: String) -> [[String: Double]] {
        let rows = String(decoding: StreamSample.file(path), as: UTF8.self).split(separator: "\n").map { line in
            line.split(separator: ",").map { $0.drop { $0 == " " } }
        }
        guard let names = rows.first else { return [] }
        return rows.dropFirst().map { row in
            Dictionary(uniqueKeysWithValues: zip(names.map(String.init), row.map { Double($0) ?? .nan }))
        }
    }

    /// Each column of the table: where it is in the frame, and by what it was divided.
    private func check(_ sample: StreamSample, _ columns: [String: (FrameField, divisor: Double)]) {
        let rows = table("air/\(sample.testDescription).csv")
        let frames = frames(sample.decode())
        #expect(!rows.isEmpty)
        #expect(frames.count == rows.count)
        for (frame, row) in zip(frames, rows) {
            for (name, column) in columns {
                guard case .integer(let raw) = column.0.content(in: frame.bytes), let expected = row[name] else {
                    Issue.record("\(name) is missing")
                    continue
                }
                #expect(abs(Double(raw) / column.divisor - expected) < 0.0051)
            }
        }
    }

    private func word(_ index: Int, _ divisor: Double = 1) -> (FrameField, divisor: Double) {
        (FrameField(at: 4 + 2 * index, .unsigned, byteCount: 2), divisor)
    }

    @Test func `every frame of the SDS011 capture gives its values`() {
        check(
            StreamSample.air[0],
            [
                "pm25": (FrameField(at: 2, .unsigned, byteCount: 2, isLowFirst: true), 10),
                "pm10": (FrameField(at: 4, .unsigned, byteCount: 2, isLowFirst: true), 10),
            ])
    }

    @Test func `every frame of the SDS198 capture gives its values`() {
        check(StreamSample.air[1], ["pm100": (FrameField(at: 4, .unsigned, byteCount: 2, isLowFirst: true), 1)])
    }

    @Test func `every frame of the Plantower capture gives its values`() {
        check(
            StreamSample.air[2],
            [
                "raw01": word(0), "raw25": word(1), "raw10": word(2), "pm01": word(3), "pm25": word(4), "pm10": word(5),
                "n0_3": word(6, 100), "n0_5": word(7, 100), "n1_0": word(8, 100), "n2_5": word(9, 100),
                "n5_0": word(10, 100), "n10_0": word(11, 100),
            ])
    }

    @Test func `every frame of the PMS5003T capture gives its values`() {
        check(
            StreamSample.air[3],
            [
                "raw25": word(1), "pm25": word(4), "pm10": word(5), "n0_3": word(6, 100), "n2_5": word(9, 100),
                "temp": word(10, 10), "rhum": word(11, 10),
            ])
    }

    @Test func `every frame of the MH-Z19B capture gives its values`() {
        check(StreamSample.air[4], ["CO2": (FrameField(at: 2, .unsigned, byteCount: 2), 1)])
    }

    @Test func `a damaged frame takes no neighbour along`() {
        let sample = StreamSample.air[0]
        for place in 10..<20 {
            var bytes = sample.bytes
            bytes[place] ^= 0x55
            let events = sample.decode(bytes)
            #expect(frames(events).count == 9)
            let skipped = events.compactMap { if case .skipped(let skipped) = $0 { skipped.count } else { nil } }
            #expect(skipped == [10])
        }
    }

    @Test func `a frame knows when its first byte came`() {
        let start = ContinuousClock.now
        var decoder = StreamDecoder(.frames([Formats.mhz19]))
        let noise: [UInt8] = [0, 0xFF, 0x86]
        #expect(decoder.received(noise.span, at: start).isEmpty)
        let rest = Formats.hex("02 7C 42 00 00 00 BA")
        let found = frames(decoder.received(rest.span, at: start + .milliseconds(20)))
        #expect(found.first?.startedAt == start)
    }

    @Test func `halves with a pause between never become one`() {
        let start = ContinuousClock.now
        var decoder = StreamDecoder(.frames([Formats.mhz19]), longestPause: .milliseconds(500))
        let half = Formats.hex("FF 86 02 7C")
        let rest = Formats.hex("42 00 00 00 BA")
        _ = decoder.received(half.span, at: start)
        #expect(frames(decoder.received(rest.span, at: start + .milliseconds(501))).isEmpty)
        let whole = half + rest
        #expect(frames(decoder.received(whole.span, at: start + .seconds(2))).count == 1)
    }

    @Test func `a length field says how long a frame is, and no more than the longest`() {
        var format = FrameFormat(
            name: "jk", start: [0x4E, 0x57], length: .field(FrameField(at: 2, .unsigned, byteCount: 2), add: 2))
        format.checksums = [FrameChecksum(.sum32be, from: 0, through: -5, at: -4)]
        let request = Formats.hex("4E 57 00 13 00 00 00 00 06 03 00 00 00 00 00 00 68 00 00 01 29")
        let sample = StreamSample(
            "jk", .frames([format]), [0x4E] + request + [0x4E, 0x57, 0xFF] + request, isProven: true)
        #expect(frames(sample.decode()).map(\.bytes) == [request, request])
        #expect(sample.decode(portion: 1) == sample.decode())
    }

    @Test func `a frame ends where its end bytes stand`() {
        var format = FrameFormat(name: "stx", start: [2], length: .untilEnd)
        format.end = [3]
        format.maximum = 8
        let sample = StreamSample(
            "stx", .frames([format]), Formats.hex("02 41 42 03 02 43 02 44 03 02 41 41 41 41 41 41 41 41 03 02 45 03"),
            isProven: false)
        #expect(frames(sample.decode()).map(\.bytes.count) == [4, 5, 3])
        #expect(sample.decode(portion: 1) == sample.decode())
    }

    @Test(arguments: [
        (FrameChecksum.Kind.modbus, "01 04 00 00 00 02 71 CB"), (.sum16le, "01 02 03 06 00"), (.xor8, "01 02 04 07"),
        (.x25, "31 32 33 34 35 36 37 38 39 6E 90"), (.kermit, "31 32 33 34 35 36 37 38 39 89 21"),
        (.arc, "31 32 33 34 35 36 37 38 39 3D BB"), (.zeroSum8, "01 02 FD"),
    ])
    func `each checksum proves its frame and refuses another`(kind: FrameChecksum.Kind, text: String) {
        let bytes = Formats.hex(text)
        var format = FrameFormat(name: "f", start: [], length: .fixed(bytes.count))
        let tail = kind == .zeroSum8 ? 0 : bytes.count - (kind.byteCount)
        format.checksums = [
            FrameChecksum(kind, from: 0, through: kind == .zeroSum8 ? -1 : tail - 1, at: tail)
        ]
        let sample = StreamSample("f", .frames([format]), bytes, isProven: true)
        #expect(frames(sample.decode()).count == 1)
        let damaged = [bytes[0] ^ 1] + bytes.dropFirst()
        #expect(frames(sample.decode(damaged)).isEmpty)
    }

    @Test func `a wrong rate is told in portions`() {
        let sample = StreamSample.air[0]
        let events = sample.decode(Array(repeating: 0xF8, count: 10_000))
        #expect(events == Array(repeating: .skipped(SkippedBytes(count: 4_096, reason: .noise)), count: 2))
    }
}

@Suite struct FrameFieldTests {
    private let frame = Formats.hex("01 FF 80 00 00 43 66 33 33 12 34 41 42 20 00")

    @Test(arguments: [
        ("u8", 1, FrameField.Content.integer(255)), ("s8", 1, .integer(-1)), ("u16", 0, .integer(0x01FF)),
        ("u16le", 0, .integer(0xFF01)), ("s16", 1, .integer(-128)), ("s16le", 2, .integer(128)),
        ("u24", 0, .integer(0x01FF80)), ("s24", 1, .integer(-32_768)), ("u32le", 0, .integer(0x0080FF01)),
        ("u64", 0, .integer(0x01FF_8000_0043_6633)), ("float32", 5, .number(230.2)), ("bcd2", 9, .integer(1234)),
        ("bcd2le", 9, .integer(3412)), ("hex2", 9, .text("1234")), ("text4", 11, .text("AB")), ("u8", -1, .integer(0)),
    ])
    func `each type is read`(type: String, at: Int, expected: FrameField.Content) throws {
        let field = try #require(FrameField(at: at, type: type))
        #expect(field.content(in: frame) == expected)
    }

    @Test(arguments: ["u7", "u0", "float16", "int16", "bcd9", "u72", "text65", "u16xe", ""])
    func `what is no type is refused`(type: String) {
        #expect(FrameField(at: 0, type: type)?.byteCount == nil)
    }

    @Test func `bits are masked and moved down`() {
        #expect(FrameField(at: 1, .unsigned, byteCount: 1, mask: 0xF0).content(in: frame) == .integer(15))
        #expect(FrameField(at: 2, .unsigned, byteCount: 1, mask: 0x40).content(in: frame) == .integer(0))
    }

    @Test func `what stands beyond the frame is not there`() {
        #expect(FrameField(at: 14, .unsigned, byteCount: 2).content(in: frame) == nil)
        #expect(FrameField(at: -16, .unsigned, byteCount: 1).content(in: frame) == nil)
        #expect(FrameField(at: 1, .bcd, byteCount: 1).content(in: frame) == nil)
    }
}
