import Bytes
import MQTTCodec

/// Topic levels as index-linked nodes: one flat table from (parent, level bytes) to node, no strings, no objects.
///
/// Each node carries one number, `value`, whose meaning is the owner's (the head of a subscription list, a
/// retained message); -1 means none. Nodes without a value and children are taken out again.
struct TopicTree: ~Copyable {
    static let none: Int32 = -1
    static let root: Int32 = 0

    /// What a match reads, kept small: with thousands of filters it waits for memory more than for anything else.
    struct Node {
        /// A child that is no wildcard; the last one added.
        var firstChild = TopicTree.none
        /// The child `+`, which every match asks for.
        var singleLevel = TopicTree.none
        /// The value of the child `#`, which has no children.
        var multiLevelValue = TopicTree.none
        var value = TopicTree.none
        /// The first eight bytes of the name; that is all of most names.
        var nameWord: UInt64
        var parent: Int32
        var nameLength: UInt16
        /// Whether there are more such children than the first.
        var hasManyChildren = false
    }

    /// What a match reads seldom or never.
    private struct Links {
        var nextSibling = TopicTree.none
        var previousSibling = TopicTree.none
        /// The child `#`.
        var multiLevel = TopicTree.none
        /// Of parent and name.
        var hash: UInt32
        var nameStart: Int32
    }

    /// A place of the table: most lookups that find nothing end here, without a look at any node.
    private struct Slot {
        var hash: UInt32 = 0
        var node = TopicTree.none
    }

    private(set) var nodes: [Node]
    private var links: [Links]
    private var free: [Int32] = []
    /// Open addressing, at most half full: children that are no wildcards, by the hash of parent and name.
    private var slots: [Slot]
    private var usedSlots = 0
    private var names: [UInt8] = []
    private var unusedNameBytes = 0
    /// Keeps a client from choosing topics that all fall into one place.
    let seed: UInt64
    private(set) var count = 0

    init(seed: UInt64) {
        self.seed = seed
        nodes = [Node(nameWord: 0, parent: Self.none, nameLength: 0)]
        links = [Links(hash: 0, nameStart: 0)]
        slots = Array(repeating: Slot(), count: 64)
    }

    /// The child of `parent` that has the name of `level`, which stands in `bytes`, or `none`; no wildcard.
    func child(of parent: Int32, _ level: TopicLevel, in bytes: Span<UInt8>) -> Int32 {
        let first = nodes[Int(parent)].firstChild
        guard first != Self.none else { return Self.none }
        if !nodes[Int(parent)].hasManyChildren {
            return name(of: first, is: level, in: bytes) ? first : Self.none
        }
        let hash = Self.hash(parent, level)
        var place = Int(hash) & (slots.count - 1)
        while slots[place].node != Self.none {
            let node = slots[place].node
            if slots[place].hash == hash, nodes[Int(node)].parent == parent, name(of: node, is: level, in: bytes) {
                return node
            }
            place = (place + 1) & (slots.count - 1)
        }
        return Self.none
    }

    /// The next child of the same parent, but for `+` and `#`, or `none`.
    func sibling(after node: Int32) -> Int32 { links[Int(node)].nextSibling }

    /// The node of the whole topic or filter, or `none`.
    func find(_ topic: Span<UInt8>) -> Int32 {
        var node = Self.root
        var levels = TopicLevels(topic, seed: seed)
        while let level = levels.next(topic) {
            node = childOrWildcard(of: node, level, in: topic)
            guard node != Self.none else { return Self.none }
        }
        return node
    }

    /// The node of the whole topic or filter, made where it is missing.
    mutating func insert(_ topic: Span<UInt8>) -> Int32 {
        var node = Self.root
        var levels = TopicLevels(topic, seed: seed)
        while let level = levels.next(topic) {
            let existing = childOrWildcard(of: node, level, in: topic)
            node = existing == Self.none ? add(to: node, level, in: topic) : existing
        }
        return node
    }

    private func childOrWildcard(of parent: Int32, _ level: TopicLevel, in bytes: Span<UInt8>) -> Int32 {
        if level.is(Topic.singleLevel) { return nodes[Int(parent)].singleLevel }
        if level.is(Topic.multiLevel) { return links[Int(parent)].multiLevel }
        return child(of: parent, level, in: bytes)
    }

    mutating func setValue(_ value: Int32, of node: Int32) {
        if nodes[Int(node)].value == Self.none, value != Self.none { count += 1 }
        if nodes[Int(node)].value != Self.none, value == Self.none { count -= 1 }
        nodes[Int(node)].value = value
        let parent = nodes[Int(node)].parent
        if parent != Self.none, links[Int(parent)].multiLevel == node { nodes[Int(parent)].multiLevelValue = value }
    }

    /// Takes `node` out, and its parents, as far as nothing needs them.
    mutating func prune(_ node: Int32) {
        var index = node
        while index != Self.root, index != Self.none {
            let entry = nodes[Int(index)]
            guard entry.value == Self.none, entry.firstChild == Self.none, entry.singleLevel == Self.none,
                links[Int(index)].multiLevel == Self.none
            else { return }
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
            let start = Int(links[Int(index)].nameStart)
            output.append(contentsOf: names[start..<(start + Int(nodes[Int(index)].nameLength))])
        }
    }

    /// Whether the node's name begins with `$`: wildcards at the front do not match it. [MQTT-4.7.2-1]
    func isReserved(_ node: Int32) -> Bool {
        let entry = nodes[Int(node)]
        return entry.nameLength > 0 && entry.nameWord & 0xFF == UInt64(UInt8(ascii: "$"))
    }

