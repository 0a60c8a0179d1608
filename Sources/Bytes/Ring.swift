/// A queue that grows by doubling and never moves its elements to drop the first.
///
/// `Array.removeFirst` on a deep queue was measured at 42 % of a broker's instructions (`docs/performance.md`).
/// Public, because only then is it specialised in the targets that use it (`@inlinable` alone does nothing for
/// `package`): unspecialised it cost the broker most of its instructions at QoS 1.
public struct Ring<Element> {
    @usableFromInline
    var slots: [Element?] = []
    @usableFromInline
    var head = 0
    @usableFromInline
    var elementCount = 0

    @inlinable
    public init() {}

    @inlinable
    public var count: Int { elementCount }

    @inlinable
    public var isEmpty: Bool { elementCount == 0 }

    @inlinable
    public var first: Element? { elementCount == 0 ? nil : slots[head] }

    /// The element at `position`, counted from the front.
    public subscript(position: Int) -> Element {
        @inlinable
        @inline(__always)
        get {
            guard position >= 0, position < elementCount, let element = slots[slot(position)] else {
                preconditionFailure("ring position \(position) of \(elementCount)")
            }
            return element
        }
        @inlinable
        @inline(__always)
        set {
            precondition(position >= 0 && position < elementCount, "ring position out of range")
            slots[slot(position)] = newValue
        }
    }

    @inlinable
    public mutating func append(_ element: Element) {
        if elementCount == slots.count { grow() }
        slots[slot(elementCount)] = element
        elementCount += 1
    }

    @inlinable
    public mutating func popFirst() -> Element? {
        guard elementCount > 0 else { return nil }
        let element = slots[head]
        slots[head] = nil
        head = (head + 1) & (slots.count - 1)
        elementCount -= 1
        if elementCount == 0, slots.count > 1024 { self = Ring() }
        return element
    }

    @inlinable
    @inline(__always)
    func slot(_ position: Int) -> Int {
        (head + position) & (slots.count - 1)
    }

    @inlinable
    mutating func grow() {
        var larger: [Element?] = []
        larger.reserveCapacity(max(8, slots.count * 2))
        for position in 0..<elementCount { larger.append(slots[slot(position)]) }
        larger.append(contentsOf: repeatElement(nil, count: max(8, slots.count * 2) - elementCount))
        slots = larger
        head = 0
    }
}

extension Ring: Sendable where Element: Sendable {}
