package import Bytes

/// Makes clicks, double clicks and long presses of a push-button's edges.
package struct ButtonDecoder: Equatable, Sendable {
    package enum Event: String, CaseIterable, Sendable {
        case click
        case double
        case long
    }

    package struct Settings: Equatable, Sendable {
        /// How soon a second press must follow for both to be a double click; zero for buttons without, whose clicks are told
        /// at once.
        package var double: Duration = .milliseconds(400)
        /// How long a press is long.
        package var long: Duration = .milliseconds(800)

        package init() {}
    }

    private enum State: Equatable {
        case idle
        case pressed(since: MonotonicTime, isSecond: Bool)
        /// It was released after a short press: a click, if no other press follows.
        case released(at: MonotonicTime)
        /// What it was is told; it only has to be released.
        case done
    }

    private let settings: Settings
    private var state = State.idle

    package init(_ settings: Settings) {
        self.settings = settings
    }

    /// When `tick` is to be called.
    package var wakeAt: MonotonicTime? {
        switch state {
        case .idle, .done: nil
        case .pressed(let since, _): since + settings.long
        case .released(let at): at + settings.double
        }
    }

    /// Takes an edge; returns what it completes, with the time at which that became certain or began.
    package mutating func received(isActive: Bool, at now: MonotonicTime) -> [(event: Event, at: MonotonicTime)] {
        let before = tick(at: now)
        switch (state, isActive) {
        case (.idle, true): state = .pressed(since: now, isSecond: false)
        case (.released, true): state = .pressed(since: now, isSecond: true)
        case (.pressed(let since, let isSecond), false):
            guard !isSecond, settings.double > .zero else {
                state = .idle
                return before + [(isSecond ? .double : .click, since)]
            }
            state = .released(at: now)
        case (.done, false): state = .idle
        // A level that is known already: edges were lost.
        case (.pressed, true), (.done, true), (.idle, false), (.released, false): break
        }
        return before
    }

    /// What has become certain by now.
    package mutating func tick(at now: MonotonicTime) -> [(event: Event, at: MonotonicTime)] {
        guard let wakeAt, now >= wakeAt else { return [] }
        switch state {
        case .pressed(let since, let isSecond):
            state = .done
            // The first of two presses was a click, if the second turned out to be a long one.
            return (isSecond ? [(.click, since)] : []) + [(.long, wakeAt)]
        case .released(let at):
            state = .idle
            return [(.click, at)]
        case .idle, .done: return []
        }
    }

    /// The level is another than the edges say: some were lost.
    ///
    /// Nothing is made of a press that was not seen whole.
    package mutating func resync(isActive: Bool) {
        state = isActive ? .done : .idle
    }
}
