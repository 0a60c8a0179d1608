import Modbus
import Testing

@Suite struct BusLoadTests {
    private func settings(_ mode: MasterSettings.Mode, byteTime: Duration) -> MasterSettings {
        var settings = MasterSettings()
        settings.mode = mode
        settings.byteTime = byteTime
        return settings
    }

    @Test func `a read has the line for its frames, the silence and the unit's time`() {
        // 9600 baud, ten bits: 8 + 9 characters of 1.0417 ms, 3.5 of silence, 20 ms to think.
        let time = BusLoad.time(
            for: .readInputRegisters(start: 0, count: 2), settings(.rtu, byteTime: .nanoseconds(1_041_666)))
        #expect(time == .nanoseconds(1_041_666 * 17 + 1_041_666 * 7 / 2 + 20_000_000))
    }

    @Test func `a line of digits takes twice as long`() {
        // 17 + 19 characters.
        let time = BusLoad.time(
            for: .readInputRegisters(start: 0, count: 2), settings(.ascii, byteTime: .milliseconds(1)))
        #expect(time == .milliseconds(17 + 19 + 20) + .microseconds(3_500))
    }

    @Test func `at high speeds the silence stays what it is`() {
        #expect(BusLoad.silence(.microseconds(87)) == .microseconds(1_750))
        #expect(BusLoad.silence(.milliseconds(1)) == .microseconds(3_500))
    }
}
