import CLinux
package import Readings

/// The machine's two clocks together, and whether the time of day can be believed.
package enum SystemClock {
    /// A hardware clock and the time of day that differ by more don't have it from each other.
    private static let tolerance: Int64 = 60_000
    private static let hardwareClock = "/sys/class/rtc/rtc0/since_epoch"

    /// What they say now; it costs a few system calls.
    package static var reading: ClockReading {
        var reading = believed
        let kernel = clinux_clock_is_synchronised()
        reading.trust = trust(
            kernel: kernel < 0 ? nil : kernel > 0, hardware: hardwareTime, time: reading.time,
            startsWithTime: startsWithTime)
        return reading
    }

    /// What they say now, when the time of day was found to be set before.
    package static var believed: ClockReading {
        ClockReading(instant: .now, time: WallClock.now, trust: .synchronised)
    }

    /// How far to believe the time of day.
    ///
    /// A hardware clock that agrees has kept it; one that says something else has not, for then it was set from somewhere else,
    /// like the time of the last shutdown. Where the kernel can't be asked the time is believed like a kept one.
    static func trust(
        kernel isSynchronised: Bool?, hardware: Timestamp?, time: Timestamp, startsWithTime: Bool
    ) -> ClockReading.Trust {
        if isSynchronised == true { return .synchronised }
        if let hardware { return abs(hardware.milliseconds - time.milliseconds) <= tolerance ? .kept : .none }
        return startsWithTime || isSynchronised == nil ? .kept : .none
    }

    /// A PC's firmware and a hypervisor give the kernel the time when it starts, also where no clock device is seen.
    private static var startsWithTime: Bool {
        #if arch(x86_64)
            true
        #else
            false
        #endif
    }

    private static var hardwareTime: Timestamp? {
        guard let text = try? File.read(hardwareClock),
            let seconds = Int64(String(decoding: text, as: UTF8.self).prefix { $0.isNumber })
        else { return nil }
        return Timestamp(milliseconds: seconds * 1_000)
    }
}
