import Readings
import Testing

@testable import LinuxIO

@Suite struct SystemClockTests {
    private let time = Timestamp(milliseconds: 1_780_000_000_000)

    private func trust(kernel: Bool?, hardware: Int64? = nil, startsWithTime: Bool = false) -> ClockReading.Trust {
        let hardware = hardware.map { Timestamp(milliseconds: time.milliseconds + $0) }
        return SystemClock.trust(kernel: kernel, hardware: hardware, time: time, startsWithTime: startsWithTime)
    }

    @Test func `a clock that is kept right is believed whatever the hardware says`() {
        #expect(trust(kernel: true) == .synchronised)
        #expect(trust(kernel: true, hardware: -1_000_000_000) == .synchronised)
    }

    @Test func `a hardware clock that agrees has kept the time, and one that does not has not`() {
        #expect(trust(kernel: false, hardware: -900) == .kept)
        // Set to the time of the last shutdown, while the hardware clock began anew.
        #expect(trust(kernel: false, hardware: -36_000_000, startsWithTime: true) == .none)
    }

    @Test func `without a hardware clock a board knows nothing, and a virtual machine was told`() {
        #expect(trust(kernel: false) == .none)
        #expect(trust(kernel: false, startsWithTime: true) == .kept)
    }

    @Test func `where the kernel can't be asked the time is believed`() {
        #expect(trust(kernel: nil) == .kept)
    }

    @Test func `both clocks are read at the same moment`() {
        let before = ContinuousClock.now
        let reading = SystemClock.reading
        #expect(before <= reading.instant && reading.instant <= .now)
        #expect(abs(reading.time.milliseconds - WallClock.now.milliseconds) < 60_000)
    }
}
