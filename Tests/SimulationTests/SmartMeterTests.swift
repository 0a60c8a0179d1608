import Bytes
import Decoders
import Readings
import Testing

@testable import Simulation

@Suite struct SmartMeterTests {
    // 2026-11-23 05:00:00 UTC is 06:00 in winter time.
    private let clock: Int64 = 1_795_410_000

    private func decode(_ bytes: [UInt8]) -> [Telegram] {
        var decoder = StreamDecoder(.dsmrP1)
        return decoder.received(bytes.span, at: ContinuousClock.now).compactMap { event in
            if case .telegram(let telegram) = event { telegram } else { nil }
        }
    }

    @Test func `its telegrams are read by the decoder, checksum and time included`() throws {
        var meter = SmartMeter(seed: 5)
        for second in 0..<400 {
            let bytes = meter.telegram(at: Double(second), clock: clock + Int64(second))
            let telegram = try #require(decode(bytes).first)
            #expect(telegram.checksum == .matched)
            #expect(telegram.unreadableLines == 0)
            #expect(telegram.lengthInBytes == bytes.count)
            #expect(telegram.time == .at(Timestamp(milliseconds: (clock + Int64(second)) * 1000)))
        }
    }

    @Test func `it says what a Dutch meter says`() {
        var meter = SmartMeter(seed: 5)
        let text = String(decoding: meter.telegram(at: 0, clock: clock), as: UTF8.self)
        #expect(text.hasPrefix("/MRT5\\2SIM120-0001\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0(261123060000W)\r\n"))
        #expect(text.contains("\r\n1-0:1.8.1(004426.218*kWh)\r\n1-0:1.8.2(002399.871*kWh)\r\n"))
        #expect(text.contains("\r\n0-1:24.2.1(261123060000W)(01207.107*m3)\r\n!"))
        #expect(text.hasSuffix("\r\n"))
    }

    @Test func `gas is reported every five minutes with its own time`() {
        var meter = SmartMeter(seed: 5)
        func gas(_ second: Int64) -> String? {
            let text = String(decoding: meter.telegram(at: Double(second), clock: clock + second), as: UTF8.self)
            return text.split(separator: "\r\n").first { $0.hasPrefix("0-1:24.2.1") }.map(String.init)
        }
        let first = gas(0)
        #expect(gas(299) == first)
        #expect(gas(300)?.hasPrefix("0-1:24.2.1(261123060500W)") == true)
    }

    @Test(arguments: [
        (Int64(0), "700101010000W"),
        (951_782_399, "000229005959W"),
        (1_774_745_999, "260329015959W"), (1_774_746_000, "260329030000S"),
        (1_792_889_999, "261025025959S"), (1_792_890_000, "261025020000W"),
        (1_798_761_599, "270101005959W"),
    ])
    func `summer begins and ends on the last Sundays of March and October`(seconds: Int64, text: String) {
        #expect(CentralEuropeanTime(secondsSince1970: seconds).text == text)
    }
}
