import Decoders
import Readings
import Testing

@Suite struct TelegramTests {
    private func telegram(_ capture: Capture) throws -> Telegram {
        try #require(decode(capture.bytes).telegrams.first)
    }

    private func entry(_ code: String, in capture: Capture) throws -> TelegramEntry {
        let code = try #require(OBISCode(code))
        return try #require(try telegram(capture).entry(code))
    }

    @Test func `version 5 says what the meter measured`() throws {
        let telegram = try telegram(.v5)
        #expect(telegram.time == .at(Timestamp(milliseconds: 1_483_381_202_000)))  // 2017-01-02 18:20:02 UTC
        #expect(telegram.entries.count == 37)
        let imported = try entry("1-0:1.8.1", in: .v5)
        #expect(imported.value == .number(4.426))
        #expect(imported.unit == "kWh")
        #expect(imported.text == "000004.426")
        #expect(try entry("1-0:2.8.1", in: .v5).value == .number(2.444))
        #expect(try entry("0-0:96.14.0", in: .v5).value == .integer(2))
        #expect(try entry("1-0:32.7.0", in: .v5).value == .number(230))
        #expect(try entry("1-0:71.7.0", in: .v5).value == .number(0.86))
        #expect(try entry("0-0:96.7.21", in: .v5).value == .integer(13))
    }

    @Test func `gas has the time at which it was read`() throws {
        let gas = try #require(try telegram(.v5).reading(of: .gas))
        #expect(gas.code.description == "0-1:24.2.1")
        #expect(gas.value == .number(0.107))
        #expect(gas.normalised.unit == "m³")
        #expect(gas.time == .at(Timestamp(milliseconds: 1_483_369_805_000)))  // 2017-01-02 15:10:05 UTC
    }

    @Test func `a sub-meter that was never read is passed over`() throws {
        let telegram = try telegram(.twoSubMeters)
        #expect(telegram.entry(OBISCode(0, 1, 24, 2, 1))?.time == .invalid)
        #expect(telegram.reading(of: .gas)?.value == .number(246.138))
        #expect(telegram.reading(ofChannel: 1) == nil)
        #expect(telegram.reading(of: .water) == nil)
    }

    @Test func `version 2 has gas on two lines and no clock`() throws {
        let telegram = try telegram(.v2)
        #expect(telegram.time == .notSent)
        let gas = try #require(telegram.reading(of: .gas))
        #expect(gas.code.description == "0-1:24.2.1")
        #expect(gas.value == .number(1.001))
        #expect(gas.unit == "m3")
        #expect(gas.time == .at(Timestamp(milliseconds: 1_478_541_600_000)))  // 2016-11-07 18:00 UTC
        #expect(telegram.entry(OBISCode(1, 0, 1, 7, 0))?.normalised.value == .number(1010))
    }

    @Test func `Belgium has peaks with their times, gas under its own code, and water`() throws {
        let telegram = try telegram(.fluvius)
        let peak = try entry("1-0:1.6.0", in: .fluvius)
        #expect(peak.normalised.value == .number(2589))
        #expect(peak.time == .at(Timestamp(milliseconds: 1_589_024_758_000)))  // 2020-05-09 11:45:58 UTC
        #expect(try entry("1-0:1.4.0", in: .fluvius).normalised.value == .number(2351))
        #expect(telegram.reading(of: .gas)?.code.description == "0-1:24.2.3")
        #expect(telegram.reading(of: .gas)?.value == .number(112.384))
        #expect(telegram.reading(of: .water)?.value == .number(872.234))
    }

    @Test func `Sagemcom counts in Wh, readings don't`() throws {
        let imported = try entry("1-0:1.8.0", in: .sagemcom)
        #expect(imported.value == .number(6_545_766))
        #expect(imported.unit == "Wh")
        #expect(imported.normalised.value == .number(6545.766))
        #expect(imported.normalised.unit == "kWh")
        let power = try entry("1-0:1.7.0", in: .sagemcom)
        #expect(power.normalised.value == .number(286))
        #expect(power.normalised.unit == "W")
        #expect(try entry("1-0:4.8.1", in: .sagemcom).normalised.unit == "kvarh")
    }

    @Test func `serial numbers and messages stay text`() throws {
        #expect(try entry("0-0:96.1.1", in: .v2).value == .text("00000000000000"))
        #expect(try entry("0-0:96.1.1", in: .v5).value == .text("4B384547303034303436333935353037"))
        #expect(try entry("0-0:96.13.0", in: .v5).value == nil)
    }

    @Test func `of a list the first group counts`() throws {
        #expect(try entry("1-0:99.97.0", in: .v4).value == .integer(3))
        #expect(try entry("0-0:98.1.0", in: .fluvius).value == .integer(3))
    }

    @Test(arguments: [
        ("02.351", "kW", 2351.0, "W"), ("0000286", "W", 286, "W"), ("000000034", "Wh", 0.034, "kWh"),
        ("00.1", "MWh", 100, "kWh"), ("1.1", "kvar", 1100, "var"), ("5", "MJ", 0.005, "GJ"),
        ("-12.5", "kW", -12500, "W"),
        ("230.1", "V", 230.1, "V"), ("12", "dB", 12, "dB"),
    ])
    func `units become those of readings without rounding`(
        text: String, unit: String, expected: Double, expectedUnit: String
    ) throws {
        let value = try #require(Double(text))
        let entry = TelegramEntry(code: OBISCode(1, 0, 1, 7, 0), text: text, value: .number(value), unit: unit)
        #expect(entry.normalised.value == .number(expected))
        #expect(entry.normalised.unit == expectedUnit)
    }
}
