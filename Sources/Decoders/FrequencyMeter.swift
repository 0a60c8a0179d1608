package import Bytes

/// How often a line pulses, by the kernel's times: whole periods over a window, not pulses in a second.
package struct FrequencyMeter: Equatable, Sendable {
    package struct Settings: Equatable, Sendable {
        package var window: Duration = .seconds(1)
        /// Without a pulse for so long it is zero.
        package var timeout: Duration = .seconds(5)

        package init() {}
    }

    package let settings: Settings
    private var windowEndsAt: MonotonicTime
    /// The last pulse of the windows before.
    private var firstAt: MonotonicTime?
    private var lastAt: MonotonicTime?
    private var periods = 0
    private var last: Double?

    package init(_ settings: Settings, from now: MonotonicTime) {
        self.settings = settings
        windowEndsAt = now + settings.window
    }

    /// When `tick` is to be called: at the end of the window.
    package var wakeAt: MonotonicTime { windowEndsAt }

    /// A pulse began.
    package mutating func pulse(at now: MonotonicTime) {
        if firstAt == nil { firstAt = now } else { periods += 1 }
        lastAt = now
    }

    /// Edges were lost: the periods of this window are not known.
    package mutating func resync() {
        (firstAt, lastAt, periods) = (nil, nil, 0)
    }

    /// Ends the window when it is over: the frequency in Hz, and when it was measured; nil if it is not known.
    package mutating func tick(at now: MonotonicTime) -> (frequency: Double, at: MonotonicTime)? {
        guard now >= windowEndsAt else { return nil }
        windowEndsAt = max(windowEndsAt + settings.window, now)
        if periods > 0, let first = firstAt, let lastAt, lastAt > first {
            let frequency = Double(periods) / ((lastAt - first) / .seconds(1))
            (firstAt, periods, last) = (lastAt, 0, frequency)
            return (frequency, lastAt)
        }
        guard let lastAt else {
            // Nothing since the beginning, or since edges were lost.
            firstAt = nil
            last = 0
            return (0, now)
        }
        let elapsed = now - lastAt
        guard elapsed < settings.timeout else {
            (firstAt, periods, last) = (nil, 0, 0)
            return (0, now)
        }
        // It has slowed down at least to what a pulse just now would make it.
        guard let known = last else { return nil }
        return (min(known, 1 / (elapsed / .seconds(1))), now)
    }
}
