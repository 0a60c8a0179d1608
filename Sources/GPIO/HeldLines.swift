package import Bytes
import LinuxIO

/// Lines of one chip that are held together; outputs go to their safe levels before they are given back.
package struct HeldLines: ~Copyable, Sendable {
    /// A line's change, and how many changes before it were lost.
    package struct Edge: Equatable, Sendable {
        /// Which of the lines, in the order of the request.
        package var line: Int
        package var isActive: Bool
        /// By the clock of `MonotonicTime`, as the kernel saw it; nil where the time of day was asked for.
        package var time: MonotonicTime?
        /// As the kernel told it, since the beginning of the clock that was asked for.
        package var nanoseconds: Int64
        package var lost: Int
    }

    /// The chip that the lines are on, as it is called now.
    package let chip: String
    package let lines: [WantedLine]
    private let request: GPIORequest
    private var numbers: EdgeNumbers
    private var sleepOffset: Duration

    /// Finds and takes lines, all or none; `name` is what others see as their holder.
    ///
    /// `eventBuffer` is how many edges the kernel keeps for who reads late; 0 leaves it to the kernel.
    package init(
        _ lines: [WantedLine], as name: String, by finder: LineFinder, eventBuffer: Int = 0
    ) throws(GPIOError) {
        var places: [LineFinder.Place] = []
        for line in lines {
            let place = try finder.find(line.address)
            if let first = places.first, first.chip.path != place.chip.path {
                throw GPIOError(line.address, .otherChip(place.chip.label))
            }
            places.append(place)
        }
        request = try Self.take(lines, places, name, eventBuffer)
        chip = places.first?.chip.path ?? ""
        self.lines = lines
        numbers = EdgeNumbers(lines: lines.count)
        sleepOffset = GPIOEdge.sleepOffset
    }

    private static func take(
        _ lines: [WantedLine], _ places: [LineFinder.Place], _ name: String, _ eventBuffer: Int
    ) throws(GPIOError) -> GPIORequest {
        guard let path = places.first?.chip.path, let first = lines.first?.address else {
            throw GPIOError(.named(""), .noMatch(near: []))
        }
        let chip = try open(path, for: first)
        do throws(SystemError) {
            let wanted = zip(lines, places).map { $0.wanted(at: $1.line.offset) }
            return try chip.request(wanted, consumer: name, eventBuffer: eventBuffer)
        } catch {
            guard error.kind == .inUse else { throw told(error, first, path) }
            throw busy(lines, places, chip) ?? GPIOError(first, .inUse(by: nil))
        }
    }

    private static func open(_ path: String, for line: LineAddress) throws(GPIOError) -> GPIOChip {
        do throws(SystemError) {
            return try GPIOChip(opening: path)
        } catch {
            throw told(error, line, path)
        }
    }

    /// Which of the lines somebody holds, and who.
    private static func busy(
        _ lines: [WantedLine], _ places: [LineFinder.Place], _ chip: borrowing GPIOChip
    ) -> GPIOError? {
        for (line, place) in zip(lines, places) {
            guard let now = try? chip.line(place.line.offset), now.flags.contains(.used) else { continue }
            return GPIOError(line.address, .inUse(by: now.consumer.isEmpty ? nil : now.consumer))
        }
        return nil
    }

    private static func told(_ error: SystemError, _ line: LineAddress, _ path: String) -> GPIOError {
        switch error.kind {
        case .noPermission: GPIOError(line, .noPermission(path: path, group: File.group(of: path)))
        case .deviceGone, .notFound: GPIOError(line, .lost)
        default: GPIOError(line, .failed(error))
        }
    }

    /// To wait for edges; it hangs up when the chip goes.
    package var descriptor: CInt { request.descriptor }

    /// Whether each line is active.
    package func levels() throws(GPIOError) -> [Bool] {
        do throws(SystemError) {
            return try request.levels()
        } catch {
            throw told(error)
        }
    }

    /// Sets some outputs at once; the keys are places in the request.
    package func set(_ levels: [Int: Bool]) throws(GPIOError) {
        do throws(SystemError) {
            try request.set(levels)
        } catch {
            throw told(error)
        }
    }

    /// The edges that wait, in order, at most 64; none if there are none yet.
    package mutating func edges() throws(GPIOError) -> [Edge] {
        let edges: [GPIOEdge]
        do throws(SystemError) {
            edges = try request.edges()
        } catch {
            throw told(error)
        }
        followSleep()
        return edges.compactMap { edge in
            guard let place = request.offsets.firstIndex(of: edge.offset) else { return nil }
            return Edge(
                line: place, isActive: edge.isActive, time: time(of: edge, place), nanoseconds: edge.nanoseconds,
                lost: numbers.lost(before: edge.lineNumber, line: place))
        }
    }

    private func time(of edge: GPIOEdge, _ place: Int) -> MonotonicTime? {
        if case .input(let input) = lines[place].use, input.usesTimeOfDay { return nil }
        return MonotonicTime(nanoseconds: edge.nanoseconds) + sleepOffset
    }

    /// Where two clocks are read one after the other they always differ a little: only a sleep moves the offset, or the
    /// times between edges would tremble.
    private mutating func followSleep() {
        let offset = GPIOEdge.sleepOffset
        if offset > sleepOffset + .milliseconds(50) { sleepOffset = offset }
    }

    private func told(_ error: SystemError) -> GPIOError {
        Self.told(error, lines.first?.address ?? .named(""), chip)
    }

    /// Writes the safe levels and gives the lines back; what the wires do then is up to the chip.
    package consuming func release() throws(GPIOError) {
        let levels = Self.safeLevels(lines)
        if !levels.isEmpty { try set(levels) }
    }

    static func safeLevels(_ lines: [WantedLine]) -> [Int: Bool] {
        var levels: [Int: Bool] = [:]
        for (place, line) in lines.enumerated() {
            if case .output(let output) = line.use, let safe = output.safe { levels[place] = safe }
        }
        return levels
    }

    deinit {
        let levels = Self.safeLevels(lines)
        // Without the chip there is nothing to be made safe, and nobody to tell.
        if !levels.isEmpty { try? request.set(levels) }
    }
}
