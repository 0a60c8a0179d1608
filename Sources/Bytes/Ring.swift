/// A queue that grows by doubling and never moves its elements to drop the first.
///
/// `Array.removeFirst` on a deep queue was measured at 42 % of a broker's instructions (`docs/performance.md`).
package struct Ring<Element> {
    private var slots: [Element?] = []
    private var head = 0
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { count == 0 }

    package var first: Element? { count == 0 ? nil : slots[head] }

    /// The element at `position`, counted from the front.
    package subscript(position: Int) -> Element {
        get {
            guard position >= 0, position < count, let element = slots[slot(position)] else {
                preconditionFailure("ring position \(position) of \(count)")
            }
            return element
        }
        set {
            precondition(position >= 0 && position < count, "ring position out of range")
            slots[slot(position)] = newValue
        }
    }

    package mutating func append(_ element: Element) {
        if count == slots.count { grow() }
        slots[slot(count)] = element
        count += 1
    }

    package mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = slots[head]
        slots[head] = nil
        head = (head + 1) & (slots.count - 1)
        count -= 1
        if count == 0, slots.count > 1024 { self = Ring() }
        return element
    }

    private func slot(_ position: Int) -> Int {
        (head + position) & (slots.count - 1)
    }

    private mutating func grow() {
        var larger: [Element?] = []
        larger.reserveCapacity(max(8, slots.count * 2))
        for position in 0..<count { larger.append(slots[slot(position)]) }
        larger.append(contentsOf: repeatElement(nil, count: max(8, slots.count * 2) - count))
        slots = larger
        head = 0
    }
}

extension Ring: Sendable where Element: Sendable {}
