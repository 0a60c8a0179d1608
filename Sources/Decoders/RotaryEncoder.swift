/// Which way, and how far, a knob was turned, from its two lines: one is ahead of the other.
package struct RotaryEncoder: Equatable, Sendable {
    package struct Settings: Equatable, Sendable {
        /// Changes of the lines for one step; most knobs have four for each detent.
        package var changesPerStep = 4
        package var minimum: Int64?
        package var maximum: Int64?

        package init() {}
    }

    package let settings: Settings
    package private(set) var position: Int64
    /// Changes that can't be: one between was lost, or both lines bounced.
    package private(set) var lost = 0
    private var changes = 0
    private var a: Bool
    private var b: Bool

    package init(_ settings: Settings, position: Int64 = 0, a: Bool, b: Bool) {
        self.settings = settings
        self.position = position
        (self.a, self.b) = (a, b)
    }

    /// A line has changed; true if the position did.
    package mutating func received(a newA: Bool, b newB: Bool) -> Bool {
        let before = Self.place(a, b)
        let turned = (Self.place(newA, newB) - before + 4) % 4
        (a, b) = (newA, newB)
        switch turned {
        case 1: changes += 1
        case 3: changes -= 1
        case 2: lost += 1
        default: return false
        }
        guard abs(changes) >= settings.changesPerStep else { return false }
        let old = position
        position += changes > 0 ? 1 : -1
        changes = 0
        if let minimum = settings.minimum { position = max(position, minimum) }
        if let maximum = settings.maximum { position = min(position, maximum) }
        return position != old
    }

    /// Changes of one line, with the other as it was.
    package mutating func received(line: Int, isActive: Bool) -> Bool {
        line == 0 ? received(a: isActive, b: b) : received(a: a, b: isActive)
    }

    /// Edges were lost; from here on it goes on with these levels.
    package mutating func resync(a: Bool, b: Bool) {
        if a != self.a || b != self.b { lost += 1 }
        (self.a, self.b, changes) = (a, b, 0)
    }

    /// In the order in which the four states follow one another, clockwise.
    private static func place(_ a: Bool, _ b: Bool) -> Int {
        switch (a, b) {
        case (false, false): 0
        case (true, false): 1
        case (true, true): 2
        case (false, true): 3
        }
    }
}
