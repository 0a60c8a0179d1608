import Bytes
import MQTTCodec

/// One level of a topic, ready to be looked up.
struct TopicLevel {
    var start: UInt16
    var length: UInt16
    /// The first eight bytes, as far as there are.
    var word: UInt64
    var hash: UInt64

    var range: Range<Int> { Int(start)..<(Int(start) + Int(length)) }

    /// Whether it is this one byte, such as a wildcard.
    func `is`(_ byte: UInt8) -> Bool { length == 1 && word == UInt64(byte) }
}

/// Walks over the levels of a topic: what is between the separators, empty ones too.
struct TopicLevels {
    private var position = 0
    private let end: Int
    private let seed: UInt64

    init(_ topic: Span<UInt8>, seed: UInt64) {
        end = topic.count
        self.seed = seed
    }

    /// The next level of the same topic that the walk began with.
    mutating func next(_ topic: Span<UInt8>) -> TopicLevel? {
        guard position <= end else { return nil }
        let start = position
        let separator = Topic.separator
        var index = position
        while index < end, topic[index] != separator { index += 1 }
        position = index + 1
        return TopicLevel(
            start: UInt16(clamping: start), length: UInt16(clamping: index - start),
            word: topic.word(at: start, before: index), hash: topic.hash(of: start..<index, seed: seed))
    }

    static func count(_ topic: Span<UInt8>) -> Int {
        var count = 1
        for index in topic.indices where topic[index] == Topic.separator { count += 1 }
        return count
    }
}
