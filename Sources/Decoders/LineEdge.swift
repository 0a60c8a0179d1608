package import Bytes
package import Readings

/// A GPIO line's change, as the kernel saw it.
package struct LineEdge: Equatable, Sendable {
    /// Which of the device's lines.
    package var line: Int
    package var isActive: Bool
    package var time: MonotonicTime

    package init(line: Int = 0, isActive: Bool, time: MonotonicTime) {
        self.line = line
        self.isActive = isActive
        self.time = time
    }
}

/// What the lines of a device mean at a time: the value of one of its points.
package struct LineReading: Equatable, Sendable {
    package var point: String
    package var value: Value
    package var time: MonotonicTime
    package var quality = Quality.good

    package init(_ point: String, _ value: Value, at time: MonotonicTime, quality: Quality = .good) {
        self.point = point
        self.value = value
        self.time = time
        self.quality = quality
    }
}
