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

    package func clear() {
        var count: UInt64 = 0
        _ = read(owned.rawValue, &count, MemoryLayout<UInt64>.size)
    }
}
