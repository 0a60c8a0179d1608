/// Which of a run of places are still to be sent; a bit each.
struct RemainingPlaces: Equatable, Sendable {
    private static let wordBits = 64
    /// No file has so many messages; a place beyond is not ours.
    static let most: UInt64 = 1 << 24

    let first: UInt64
    private var words: [UInt64] = []
    private(set) var count = 0

    init(first: UInt64) {
        self.first = first
    }

    func contains(_ place: UInt64) -> Bool {
        guard let (word, bit) = position(place), word < words.count else { return false }
        return words[word] & bit != 0
    }

    /// A place that is not there yet.
    mutating func insert(_ place: UInt64) {
        guard let (word, bit) = position(place) else { return }
        while word >= words.count { words.append(0) }
        guard words[word] & bit == 0 else { return }
        words[word] |= bit
        count += 1
    }

    /// False if it was not there.
    mutating func remove(_ place: UInt64) -> Bool {
        guard let (word, bit) = position(place), word < words.count, words[word] & bit != 0 else { return false }
        words[word] &= ~bit
        count -= 1
        return true
    }

    private func position(_ place: UInt64) -> (word: Int, bit: UInt64)? {
        guard place >= first, place - first < Self.most else { return nil }
        let index = Int(place - first)
        return (index / Self.wordBits, 1 << UInt64(index % Self.wordBits))
    }

    /// The first place from one on.
    func next(from place: UInt64) -> UInt64? {
        guard count > 0 else { return nil }
        let index = place > first ? Int(min(place - first, UInt64(words.count * Self.wordBits))) : 0
        var word = index / Self.wordBits
        guard word < words.count else { return nil }
        var bits = words[word] & (UInt64.max << UInt64(index % Self.wordBits))
        while bits == 0 {
            word += 1
            guard word < words.count else { return nil }
            bits = words[word]
        }
        return first + UInt64(word * Self.wordBits + bits.trailingZeroBitCount)
    }

    /// Rising ranges.
    var ranges: [Range<UInt64>] {
        var ranges: [Range<UInt64>] = []
        var place = next(from: first)
        while let start = place {
            var end = start + 1
            while contains(end) { end += 1 }
            ranges.append(start..<end)
            place = next(from: end)
        }
        return ranges
    }
}
