/// Something that two relays open and close, like a blind, an awning or a gate: which is on, and how far it is.
///
/// The relays are never on together, a change of direction waits for the motor to stop, and no movement lasts longer than
/// the whole way takes. Time is an argument, so that all of it can be tried without waiting.
package struct CoverMotion: Equatable, Sendable {
    /// One of the two ends, and the direction towards it.
    package enum End: Equatable, Sendable {
        case opened, closed

        var opposite: End { self == .opened ? .closed : .opened }
        /// How far open it is there, from 0 to 1.
        var position: Double { self == .opened ? 1 : 0 }
    }

    package struct Settings: Equatable, Sendable {
        /// How long the whole way takes.
        package var openTime: Duration
        package var closeTime: Duration
        /// How long both relays stay off before the other one is switched on.
        package var pause = Duration.milliseconds(500)
        package var hasOpenedContact = false
        package var hasClosedContact = false

        package init(openTime: Duration, closeTime: Duration) {
            self.openTime = openTime
            self.closeTime = closeTime
        }

        func time(to end: End) -> Duration { end == .opened ? openTime : closeTime }
        func hasContact(at end: End) -> Bool { end == .opened ? hasOpenedContact : hasClosedContact }

        /// How much longer than the whole way it may run to its end: without a contact to be sure that it is there, with one
        /// until that must have come.
        func excess(to end: End) -> Duration { time(to: end) / (hasContact(at: end) ? 5 : 10) }
    }

    package enum Command: Equatable, Sendable {
        case open, close, stop
        /// How far open, from 0 to 1.
        case position(Double)

        /// Whether it goes on until the end is there for sure.
        var isWholeWay: Bool {
            if case .position(let goal) = self { goal <= 0 || goal >= 1 } else { true }
        }
    }

    /// The raw value is its word.
    package enum State: String, Sendable {
        case opening, closing, open, closed
        /// At rest in between, or nobody knows where.
        case stopped
    }

    private enum Phase: Equatable, Sendable {
        case resting
        /// Until the motor has stopped, and then towards this end.
        case pausing(End, Command, until: ContinuousClock.Instant)
        case moving(End, Command, from: Double?, since: ContinuousClock.Instant, until: ContinuousClock.Instant)
    }

    private let settings: Settings
    private var phase = Phase.resting
    /// Where it rests, from 0 (closed) to 1 (open); nil if that is not known.
    private var rests: Double?
    private var contacts: Set<End> = []
    /// When each relay may be on at the earliest.
    private var readyAt: [End: ContinuousClock.Instant]
    private var missed: End?

    /// `position` is where it was when that was known last.
    package init(_ settings: Settings, position: Double?, contacts: Set<End>, at now: ContinuousClock.Instant) {
        self.settings = settings
        self.contacts = contacts
        // What an earlier process left running may have stopped only now.
        readyAt = [.opened: now + settings.pause, .closed: now + settings.pause]
        rests = position.map { min(max($0, 0), 1) }
        if contacts.count == 1, let end = contacts.first { rests = end.position }
        forgetWrongEnd()
    }

    // MARK: what is to be seen

    /// The relay that is to be on.
    package var running: End? {
        if case .moving(let end, _, _, _, _) = phase { end } else { nil }
    }

    package var isResting: Bool { phase == .resting }

    package var state: State {
        switch phase {
        case .moving(.opened, _, _, _, _), .pausing(.opened, _, _): .opening
        case .moving(.closed, _, _, _, _), .pausing(.closed, _, _): .closing
        case .resting: rests == 1 ? .open : rests == 0 ? .closed : .stopped
        }
    }

    /// How far open it is, from 0 to 1; nil if that is not known.
    package func position(at now: ContinuousClock.Instant) -> Double? {
        guard case .moving(let end, _, let from?, let since, _) = phase else {
            if case .moving = phase { return nil }
            return rests
        }
        let way = (now - since) / settings.time(to: end)
        return min(max(from + (end == .opened ? way : -way), 0), 1)
    }

    /// When `tick` is to be called.
    package var wakeAt: ContinuousClock.Instant? {
        switch phase {
        case .resting: nil
        case .pausing(_, _, let until), .moving(_, _, _, _, let until): until
        }
    }

    /// The end whose contact did not come; told once.
    package mutating func takeMissed() -> End? {
        defer { missed = nil }
        return missed
    }

    // MARK: what happens

    private static let unknown = Refusal(
        .stateUnknown, "it is not known how far open it is; send OPEN or CLOSE first")

    /// Nil, or why it can't be done.
    package mutating func received(_ command: Command, at now: ContinuousClock.Instant) -> Refusal? {
        guard let end = end(of: command, at: now) else {
            if case .position = command, position(at: now) == nil { return Self.unknown }
            rest(at: now)
            return nil
        }
        if running == end.opposite {
            rest(at: now)
            // Its contact may say that it is not where the time says.
            if !command.isWholeWay, rests == nil { return Self.unknown }
        }
        if case .moving(end, let current, _, _, _) = phase {
            // Said again it does not go on for longer.
            if current.isWholeWay, command.isWholeWay { return nil }
            rests = position(at: now)
        }
        guard !contacts.contains(end) else {
            rest(at: now)
            rests = end.position
            return nil
        }
        let readyAt = readyAt[end] ?? now
        if running == nil, readyAt > now {
            phase = .pausing(end, command, until: readyAt)
        } else {
            start(end, command, at: now)
        }
        return nil
    }

    /// An end contact has changed.
    package mutating func contact(_ end: End, isActive: Bool, at now: ContinuousClock.Instant) {
        if isActive { contacts.insert(end) } else { contacts.remove(end) }
        if isActive, running == end {
            rest(at: now)
            rests = end.position
        } else if isResting {
            // Somebody moved it by hand.
            if isActive { rests = end.position } else { forgetWrongEnd() }
        }
    }

    package mutating func tick(at now: ContinuousClock.Instant) {
        switch phase {
        case .resting: break
        case .pausing(let end, let command, let until):
            if now >= until { start(end, command, at: now) }
        case .moving(let end, let command, _, _, let until):
            guard now >= until else { return }
            rest(at: now)
            if case .position(let goal) = command, !command.isWholeWay {
                rests = goal
            } else if settings.hasContact(at: end), !contacts.contains(end) {
                rests = nil
                missed = end
            } else {
                rests = end.position
            }
        }
    }

    /// Both relays are off, whatever it was doing.
    package mutating func rest(at now: ContinuousClock.Instant) {
        if let running {
            rests = position(at: now)
            readyAt[running.opposite] = now + settings.pause
        }
        phase = .resting
        forgetWrongEnd()
    }

    /// Its relays are gone: nobody knows when a movement ended.
    package mutating func lose() {
        if !isResting { rests = nil }
        phase = .resting
    }

    // MARK: ways

    /// Towards which end a command goes; nil if nothing is to move.
    private func end(of command: Command, at now: ContinuousClock.Instant) -> End? {
        switch command {
        case .open: return .opened
        case .close: return .closed
        case .stop: return nil
        case .position(let goal) where goal >= 1: return .opened
        case .position(let goal) where goal <= 0: return .closed
        case .position(let goal):
            guard let position = position(at: now), abs(goal - position) >= 0.005 else { return nil }
            return goal > position ? .opened : .closed
        }
    }

    private mutating func start(_ end: End, _ command: Command, at now: ContinuousClock.Instant) {
        let whole = settings.time(to: end)
        let way: Duration
        if case .position(let goal) = command, !command.isWholeWay, let rests {
            way = whole * abs(goal - rests)
        } else {
            way = whole * (rests.map { abs(end.position - $0) } ?? 1) + settings.excess(to: end)
        }
        phase = .moving(end, command, from: rests, since: now, until: now + way)
    }

    /// It can't rest at an end whose contact says that it is not there.
    private mutating func forgetWrongEnd() {
        for end in [End.opened, .closed] where rests == end.position && settings.hasContact(at: end) {
            if !contacts.contains(end) { rests = nil }
        }
    }
}
