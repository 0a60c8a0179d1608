import Bytes
import MQTTCodec

/// Topic levels as index-linked nodes: one flat table from (parent, level bytes) to node, no strings, no objects.
///
/// Each node carries one number, `value`, whose meaning is the owner's (the head of a subscription list, a
/// retained message); -1 means none. Nodes without a value and children are taken out again.
struct TopicTree: ~Copyable {
    static let none: Int32 = -1
    static let root: Int32 = 0

    struct Node {
        var parent: Int32
        var firstChild = TopicTree.none
        var nextSibling = TopicTree.none
        var previousSibling = TopicTree.none
        /// The children `+` and `#`, which every match asks for.
        var singleLevel = TopicTree.none
        var multiLevel = TopicTree.none
        var value = TopicTree.none
        var hash: UInt64
        var nextInBucket = TopicTree.none
        var nameStart: Int32
        var nameLength: Int32
    }

    private(set) var nodes: [Node]
    private var free: [Int32] = []
    private var buckets: [Int32]
    private var names: [UInt8] = []
    private var unusedNameBytes = 0
    /// Keeps a client from choosing topics that all fall into one bucket.
    private let seed: UInt64
    private(set) var count = 0

    init(seed: UInt64) {
        self.seed = seed
        nodes = [Node(parent: Self.none, hash: 0, nameStart: 0, nameLength: 0)]
        buckets = Array(repeating: Self.none, count: 64)
    }

    /// The child of `parent` with the name that stands in `bytes` at `range`, or `none`.
    func child(of parent: Int32, _ bytes: Span<UInt8>, _ range: Range<Int>) -> Int32 {
        let hash = self.hash(parent, bytes, range)
        var index = buckets[Int(truncatingIfNeeded: hash) & (buckets.count - 1)]
        while index != Self.none {
            if nodes[Int(index)].hash == hash, nodes[Int(index)].parent == parent, name(of: index, is: bytes, range) {
                return index
            }
            index = nodes[Int(index)].nextInBucket
        }
        return Self.none
    }

    /// The node of the whole topic or filter, or `none`.
    func find(_ topic: Span<UInt8>) -> Int32 {
        var node = Self.root
        var levels = TopicLevels(topic)
        while let level = levels.next(topic) {
            node = child(of: node, topic, level)
            guard node != Self.none else { return Self.none }
        }
        return node
    }

    /// The node of the whole topic or filter, made where it is missing.
    mutating func insert(_ topic: Span<UInt8>) -> Int32 {
        var node = Self.root
        var levels = TopicLevels(topic)
        while let level = levels.next(topic) {
            let existing = child(of: node, topic, level)
            node = existing == Self.none ? add(to: node, topic, level) : existing
        }
        return node
    }

    mutating func setValue(_ value: Int32, of node: Int32) {
        if nodes[Int(node)].value == Self.none, value != Self.none { count += 1 }
        if nodes[Int(node)].value != Self.none, value == Self.none { count -= 1 }
        nodes[Int(node)].value = value
    }

    /// Takes `node` out, and its parents, as far as nothing needs them.
    mutating func prune(_ node: Int32) {
        var index = node
        while index != Self.root, index != Self.none {
            let entry = nodes[Int(index)]
            guard entry.value == Self.none, entry.firstChild == Self.none else { return }
            remove(index)
            index = entry.parent
        }
    }

    /// Appends the topic that leads to `node`.
    func appendTopic(of node: Int32, to output: inout [UInt8]) {
        var path: [Int32] = []
        var index = node
        while index != Self.root, index != Self.none {
            path.append(index)
            index = nodes[Int(index)].parent
        }
        for (position, index) in path.reversed().enumerated() {
            if position > 0 { output.append(Topic.separator) }
            let start = Int(nodes[Int(index)].nameStart)
            output.append(contentsOf: names[start..<(start + Int(nodes[Int(index)].nameLength))])
        }
    }

    /// Whether the node's name begins with `$`: wildcards at the front do not match it. [MQTT-4.7.2-1]
    func isReserved(_ node: Int32) -> Bool {
        let entry = nodes[Int(node)]
        return entry.nameLength > 0 && names[Int(entry.nameStart)] == UInt8(ascii: "$")
    }

    // MARK: nodes

    private mutating func add(to parent: Int32, _ bytes: Span<UInt8>, _ range: Range<Int>) -> Int32 {
        if nodes.count - free.count > buckets.count { rehash() }
        let hash = self.hash(parent, bytes, range)
        let node = Node(
            parent: parent, nextSibling: nodes[Int(parent)].firstChild, hash: hash,
            nameStart: Int32(clamping: names.count), nameLength: Int32(clamping: range.count))
        names.append(copying: bytes.extracting(range))
        let index: Int32
        if let reused = free.popLast() {
            nodes[Int(reused)] = node
            index = reused
        } else {
            index = Int32(clamping: nodes.count)
            nodes.append(node)
        }
        linkToBucket(index)
        if node.nextSibling != Self.none { nodes[Int(node.nextSibling)].previousSibling = index }
        nodes[Int(parent)].firstChild = index
        if range.count == 1 { noteWildcard(bytes[range.lowerBound], index, in: parent) }
        return index
    }

