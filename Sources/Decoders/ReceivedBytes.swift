/// The bytes of a stream that nothing was decided about yet, and when each of them came.
struct ReceivedBytes: Sendable {
    /// A portion that came at once.
    private struct Arrival {
        /// Counted from the first byte of the stream.
        var end: Int
        var at: ContinuousClock.Instant
    }

    private var bytes: [UInt8] = []
    /// How many of `bytes` are dropped already; they are moved out in portions.
    private var head = 0
    /// How many bytes of the stream are gone from `bytes`.
    private var gone = 0
    private var arrivals: [Arrival] = []

    var count: Int { bytes.count - head }
    var isEmpty: Bool { count == 0 }

    /// Counted from the first byte that is still here.
    subscript(index: Int) -> UInt8 { bytes[head + index] }

    /// When the first byte came; nil if there is none.
    var firstCameAt: ContinuousClock.Instant? { arrivals.first?.at }

    mutating func append(_ new: Span<UInt8>, at now: ContinuousClock.Instant) {
        guard !new.isEmpty else { return }
        bytes.reserveCapacity(bytes.count + new.count)
        for index in new.indices { bytes.append(new[index]) }
        arrivals.append(Arrival(end: gone + bytes.count, at: now))
    }

    mutating func drop(_ count: Int) {
        head += min(count, self.count)
        let passed = arrivals.prefix { $0.end <= gone + head }.count
        if passed > 0 { arrivals.removeFirst(passed) }
        guard head == bytes.count || head >= 4_096 else { return }
        gone += head
        bytes.removeFirst(head)
        head = 0
    }

    mutating func removeAll() {
        drop(count)
    }

    /// The bytes of a range, counted from the first that is still here.
    func copy(_ range: Range<Int>) -> [UInt8] {
        Array(bytes[(head + range.lowerBound)..<(head + range.upperBound)])
    }

    /// Whether they begin with these, as far as both go.
    func agrees(with start: [UInt8]) -> Bool {
        bytes[head...].prefix(start.count).elementsEqual(start.prefix(count))
    }

    /// Where the first of these stands at or after an index.
    func firstIndex(of wanted: [UInt8], from start: Int) -> Int? {
        guard let first = wanted.first, count >= wanted.count else { return nil }
        var index = start
        while index <= count - wanted.count {
            if self[index] == first, wanted.indices.allSatisfy({ self[index + $0] == wanted[$0] }) { return index }
            index += 1
        }
        return nil
    }
}
