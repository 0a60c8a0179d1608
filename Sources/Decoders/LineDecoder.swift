package import Bytes
import Readings

/// What the input lines of a device are.
package enum LineFunction: Equatable, Sendable {
    /// Two words for the level of one line.
    case level(point: String, active: String, inactive: String)
    case button(ButtonDecoder.Settings)
    case counter(PulseCounter.Settings)
    /// `scale` makes of Hz what is told.
    case frequency(FrequencyMeter.Settings, scale: Double)
    case encoder(RotaryEncoder.Settings)
}

/// Edges of a device's lines in, readings out; no IO.
///
/// One decoder for each time that the lines are taken.
package struct LineDecoder: Sendable {
    private enum State: Sendable {
        case level(point: String, words: (active: String, inactive: String), isActive: Bool)
        case button(ButtonDecoder)
        case counter(PulseCounter)
        case frequency(FrequencyMeter, scale: Double)
        case encoder(RotaryEncoder)
    }

    /// Totals and positions are told at most so often, however fast the pulses come.
    private static let pace: Duration = .milliseconds(100)

    private var state: State
    private var debouncers: [Debouncer] = []
    private var levels: [Bool]
    private var toldAt: MonotonicTime?
    /// When what has changed is told.
    private var tellAt: MonotonicTime?
    private var changedAt: MonotonicTime

    /// `levels` are those of the lines now, `kept` the pulses or the position that were kept, and `debounce` is set where
    /// the kernel does not do it.
    package init(
        _ function: LineFunction, levels: [Bool], kept: Int64, debounce: Duration = .zero, at now: MonotonicTime
    ) {
        self.levels = levels
        changedAt = now
        let first = levels.first ?? false
        state =
            switch function {
            case .level(let point, let active, let inactive):
                .level(point: point, words: (active, inactive), isActive: first)
            case .button(let settings): .button(ButtonDecoder(settings))
            case .counter(let settings): .counter(PulseCounter(settings, pulses: kept))
            case .frequency(let settings, let scale): .frequency(FrequencyMeter(settings, from: now), scale: scale)
            case .encoder(let settings):
                .encoder(RotaryEncoder(settings, position: kept, a: first, b: levels.last ?? false))
            }
        if case .button(var button) = state {
            // Who holds it pressed while the gateway starts has not clicked.
            button.resync(isActive: first)
            state = .button(button)
        }
        if debounce > .zero { debouncers = levels.map { Debouncer(debounce, isActive: $0) } }
    }

    /// The pulses or the position, to be kept over restarts; nil where nothing is.
    package var kept: Int64? {
        switch state {
        case .counter(let counter): counter.pulses
        case .encoder(let encoder): encoder.position
        case .level, .button, .frequency: nil
        }
    }

    /// When `tick` is to be called.
    package func wakeAt(_ now: MonotonicTime) -> MonotonicTime? {
        var times = debouncers.compactMap(\.wakeAt)
        if let tellAt { times.append(tellAt) }
        switch state {
        case .level, .encoder: break
        case .button(let button): if let wakeAt = button.wakeAt { times.append(wakeAt) }
        case .counter(let counter): if let changes = counter.rateChanges(after: now) { times.append(changes) }
        case .frequency(let meter, _): times.append(meter.wakeAt)
        }
        return times.min()
    }

    /// How all of it stands now: for the beginning, and to be told again where nothing changes.
    package func current(at now: MonotonicTime) -> [LineReading] {
        switch state {
        case .level(let point, let words, let isActive):
            return [LineReading(point, .text(isActive ? words.active : words.inactive), at: now)]
        case .button, .frequency: return []
        case .counter(let counter):
            let total = LineReading("total", .number(counter.total), at: now)
            let rate = counter.rate(at: now).map { LineReading("rate", .number($0), at: now) }
            return [total] + (rate.map { [$0] } ?? [])
        case .encoder(let encoder): return [LineReading("position", .integer(encoder.position), at: now)]
        }
    }

    /// Takes an edge; edges come in the order of their times.
    package mutating func received(_ edge: LineEdge) -> [LineReading] {
        guard levels.indices.contains(edge.line) else { return [] }
        guard !debouncers.isEmpty else { return passed(edge) }
        let settled = debouncers[edge.line].received(isActive: edge.isActive, at: edge.time)
        return settled.map { passed(LineEdge(line: edge.line, isActive: $0.isActive, time: $0.since)) } ?? []
    }

    /// An edge that is none of a bounce.
    private mutating func passed(_ edge: LineEdge) -> [LineReading] {
        levels[edge.line] = edge.isActive
        switch state {
        case .level(let point, let words, let wasActive):
            guard edge.isActive != wasActive else { return [] }
            state = .level(point: point, words: words, isActive: edge.isActive)
            return [LineReading(point, .text(edge.isActive ? words.active : words.inactive), at: edge.time)]
        case .button(var button):
            let events = button.received(isActive: edge.isActive, at: edge.time)
            state = .button(button)
            return events.map(Self.reading)
        case .counter(var counter):
            let counts = counter.received(isActive: edge.isActive, at: edge.time)
            state = .counter(counter)
            if counts { changed(at: counter.lastPulseAt ?? edge.time) }
        case .frequency(var meter, let scale):
            if edge.isActive { meter.pulse(at: edge.time) }
            state = .frequency(meter, scale: scale)
        case .encoder(var encoder):
            let moves = encoder.received(line: edge.line, isActive: edge.isActive)
            state = .encoder(encoder)
            if moves { changed(at: edge.time) }
        }
        return []
    }

    private mutating func changed(at time: MonotonicTime) {
        changedAt = time
        if tellAt == nil { tellAt = max(time, toldAt.map { $0 + Self.pace } ?? time) }
    }

    /// What has become due; to be called after the edges that were read, and when `wakeAt` says so.
    package mutating func tick(at now: MonotonicTime) -> [LineReading] {
        var readings: [LineReading] = []
        for line in debouncers.indices {
            guard let settled = debouncers[line].tick(at: now) else { continue }
            readings += passed(LineEdge(line: line, isActive: settled.isActive, time: settled.since))
        }
        switch state {
        case .level: break
        case .button(var button):
            readings += button.tick(at: now).map(Self.reading)
            state = .button(button)
        case .frequency(var meter, let scale):
            if let measured = meter.tick(at: now) {
                let value = Value.number((measured.frequency * scale * 10_000).rounded() / 10_000)
                readings.append(LineReading("frequency", value, at: measured.at))
            }
            state = .frequency(meter, scale: scale)
        case .counter(let counter):
            if tellsChange(now) {
                readings.append(LineReading("total", .number(counter.total), at: changedAt))
                if let rate = counter.rate(at: now) {
                    readings.append(LineReading("rate", .number(rate), at: changedAt))
                }
            } else if tellAt == nil, let rate = counter.rate(at: now) {
                // It falls while no pulse comes; Mapping holds back what is the same.
                readings.append(LineReading("rate", .number(rate), at: now))
            }
        case .encoder(let encoder):
            if tellsChange(now) { readings.append(LineReading("position", .integer(encoder.position), at: changedAt)) }
        }
        return readings
    }

    private mutating func tellsChange(_ now: MonotonicTime) -> Bool {
        guard let due = tellAt, due <= now else { return false }
        (tellAt, toldAt) = (nil, now)
        return true
    }

    /// Edges were lost; from here on it goes on with these levels.
    ///
    /// Nothing is made up of what was not seen.
    package mutating func resync(levels new: [Bool], at now: MonotonicTime) -> [LineReading] {
        guard new.count == levels.count else { return [] }
        for line in debouncers.indices where new[line] != levels[line] {
            _ = debouncers[line].received(isActive: new[line], at: now)
        }
        let first = new.first ?? false
        switch state {
        case .level(let point, let words, let wasActive):
            guard debouncers.isEmpty, first != wasActive else { return [] }
            levels = new
            state = .level(point: point, words: words, isActive: first)
            return [LineReading(point, .text(first ? words.active : words.inactive), at: now)]
        case .button(var button):
            button.resync(isActive: first)
            state = .button(button)
        case .counter(var counter):
            counter.resync()
            state = .counter(counter)
        case .frequency(var meter, let scale):
            meter.resync()
            state = .frequency(meter, scale: scale)
        case .encoder(var encoder):
            encoder.resync(a: first, b: new.last ?? false)
            state = .encoder(encoder)
        }
        levels = new
        return []
    }

    private static func reading(_ told: (event: ButtonDecoder.Event, at: MonotonicTime)) -> LineReading {
        LineReading("event", .text(told.event.rawValue), at: told.at)
    }
}
