package import Bytes
import CLinux
import Glibc

/// What one descriptor is ready for.
package struct PollEvent: Equatable, Sendable {
    /// The number it was added with.
    package var token: UInt64
    package var isReadable: Bool
    package var isWritable: Bool
    /// The other end is gone, or the device; a read tells which.
    package var isHangUp: Bool
}

/// One epoll instance, level-triggered.
package struct Poller: ~Copyable {
    private static let batch = 256

    private let descriptor: OwnedDescriptor
    private var events: [epoll_event]

    package init() throws(SystemError) {
        let raw = clinux_epoll_create()
        guard raw >= 0 else { throw .last("epoll_create1") }
        descriptor = OwnedDescriptor(taking: raw)
        events = Array(repeating: epoll_event(), count: Self.batch)
    }

    /// Watches a descriptor; `token` comes back with its events.
    package mutating func add(_ watched: CInt, token: UInt64, reading: Bool, writing: Bool) throws(SystemError) {
        try control(1, watched, token, reading, writing)
    }

    package mutating func modify(_ watched: CInt, token: UInt64, reading: Bool, writing: Bool) throws(SystemError) {
        try control(3, watched, token, reading, writing)
    }

    package mutating func remove(_ watched: CInt) throws(SystemError) {
        try control(2, watched, 0, false, false)
    }

    /// Waits until something is ready or `deadline` has come, and puts what is ready into `ready`.
    ///
    /// Never early, so a due timer is due when it returns. The silence between two Modbus frames is less than two
    /// milliseconds at 19200 baud: whole milliseconds would waste a tenth of such a line.
    package mutating func wait(
        until deadline: ContinuousClock.Instant?, into ready: inout [PollEvent]
    ) throws(SystemError) {
        guard let deadline else { return try wait(-1, &ready) }
        let (seconds, attoseconds) = max(deadline - ContinuousClock.now, .zero).components
        let nanoseconds = min(seconds, 1_000_000) * 1_000_000_000 + (attoseconds + 999_999_999) / 1_000_000_000
        let raw = descriptor.rawValue
        let count = events.withUnsafeMutableBufferPointer { buffer in
            clinux_epoll_wait_exactly(raw, buffer.baseAddress, CInt(Self.batch), nanoseconds)
        }
        try take(count, &ready)
    }

    /// The same with the time as the broker's loop keeps it, which it has just read.
    package mutating func wait(
        until deadline: MonotonicTime, now: MonotonicTime, into ready: inout [PollEvent]
    ) throws(SystemError) {
        let left = deadline.nanoseconds - now.nanoseconds
        try wait(CInt(clamping: left <= 0 ? 0 : (left - 1) / 1_000_000 + 1), &ready)
    }

    private mutating func wait(_ timeout: CInt, _ ready: inout [PollEvent]) throws(SystemError) {
        let raw = descriptor.rawValue
        let count = events.withUnsafeMutableBufferPointer { buffer in
            clinux_epoll_wait(raw, buffer.baseAddress, CInt(Self.batch), timeout)
        }
        try take(count, &ready)
    }

    private mutating func take(_ count: CInt, _ ready: inout [PollEvent]) throws(SystemError) {
        ready.removeAll(keepingCapacity: true)
        guard count >= 0 else {
            if errno == EINTR { return }
            throw .last("epoll_wait")
        }
        for index in 0..<Int(count) {
            let flags = clinux_epoll_events(&events[index])
            ready.append(
                PollEvent(
                    token: clinux_epoll_token(&events[index]), isReadable: flags & EPOLLIN.rawValue != 0,
                    isWritable: flags & EPOLLOUT.rawValue != 0,
                    isHangUp: flags & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0))
        }
    }

    private func control(
        _ operation: CInt, _ watched: CInt, _ token: UInt64, _ reading: Bool, _ writing: Bool
    ) throws(SystemError) {
        let flags = (reading ? EPOLLIN.rawValue : 0) | (writing ? EPOLLOUT.rawValue : 0)
        guard clinux_epoll_control(descriptor.rawValue, operation, watched, flags, token) == 0 else {
            throw .last("epoll_ctl")
        }
    }

    static func milliseconds(until deadline: ContinuousClock.Instant?) -> CInt {
        guard let deadline else { return -1 }
        let left = deadline - ContinuousClock.now
        guard left > .zero else { return 0 }
        let (seconds, attoseconds) = left.components
        guard seconds < 1_000_000 else { return 1_000_000_000 }
        return CInt(seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
