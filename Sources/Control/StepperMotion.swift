/// A stepper motor that moves something along a way with a contact at its beginning: which step comes next, and where it is.
///
/// Where it is is known only after the contact was found; no step goes beyond the ends. It has no clock: who makes the steps
/// decides how fast.
package struct StepperMotion: Equatable, Sendable {
    package enum Direction: Equatable, Sendable {
        /// Towards the contact.
        case back
        case forth
    }

    package enum Command: Equatable, Sendable {
        case home, stop
        /// In steps from the contact.
        case move(Int64)
    }

    /// The raw value is its word.
    package enum State: String, Sendable {
        case homing, moving, resting
    }

    private enum Goal: Equatable, Sendable {
        case none
        /// Until the contact comes, and for so many steps more at most.
        case home(left: Int64)
        case place(Int64)
    }

    /// In steps from the contact.
    package let range: ClosedRange<Int64>
    private var goal = Goal.none
    /// In steps from the contact; nil if that is not known.
    package private(set) var position: Int64?
    private var isAtHome: Bool
    private var missed = false

    /// `position` is where it rested when that was known last.
    package init(range: ClosedRange<Int64>, position: Int64?, isAtHome: Bool) {
        self.range = range
        self.isAtHome = isAtHome
        self.position = isAtHome ? 0 : position.flatMap { range.contains($0) ? $0 : nil }
    }

    // MARK: what is to be seen

    package var state: State {
        switch goal {
        case .none: .resting
        case .home: .homing
        case .place: .moving
        }
    }

    /// The step that is to be made; nil if none is.
    package var next: Direction? {
        switch goal {
        case .none: nil
        case .home: .back
        case .place(let place): position.flatMap { $0 == place ? nil : place > $0 ? .forth : .back }
        }
    }

    /// Whether the contact did not come; told once.
    package mutating func takeMissed() -> Bool {
        defer { missed = false }
        return missed
    }

    // MARK: what happens

    /// Nil, or why it can't be done.
    package mutating func received(_ command: Command) -> Refusal? {
        switch command {
        case .stop: goal = .none
        case .home:
            guard !isAtHome else {
                arrive()
                return nil
            }
            if case .home = goal { return nil }
            // The whole way, and a tenth for what slipped.
            let span = range.upperBound - min(0, range.lowerBound)
            goal = .home(left: span + span / 10 + 10)
        case .move(let place):
            guard position != nil else {
                return Refusal(.stateUnknown, "it is not known where it is; send HOME first")
            }
            guard range.contains(place) else {
                return Refusal(.notAllowedValue, "that is beyond the ends")
            }
            goal = .place(place)
            if next == nil { goal = .none }
        }
        return nil
    }

    /// A step was made.
    package mutating func stepped(_ direction: Direction) {
        if let position { self.position = position + (direction == .forth ? 1 : -1) }
        switch goal {
        case .none: break
        case .home(let left):
            goal = left > 1 ? .home(left: left - 1) : .none
            guard goal == .none else { return }
            (position, missed) = (nil, true)
        case .place(let place):
            if position == place { goal = .none }
        }
    }

    /// What the contact says now.
    package mutating func home(_ isActive: Bool) {
        guard isActive != isAtHome else { return }
        isAtHome = isActive
        // On its way back it ends there, also where it is met earlier than the count says.
        if isActive, next == .back || goal == .none { arrive() }
    }

    /// Its lines are gone: nobody knows which step was the last.
    package mutating func lose() {
        if goal != .none { position = nil }
        goal = .none
    }

    private mutating func arrive() {
        (position, goal) = (0, .none)
    }
}
