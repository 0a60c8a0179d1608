import Decoders
import Readings
import Testing

@Suite struct IECDecoderTests {
    private func telegrams(_ bytes: [UInt8]) -> [Telegram] {
        StreamSample("", .known(.iec62056), bytes, isProven: true).decode().telegrams
    }

    private func value(_ telegram: Telegram?, _ code: String) -> Value? {
        OBISCode(code).flatMap { telegram?.entry($0)?.value }
    }

    @Test func `a readout gives its values, and none of the past`() throws {
        let telegram = try #require(telegrams(MeterSamples.readout).first)
        #expect(telegram.identification == "LGZ4ZMF100AC.M26")
        #expect(telegram.checksum == .matched)
        #expect(value(telegram, "1-0:1.8.0") == .measured(12_345.678))
        #expect(value(telegram, "1-0:1.8.2") == .measured(2_345.678))
        #expect(value(telegram, "1-0:1.6.0") == .measured(5.123))
        #expect(value(telegram, "1-0:0.0.0") == .text("12345678"))
        #expect(telegram.entries.count == 7)
    }

    @Test func `a push gives its values, with noise behind it`() throws {
        let noise = [UInt8](repeating: 0xFF, count: 20)
        let found = telegrams(MeterSamples.push + noise + MeterSamples.push + noise)
        #expect(found.count == 2)
        #expect(value(found.last, "1-0:1.8.0") == .measured(52_185.7825309))
        #expect(found.first?.checksum == .absent)
    }

    @Test func `no flipped bit of a readout gives a value`() {
        for place in MeterSamples.readout.indices.dropFirst(22) {
            for bit in 0..<8 {
                var bytes = MeterSamples.readout
                bytes[place] ^= 1 << UInt8(bit)
                #expect(telegrams(bytes).isEmpty, "byte \(place), bit \(bit)")
            }
        }
    }

    @Test func `a push with one line that can't be read is thrown away`() {
        let text = String(decoding: MeterSamples.push, as: UTF8.self)
        for (good, bad) in [("(00052", "00052"), ("*kWh)\r\n1-0:2", "*kWh\r\n1-0:2"), ("/ESY", "/E5Y")] {
            #expect(telegrams(Array(text.replacing(good, with: bad).utf8)).isEmpty, "\(bad)")
        }
    }

    @Test func `a meter that sent a check character is held to it`() {
        #expect(telegrams(MeterSamples.readout + MeterSamples.push).count == 1)
        #expect(telegrams(MeterSamples.push + MeterSamples.readout).count == 2)
    }

    @Test func `a message cut short does not take the next along`() {
        for end in 1..<MeterSamples.readout.count {
            let found = telegrams(Array(MeterSamples.readout[..<end]) + MeterSamples.readout)
            // Where only the check character is lost, the next one's slash stands in its place.
            #expect(found.count == 1 || end == MeterSamples.readout.count - 1)
        }
    }

    @Test func `what is no number is no value`() {
        let telegram = telegrams(MeterSamples.readout("1.8.0(------*kWh)\r\n2.8.0(000001.5)\r\n")).first
        #expect(telegram != nil && value(telegram, "1-0:1.8.0") == nil)
        #expect(value(telegram, "1-0:2.8.0") == .measured(1.5))
    }

    @Test func `a readout may pause before its data`() {
        let start = ContinuousClock.now
        var decoder = StreamDecoder(.iec62056)
        let (first, rest) = (Array(MeterSamples.readout.prefix(19)), Array(MeterSamples.readout.dropFirst(19)))
        #expect(decoder.received(first.span, at: start).isEmpty)
        #expect(decoder.received(rest.span, at: start + .seconds(2)).telegrams.count == 1)
        #expect(decoder.received(first.span, at: start + .seconds(3)).isEmpty)
        #expect(decoder.received(rest.span, at: start + .seconds(9)).telegrams.isEmpty)
    }
}

@Suite struct JKDecoderTests {
    private func records(_ bytes: [UInt8]) -> [FieldRecord] {
        StreamSample("", .known(.jkBMS), bytes, isProven: true).decode()
            .compactMap { if case .record(let record) = $0 { record } else { nil } }
    }

    /// The real answer with other content at some places, and its sum.
    private func answer(_ changes: [Int: UInt8]) -> [UInt8] {
        var bytes = Array(MeterSamples.jk.dropLast(4))
        for (place, byte) in changes { bytes[place] = byte }
        let sum = bytes.reduce(0 as UInt32) { $0 + UInt32($1) }
        return bytes + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> $0) }
    }

    private func place(of code: UInt8, _ first: UInt8) -> Int {
        let bytes = MeterSamples.jk
        return bytes.indices.first { $0 > 33 && bytes[$0] == code && bytes[$0 + 1] == first } ?? 0
    }

    @Test func `a real answer gives its values`() throws {
        let record = try #require(records(MeterSamples.jk).first)
        #expect(record["voltage"] == "2658" && record["charge"] == "90" && record["current"] == "0")
        #expect(record["cell_1"] == "3794" && record["cell_7"] == "3803" && record["cell_8"] == nil)
        #expect(record["software"] == "11.XA_S11.51___")
    }

    @Test func `currents and temperatures have signs`() {
        let current = place(of: 0x84, 0)
        let temperature = place(of: 0x82, 0)
        let out = records(answer([current + 1: 0x01, current + 2: 0x2C, temperature + 2: 110])).first
        #expect(out?["current"] == "-300" && out?["temperature"] == "-10")
        let into = records(answer([current + 1: 0x81, current + 2: 0x2C])).first
        #expect(into?["current"] == "300")
        // Another version counts otherwise: no value is better than a wrong one.
        let version = place(of: 0xC0, 1)
        #expect(records(answer([version + 1: 0])).first?["current"] == nil)
    }

    @Test func `our own request is no answer`() {
        let request = Formats.hex("4E 57 00 13 00 00 00 00 06 03 00 00 00 00 00 00 68 00 00 01 29")
        #expect(records(request + MeterSamples.jk).count == 1)
    }
}