    // MARK: nodes

    private mutating func add(to parent: Int32, _ level: TopicLevel, in bytes: Span<UInt8>) -> Int32 {
        if usedSlots * 2 >= slots.count { rehash() }
        let node = Node(nameWord: level.word, parent: parent, nameLength: level.length)
        let link = Links(hash: Self.hash(parent, level), nameStart: Int32(clamping: names.count))
        names.append(copying: bytes.extracting(level.range))
        let index: Int32
        if let reused = free.popLast() {
            nodes[Int(reused)] = node
            links[Int(reused)] = link
            index = reused
        } else {
            index = Int32(clamping: nodes.count)
            nodes.append(node)
            links.append(link)
        }
        self.link(index, to: parent)
        return index
    }

    private mutating func link(_ index: Int32, to parent: Int32) {
        if isNamed(index, Topic.singleLevel) {
            nodes[Int(parent)].singleLevel = index
        } else if isNamed(index, Topic.multiLevel) {
            links[Int(parent)].multiLevel = index
        } else {
            let next = nodes[Int(parent)].firstChild
            links[Int(index)].nextSibling = next
            if next != Self.none { links[Int(next)].previousSibling = index }
            nodes[Int(parent)].firstChild = index
            nodes[Int(parent)].hasManyChildren = next != Self.none
            takeSlot(for: index)
        }
    }

    private mutating func remove(_ index: Int32) {
        let node = nodes[Int(index)]
        if isNamed(index, Topic.singleLevel) {
            nodes[Int(node.parent)].singleLevel = Self.none
        } else if isNamed(index, Topic.multiLevel) {
            links[Int(node.parent)].multiLevel = Self.none
        } else {
            unlinkFromSiblings(index)
            freeSlot(of: index)
        }
        unusedNameBytes += Int(node.nameLength)
        nodes[Int(index)].nameLength = 0
        free.append(index)
        if unusedNameBytes > 65_536, unusedNameBytes > names.count / 2 { compactNames() }
    }

    private mutating func unlinkFromSiblings(_ index: Int32) {
        let link = links[Int(index)]
        let parent = Int(nodes[Int(index)].parent)
        if link.previousSibling == Self.none {
            nodes[parent].firstChild = link.nextSibling
        } else {
            links[Int(link.previousSibling)].nextSibling = link.nextSibling
        }
        if link.nextSibling != Self.none { links[Int(link.nextSibling)].previousSibling = link.previousSibling }
        let first = nodes[parent].firstChild
        nodes[parent].hasManyChildren = first != Self.none && links[Int(first)].nextSibling != Self.none
    }

    private func isNamed(_ index: Int32, _ name: UInt8) -> Bool {
        nodes[Int(index)].nameLength == 1 && nodes[Int(index)].nameWord == UInt64(name)
    }

    private mutating func takeSlot(for index: Int32) {
        let hash = links[Int(index)].hash
        var place = Int(hash) & (slots.count - 1)
        while slots[place].node != Self.none { place = (place + 1) & (slots.count - 1) }
        slots[place] = Slot(hash: hash, node: index)
        usedSlots += 1
    }

    /// Frees a slot, and moves up what stands behind it and could stand there: a walk ends at the first free slot.
    private mutating func freeSlot(of index: Int32) {
        let mask = slots.count - 1
        var hole = Int(links[Int(index)].hash) & mask
        while slots[hole].node != index {
            guard slots[hole].node != Self.none else { return }
            hole = (hole + 1) & mask
        }
        var place = hole
        while true {
            place = (place + 1) & mask
            guard slots[place].node != Self.none else { break }
            let home = Int(slots[place].hash) & mask
            // Not before its home: it stays unless the way from there leads over the hole.
            if (place - home) & mask >= (place - hole) & mask {
                slots[hole] = slots[place]
                hole = place
            }
        }
        slots[hole] = Slot()
        usedSlots -= 1
    }

    private mutating func rehash() {
        let old = slots
        slots = Array(repeating: Slot(), count: old.count * 2)
        usedSlots = 0
        for slot in old where slot.node != Self.none { takeSlot(for: slot.node) }
    }

    private mutating func compactNames() {
        var packed: [UInt8] = []
        packed.reserveCapacity(names.count - unusedNameBytes)
        for index in nodes.indices.dropFirst() {
            let start = Int(links[index].nameStart)
            let length = Int(nodes[index].nameLength)
            links[index].nameStart = Int32(clamping: packed.count)
            if length > 0 { packed.append(contentsOf: names[start..<(start + length)]) }
        }
        names = packed
        unusedNameBytes = 0
    }

    private func name(of index: Int32, is level: TopicLevel, in bytes: Span<UInt8>) -> Bool {
        let node = nodes[Int(index)]
        guard node.nameWord == level.word, node.nameLength == level.length else { return false }
        guard level.length > 8 else { return true }
        let start = Int(links[Int(index)].nameStart)
        return names.span.extracting(start..<(start + Int(node.nameLength)))
            .hasSameBytes(as: bytes.extracting(level.range))
    }

    private static func hash(_ parent: Int32, _ level: TopicLevel) -> UInt32 {
        let hash = ByteHash.mix(level.hash ^ UInt64(UInt32(bitPattern: parent)))
        return UInt32(truncatingIfNeeded: hash)
    }
}
