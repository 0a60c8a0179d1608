import CLinux
import Glibc

/// Lines of a GPIO chip that this program holds; letting go of it gives them back.
package struct GPIORequest: ~Copyable, Sendable {
    /// The lines' places on the chip, in the order of the request.
    package let offsets: [Int]
    private let owned: OwnedDescriptor

    init(_ descriptor: consuming OwnedDescriptor, offsets: [Int]) {
        owned = descriptor
        self.offsets = offsets
    }

    /// To wait for edges; it hangs up when the chip goes.
    package var descriptor: CInt { owned.rawValue }

    /// Whether each line is active, in the order of the request.
    package func levels() throws(SystemError) -> [Bool] {
        var bits: UInt64 = 0
        let mask = offsets.count == 64 ? UInt64.max : 1 << offsets.count - 1
        guard clinux_gpio_get(descriptor, mask, &bits) == 0 else { throw .last("GPIO_V2_LINE_GET_VALUES") }
        return offsets.indices.map { bits >> $0 & 1 == 1 }
    }

    /// Sets some outputs at once; the keys are places in the request.
    package func set(_ levels: [Int: Bool]) throws(SystemError) {
        var mask: UInt64 = 0
        var bits: UInt64 = 0
        for (place, isActive) in levels where offsets.indices.contains(place) {
            mask |= 1 << place
            if isActive { bits |= 1 << place }
        }
        guard clinux_gpio_set(descriptor, mask, bits) == 0 else { throw .last("GPIO_V2_LINE_SET_VALUES") }
    }

    /// The edges that wait, in order, at most 64; none if there are none yet.
    package func edges() throws(SystemError) -> [GPIOEdge] {
        var events = [clinux_gpio_event](repeating: clinux_gpio_event(), count: 64)
        let count = clinux_gpio_read(descriptor, &events, CInt(events.count))
        guard count >= 0 else {
            if errno == EAGAIN || errno == EINTR { return [] }
            throw .last("read")
        }
        return events.prefix(Int(count)).map { event in
            GPIOEdge(
                nanoseconds: Int64(clamping: event.nanoseconds), offset: Int(event.offset),
                isActive: event.is_rising != 0, number: event.number, lineNumber: event.line_number)
        }
    }
}

/// A line's change, as the kernel saw it.
package struct GPIOEdge: Equatable, Sendable {
    /// Of the clock that was asked for with the line: the monotonic one, or the time of day.
    package var nanoseconds: Int64
    package var offset: Int
    /// Whether it became active; for a line that is active low that is the falling edge of the wire.
    package var isActive: Bool
    /// The edge's number among those of the request.
    package var number: UInt32
    /// The edge's number among those of its line; one that is missing was lost.
    package var lineNumber: UInt32

    package init(nanoseconds: Int64, offset: Int, isActive: Bool, number: UInt32, lineNumber: UInt32) {
        self.nanoseconds = nanoseconds
        self.offset = offset
        self.isActive = isActive
        self.number = number
        self.lineNumber = lineNumber
    }

    /// How far the clock that goes on in sleep is ahead of the one that edges are timed by.
    package static var sleepOffset: Duration {
        var asleep = timespec()
        var awake = timespec()
        _ = clock_gettime(CLOCK_BOOTTIME, &asleep)
        _ = clock_gettime(CLOCK_MONOTONIC, &awake)
        return .seconds(asleep.tv_sec - awake.tv_sec) + .nanoseconds(asleep.tv_nsec - awake.tv_nsec)
    }
}
