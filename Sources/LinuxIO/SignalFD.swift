import CLinux
import Glibc

/// A signal that the gateway reacts to.
package enum Signal: CaseIterable, Equatable, Sendable {
    case hangUp
    case interrupt
    case terminate

    fileprivate var number: CInt {
        switch self {
        case .hangUp: SIGHUP
        case .interrupt: SIGINT
        case .terminate: SIGTERM
        }
    }
}

/// Signals as something to wait for, instead of handlers that may do next to nothing.
package struct SignalFD: ~Copyable, Sendable {
    private let owned: OwnedDescriptor

    /// Blocks the signals on this thread and those it starts later, and collects them.
    ///
    /// Make it on the main thread before any other thread starts: a thread that doesn't block a signal may be killed
    /// by it.
    package init(_ signals: [Signal]) throws(SystemError) {
        let numbers = signals.map(\.number)
        let raw = clinux_signalfd(numbers, CInt(numbers.count))
        guard raw >= 0 else { throw .last("signalfd") }
        owned = OwnedDescriptor(taking: raw)
    }

    /// For a poller or an event loop.
    package var descriptor: CInt { owned.rawValue }

    /// The next signal that has come; nil if there is none.
    package func next() throws(SystemError) -> Signal? {
        let number = clinux_next_signal(owned.rawValue)
        guard number >= 0 else { throw .last("read", "signalfd") }
        return Signal.allCases.first { $0.number == number }
    }

    /// Blocks until a signal comes; nil when `deadline` has come first.
    package func wait(until deadline: ContinuousClock.Instant? = nil) throws(SystemError) -> Signal? {
        while true {
            if let signal = try next() { return signal }
            let timeout = Poller.milliseconds(until: deadline)
            guard timeout != 0 else { return nil }
            var request = pollfd(fd: owned.rawValue, events: Int16(POLLIN), revents: 0)
            if poll(&request, 1, timeout) < 0, errno != EINTR { throw .last("poll", "signalfd") }
        }
    }

    /// Lets writes to a closed pipe fail instead of ending the process.
    package static func ignoreBrokenPipes() {
        clinux_ignore_broken_pipes()
    }
}
