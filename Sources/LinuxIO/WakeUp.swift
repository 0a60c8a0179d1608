import CLinux
import Glibc

/// Wakes a loop from another thread: an eventfd that the loop's poller watches.
package final class WakeUp: Sendable {
    private let owned: OwnedDescriptor

    package init() throws(SystemError) {
        let raw = clinux_eventfd()
        guard raw >= 0 else { throw .last("eventfd") }
        owned = OwnedDescriptor(taking: raw)
    }

    /// For the poller.
    package var descriptor: CInt { owned.rawValue }

    package func signal() {
        var one: UInt64 = 1
        // Only a full counter can make it fail, and then the loop has been woken already.
        _ = write(owned.rawValue, &one, MemoryLayout<UInt64>.size)
    }

    /// Waits for a signal, at most so long; for threads that have nothing else to wait for.
    package func wait(atMost duration: Duration? = nil) {
        let milliseconds = duration.map {
            max(0, $0.components.seconds * 1000 + $0.components.attoseconds / Self.milli)
        }
        var entry = pollfd(fd: owned.rawValue, events: Int16(POLLIN), revents: 0)
        // Rounded up, or the last part of a millisecond would be spent asking.
        let count = poll(&entry, 1, milliseconds.map { CInt(clamping: $0 + 1) } ?? -1)
        if count > 0 { clear() }
    }

    private static let milli: Int64 = 1_000_000_000_000_000

    package func clear() {
        var count: UInt64 = 0
        _ = read(owned.rawValue, &count, MemoryLayout<UInt64>.size)
    }
}
