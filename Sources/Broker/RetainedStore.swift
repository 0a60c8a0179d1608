import Bytes
import MQTTCodec

/// The last retained message of each topic, and which of them a new subscription gets.
struct RetainedStore: ~Copyable {
    private var tree: TopicTree

    init(seed: UInt64) {
        tree = TopicTree(seed: seed)
    }

    var count: Int { tree.count }

    /// Puts `message` in the place of what was retained for the topic, which is returned.
    mutating func replace(_ message: MessageIndex, for topic: Span<UInt8>) -> MessageIndex? {
        let node = tree.insert(topic)
        let old = tree.nodes[Int(node)].value
        tree.setValue(message, of: node)
        return old == TopicTree.none ? nil : old
    }

    /// Takes out what was retained for the topic and returns it.
    mutating func remove(_ topic: Span<UInt8>) -> MessageIndex? {
        let node = tree.find(topic)
        guard node != TopicTree.none else { return nil }
        return take(node)
    }

    /// What is retained for the topic.
    func message(for topic: Span<UInt8>) -> MessageIndex? {
        let node = tree.find(topic)
        guard node != TopicTree.none else { return nil }
        let message = tree.nodes[Int(node)].value
        return message == TopicTree.none ? nil : message
    }

    /// The retained messages that a filter matches. [MQTT-3.8.4-4]
    func messages(matching filter: Span<UInt8>) -> [MessageIndex] {
        var found: [MessageIndex] = []
        var pending: [(node: Int32, levels: TopicLevels)] = [(TopicTree.root, TopicLevels(filter, seed: tree.seed))]
        while let place = pending.popLast() {
            let node = place.node
            var levels = place.levels
            guard let level = levels.next(filter) else {
                appendValue(of: node, to: &found)
                continue
            }
            if level.is(Topic.multiLevel) {
                appendAll(below: node, to: &found)
            } else if level.is(Topic.singleLevel) {
                var child = tree.nodes[Int(node)].firstChild
                while child != TopicTree.none {
                    if mayMatchWildcard(child) { pending.append((child, levels)) }
                    child = tree.sibling(after: child)
                }
            } else {
                let child = tree.child(of: node, level, in: filter)
                if child != TopicTree.none { pending.append((child, levels)) }
            }
        }
        return found
    }

    /// Every place with a message.
    var all: [(node: Int32, message: MessageIndex)] {
        tree.nodes.indices.compactMap { index in
            let message = tree.nodes[index].value
            return message == TopicTree.none ? nil : (Int32(clamping: index), message)
        }
    }

    /// Whether the topic of a place begins with `$`.
    func isReserved(_ node: Int32) -> Bool {
        var place = node
        while tree.nodes[Int(place)].parent != TopicTree.root { place = tree.nodes[Int(place)].parent }
        return tree.isReserved(place)
    }

    /// Takes out what is retained at a place and returns it.
    mutating func take(_ node: Int32) -> MessageIndex? {
        let message = tree.nodes[Int(node)].value
        guard message != TopicTree.none else { return nil }
        tree.setValue(TopicTree.none, of: node)
        tree.prune(node)
        return message
    }

    private func appendValue(of node: Int32, to found: inout [MessageIndex]) {
        let value = tree.nodes[Int(node)].value
        if value != TopicTree.none { found.append(value) }
    }

    private func appendAll(below node: Int32, to found: inout [MessageIndex]) {
        appendValue(of: node, to: &found)  // `sport/#` matches `sport`
        var pending: [Int32] = []
        var child = tree.nodes[Int(node)].firstChild
        while child != TopicTree.none {
            if node != TopicTree.root || mayMatchWildcard(child) { pending.append(child) }
            child = tree.sibling(after: child)
        }
        while let next = pending.popLast() {
            appendValue(of: next, to: &found)
            var child = tree.nodes[Int(next)].firstChild
            while child != TopicTree.none {
                pending.append(child)
                child = tree.sibling(after: child)
            }
        }
    }

    /// Whether a wildcard may stand for the node. [MQTT-4.7.2-1]
    private func mayMatchWildcard(_ node: Int32) -> Bool {
        tree.nodes[Int(node)].parent != TopicTree.root || !tree.isReserved(node)
    }
}