    private mutating func noteWildcard(_ name: UInt8, _ index: Int32, in parent: Int32) {
        if name == Topic.singleLevel { nodes[Int(parent)].singleLevel = index }
        if name == Topic.multiLevel { nodes[Int(parent)].multiLevel = index }
    }

    private mutating func remove(_ index: Int32) {
        let node = nodes[Int(index)]
        unlinkFromBucket(index)
        if node.previousSibling == Self.none {
            nodes[Int(node.parent)].firstChild = node.nextSibling
        } else {
            nodes[Int(node.previousSibling)].nextSibling = node.nextSibling
        }
        if node.nextSibling != Self.none { nodes[Int(node.nextSibling)].previousSibling = node.previousSibling }
        if nodes[Int(node.parent)].singleLevel == index { nodes[Int(node.parent)].singleLevel = Self.none }
        if nodes[Int(node.parent)].multiLevel == index { nodes[Int(node.parent)].multiLevel = Self.none }
        unusedNameBytes += Int(node.nameLength)
        nodes[Int(index)].nameLength = 0
        free.append(index)
        if unusedNameBytes > 65_536, unusedNameBytes > names.count / 2 { compactNames() }
    }

    private mutating func linkToBucket(_ index: Int32) {
        let bucket = Int(truncatingIfNeeded: nodes[Int(index)].hash) & (buckets.count - 1)
        nodes[Int(index)].nextInBucket = buckets[bucket]
        buckets[bucket] = index
    }

    private mutating func unlinkFromBucket(_ index: Int32) {
        let bucket = Int(truncatingIfNeeded: nodes[Int(index)].hash) & (buckets.count - 1)
        let next = nodes[Int(index)].nextInBucket
        guard buckets[bucket] != index else {
            buckets[bucket] = next
            return
        }
        var before = buckets[bucket]
        while before != Self.none {
            if nodes[Int(before)].nextInBucket == index {
                nodes[Int(before)].nextInBucket = next
                return
            }
            before = nodes[Int(before)].nextInBucket
        }
    }

    private mutating func rehash() {
        let unused = Set(free)
        buckets = Array(repeating: Self.none, count: buckets.count * 2)
        for index in nodes.indices.dropFirst() where !unused.contains(Int32(clamping: index)) {
            linkToBucket(Int32(clamping: index))
        }
    }

    private mutating func compactNames() {
        var packed: [UInt8] = []
        packed.reserveCapacity(names.count - unusedNameBytes)
        for index in nodes.indices.dropFirst() {
            let start = Int(nodes[index].nameStart)
            let length = Int(nodes[index].nameLength)
            nodes[index].nameStart = Int32(clamping: packed.count)
            if length > 0 { packed.append(contentsOf: names[start..<(start + length)]) }
        }
        names = packed
        unusedNameBytes = 0
    }

    private func name(of index: Int32, is bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        let node = nodes[Int(index)]
        guard Int(node.nameLength) == range.count else { return false }
        let start = Int(node.nameStart)
        for position in 0..<range.count where names[start + position] != bytes[range.lowerBound + position] {
            return false
        }
        return true
    }

    private func hash(_ parent: Int32, _ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64 {
        TopicHash.hash(bytes, range, seed: seed ^ (UInt64(UInt32(bitPattern: parent)) &* 0x9E37_79B9_7F4A_7C15))
    }
}

/// Walks over the levels of a topic: the ranges between the separators, empty ones too.
struct TopicLevels {
    private var position = 0
    private let end: Int

    init(_ topic: Span<UInt8>) {
        end = topic.count
    }

    /// The next level of the same topic that the walk began with.
    mutating func next(_ topic: Span<UInt8>) -> Range<Int>? {
        guard position <= end else { return nil }
        var index = position
        while index < end, topic[index] != Topic.separator { index += 1 }
        defer { position = index + 1 }
        return position..<index
    }

    static func count(_ topic: Span<UInt8>) -> Int {
        var count = 1
        for index in topic.indices where topic[index] == Topic.separator { count += 1 }
        return count
    }
}

/// A seeded hash of topic bytes: multiply and fold, a byte at a time for the short texts that levels are.
enum TopicHash {
    static func hash(_ bytes: Span<UInt8>, _ range: Range<Int>, seed: UInt64) -> UInt64 {
        var value = seed ^ 0xCBF2_9CE4_8422_2325
        for index in range {
            value = (value ^ UInt64(bytes[index])) &* 0x0000_0100_0000_01B3
        }
        value ^= value >> 32
        value = value &* 0xD6E8_FEB8_6659_FD93
        return value ^ (value >> 29)
    }
}
