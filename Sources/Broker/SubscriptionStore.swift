import Bytes
import MQTTCodec

/// One session that a message goes to, and how.
struct Recipient: Equatable {
    var session: SessionIndex
    var qos: QoS
    var noLocal: Bool
    var retainAsPublished: Bool
    /// 0 when the subscription has none.
    var identifier: UInt32
    /// The shared subscription that it is a member of; 0 for none.
    var share: ShareKey = 0
}

/// Who subscribed to what, and the answer to "who gets this topic", cached for topics that come again.
///
/// Overlapping subscriptions of one session without identifiers make one delivery at the highest QoS; each
/// subscription with an identifier makes its own, which carries it. [MQTT-3.3.4-2] [MQTT-3.3.4-3] [MQTT-3.3.4-5]
struct SubscriptionStore: ~Copyable {
    /// What a match reads.
    struct Subscription {
        var recipient: Recipient
        var nextAtNode = TopicTree.none
    }

    /// What changes need beside it.
    struct Links {
        var node: Int32
        var previousAtNode = TopicTree.none
        var nextOfSession = TopicTree.none
        var previousOfSession = TopicTree.none
    }

    private struct CacheEntry {
        var hash: UInt64 = 0
        var generation: UInt32 = 0
        var topicStart: Int32 = 0
        var topicLength: Int32 = 0
        var listStart: Int32 = 0
        /// -1 for a topic that came once and whose recipients are not kept.
        var listCount: Int32 = 0
    }

    /// Where a walk goes on: a node, and the level of the topic that its children are compared with.
    private struct Place {
        var node: Int32
        var depth: Int32
    }

    private static let cacheSize = 4_096

    private(set) var tree: TopicTree
    private(set) var subscriptions: [Subscription] = []
    private(set) var links: [Links] = []
    private var free: [Int32] = []
    /// The first subscription of each session, and how many it has.
    private(set) var heads: [Int32] = []
    private var counts: [Int32] = []
    private(set) var count = 0
    var groups: [ShareGroup] = []
    private var freeGroups: [Int] = []
    /// The groups that a session is a member of; few sessions are.
    var sharesOfSession: [SessionIndex: [Int]] = [:]
    /// Memberships in shared subscriptions; they are part of `count`.
    private(set) var sharedCount = 0

    private var cache: [CacheEntry] = []
    /// Goes up with every change; entries of older generations are not valid.
    private var generation: UInt32 = 1
    private var cachedTopics: [UInt8] = []
    private var cachedRecipients: [Recipient] = []
    /// How many at the end of `cachedRecipients` are of the last match only.
    private var transientCount = 0
    /// What a match works with; kept for its memory.
    private var levels: [TopicLevel] = []
    private var pending: [Place] = []
    private let seed: UInt64

    init(seed: UInt64) {
        self.seed = seed
        tree = TopicTree(seed: seed)
    }

    // MARK: changes

    /// Sessions with a subscription.
    var subscriberCount: Int { counts.count { $0 > 0 } }

    /// Different filters.
    var filterCount: Int { tree.count }

    /// Whether somebody subscribed to a filter that begins with these levels, which are no wildcards.
    func hasFilters(below levels: Span<UInt8>) -> Bool {
        tree.find(levels) != TopicTree.none
    }

    func count(of session: SessionIndex) -> Int {
        session < counts.count ? Int(counts[Int(session)]) : 0
    }

    /// Adds or replaces a subscription; returns whether it is new to the session. [MQTT-3.8.4-3]
    mutating func subscribe(_ recipient: Recipient, to filter: Span<UInt8>) -> Bool {
        if case .shared(let name, let inner) = SubscriptionKind(filter) {
            return join(recipient, name: filter.extracting(name), filter: filter.extracting(inner))
        }
        changed()
        let node = tree.insert(filter)
        if let existing = find(recipient.session, at: node) {
            subscriptions[Int(existing)].recipient = recipient
            return false
        }
        link(recipient, at: node)
        return true
    }

    /// Whether there was such a subscription.
    ///
    /// Filters are compared byte for byte. [MQTT-3.10.4-1]
    mutating func unsubscribe(_ session: SessionIndex, from filter: Span<UInt8>) -> Bool {
        if case .shared(let name, let inner) = SubscriptionKind(filter) {
            return leave(session, name: filter.extracting(name), filter: filter.extracting(inner))
        }
        let node = tree.find(filter)
        guard node != TopicTree.none, let index = find(session, at: node) else { return false }
        changed()
        unlink(index)
        return true
    }

    /// Whether the session has this very subscription.
    func contains(_ session: SessionIndex, _ filter: Span<UInt8>) -> Bool {
        if case .shared(let name, let inner) = SubscriptionKind(filter) {
            return isMember(session, name: filter.extracting(name), filter: filter.extracting(inner))
        }
        let node = tree.find(filter)
        return node != TopicTree.none && find(session, at: node) != nil
    }

    mutating func removeAll(of session: SessionIndex) {
        guard Int(session) < heads.count else { return }
        leaveAll(session)
        guard heads[Int(session)] != TopicTree.none else { return }
        changed()
        while heads[Int(session)] != TopicTree.none { unlink(heads[Int(session)]) }
    }

    private mutating func changed() {
        generation &+= 1
        cachedTopics.removeAll(keepingCapacity: true)
        cachedRecipients.removeAll(keepingCapacity: true)
        transientCount = 0
    }

    /// Walks the shorter of the two lists that the subscription would be in.
    private func find(_ session: SessionIndex, at node: Int32) -> Int32? {
        guard Int(session) < heads.count else { return nil }
        var ofSession = heads[Int(session)]
        var atNode = tree.nodes[Int(node)].value
        while ofSession != TopicTree.none, atNode != TopicTree.none {
            if links[Int(ofSession)].node == node { return ofSession }
            if subscriptions[Int(atNode)].recipient.session == session { return atNode }
            ofSession = links[Int(ofSession)].nextOfSession
            atNode = subscriptions[Int(atNode)].nextAtNode
        }
        return nil
    }

    private mutating func link(_ recipient: Recipient, at node: Int32) {
        let session = Int(recipient.session)
        makeRoom(for: session)
        let next = heads[session]
        let index = linkAtNode(recipient, node)
        links[Int(index)].nextOfSession = next
        if next != TopicTree.none { links[Int(next)].previousOfSession = index }
        heads[session] = index
        counts[session] += 1
        count += 1
    }

    private mutating func makeRoom(for session: Int) {
        while heads.count <= session {
            heads.append(TopicTree.none)
            counts.append(0)
        }
    }

    private mutating func linkAtNode(_ recipient: Recipient, _ node: Int32) -> Int32 {
        let next = tree.nodes[Int(node)].value
        let subscription = Subscription(recipient: recipient, nextAtNode: next)
        let index: Int32
        if let reused = free.popLast() {
            subscriptions[Int(reused)] = subscription
            links[Int(reused)] = Links(node: node)
            index = reused
        } else {
            index = Int32(clamping: subscriptions.count)
            subscriptions.append(subscription)
            links.append(Links(node: node))
        }
        if next != TopicTree.none { links[Int(next)].previousAtNode = index }
        tree.setValue(index, of: node)
        return index
    }

    private mutating func unlink(_ index: Int32) {
        let link = links[Int(index)]
        let session = Int(subscriptions[Int(index)].recipient.session)
        if link.previousOfSession == TopicTree.none {
            heads[session] = link.nextOfSession
        } else {
            links[Int(link.previousOfSession)].nextOfSession = link.nextOfSession
        }
        if link.nextOfSession != TopicTree.none {
            links[Int(link.nextOfSession)].previousOfSession = link.previousOfSession
        }
        counts[session] -= 1
        count -= 1
        unlinkAtNode(index)
    }

    private mutating func unlinkAtNode(_ index: Int32) {
        let link = links[Int(index)]
        let next = subscriptions[Int(index)].nextAtNode
        if link.previousAtNode == TopicTree.none {
            tree.setValue(next, of: link.node)
        } else {
            subscriptions[Int(link.previousAtNode)].nextAtNode = next
        }
        if next != TopicTree.none { links[Int(next)].previousAtNode = link.previousAtNode }
        free.append(index)
        tree.prune(link.node)
    }

    // MARK: shared subscriptions; their rules are in `ShareGroup.swift`

    mutating func insertNode(_ filter: Span<UInt8>) -> Int32 { tree.insert(filter) }

    func findNode(_ filter: Span<UInt8>) -> Int32 { tree.find(filter) }

    func group(named name: Span<UInt8>, at node: Int32) -> Int? {
        var index = tree.nodes[Int(node)].value
        while index != TopicTree.none {
            let recipient = subscriptions[Int(index)].recipient
            if recipient.session < 0 {
                let known = groups[Self.place(of: recipient)].name
                if known.span.hasSameBytes(as: name) { return Self.place(of: recipient) }
            }
            index = subscriptions[Int(index)].nextAtNode
        }
        return nil
    }

    /// A group stands in the list of its node like a subscription; a member more or less changes no match.
    mutating func addGroup(_ name: [UInt8], _ node: Int32) -> Int {
        changed()
        let place = freeGroups.popLast() ?? groups.count
        if place == groups.count { groups.append(ShareGroup(name: [], node: node, generation: 0)) }
        // Twelve bits of it go into a `ShareKey`.
        let generation = (groups[place].generation + 1) & 0xFFF
        groups[place] = ShareGroup(name: name, node: node, generation: generation)
        groups[place].entry = linkAtNode(Self.groupRecipient(place), node)
        return place
    }

    mutating func removeGroup(_ place: Int) {
        changed()
        unlinkAtNode(groups[place].entry)
        groups[place].name = []
        freeGroups.append(place)
    }

    mutating func noteShare(of session: SessionIndex, _ difference: Int) {
        makeRoom(for: Int(session))
        counts[Int(session)] += Int32(difference)
        count += difference
        sharedCount += difference
    }

    // MARK: matching

    /// Where in `recipient(at:)` the recipients of a topic stand; valid until the next change or match.
    mutating func match(_ topic: Span<UInt8>) -> Range<Int> {
        guard count > 0 else { return 0..<0 }
        let hash = topic.hash(of: topic.indices, seed: seed)
        if cache.isEmpty { cache = Array(repeating: CacheEntry(), count: Self.cacheSize) }
        let slot = Int(truncatingIfNeeded: hash) & (Self.cacheSize - 1)
        let entry = cache[slot]
        guard entry.generation == generation, entry.hash == hash else { return matchOnce(topic, hash, slot) }
        guard entry.listCount >= 0 else { return matchAndKeep(topic, hash, slot) }
        guard cachedTopic(entry, is: topic) else { return matchOnce(topic, hash, slot) }
        return Int(entry.listStart)..<Int(entry.listStart + entry.listCount)
    }

    /// Notes only that the topic came: most that come for the first time never come again.
    private mutating func matchOnce(_ topic: Span<UInt8>, _ hash: UInt64, _ slot: Int) -> Range<Int> {
        cache[slot] = CacheEntry(hash: hash, generation: generation, listCount: -1)
        forgetTransient()
        let start = cachedRecipients.count
        collect(topic)
        transientCount = cachedRecipients.count - start
        return start..<cachedRecipients.count
    }

    private mutating func matchAndKeep(_ topic: Span<UInt8>, _ hash: UInt64, _ slot: Int) -> Range<Int> {
        forgetTransient()
        // The lists live until the next change; without one they are dropped when they grow too large.
        if cachedRecipients.count > 1 << 16 || cachedTopics.count > 1 << 20 { changed() }
        let start = cachedRecipients.count
        collect(topic)
        cache[slot] = CacheEntry(
            hash: hash, generation: generation, topicStart: Int32(clamping: cachedTopics.count),
            topicLength: Int32(clamping: topic.count), listStart: Int32(clamping: start),
            listCount: Int32(clamping: cachedRecipients.count - start))
        cachedTopics.append(copying: topic)
        return start..<cachedRecipients.count
    }

    private mutating func forgetTransient() {
        if transientCount > 0 { cachedRecipients.removeLast(transientCount) }
        transientCount = 0
    }

    func recipient(at position: Int) -> Recipient { cachedRecipients[position] }

    private func cachedTopic(_ entry: CacheEntry, is topic: Span<UInt8>) -> Bool {
        let start = Int(entry.topicStart)
        return cachedTopics.span.extracting(start..<(start + Int(entry.topicLength))).hasSameBytes(as: topic)
    }

    /// Appends the recipients of `topic` to the cached ones, without doubles. [MQTT-3.3.2-3]
    private mutating func collect(_ topic: Span<UInt8>) {
        let start = cachedRecipients.count
        levels.removeAll(keepingCapacity: true)
        var walk = TopicLevels(topic, seed: tree.seed)
        while let level = walk.next(topic) { levels.append(level) }
        var place = Place(node: TopicTree.root, depth: 0)
        while true {
            let entry = tree.nodes[Int(place.node)]
            let wildcards = place.node != TopicTree.root || topic[0] != UInt8(ascii: "$")  // [MQTT-4.7.2-1]
            if wildcards { collect(entry.multiLevelValue, from: start) }
            var next = TopicTree.none
            if Int(place.depth) == levels.count {
                collect(entry.value, from: start)
            } else {
                next = tree.child(of: place.node, levels[Int(place.depth)], in: topic)
                if wildcards, entry.singleLevel != TopicTree.none {
                    pending.append(Place(node: entry.singleLevel, depth: place.depth + 1))
                }
            }
            if next != TopicTree.none {
                place = Place(node: next, depth: place.depth + 1)
            } else if let waiting = pending.popLast() {
                place = waiting
            } else {
                return
            }
        }
    }

    private mutating func collect(_ head: Int32, from start: Int) {
        var index = head
        while index != TopicTree.none {
            merge(subscriptions[Int(index)].recipient, from: start)
            index = subscriptions[Int(index)].nextAtNode
        }
    }

    private mutating func merge(_ recipient: Recipient, from start: Int) {
        guard recipient.session >= 0, recipient.identifier == 0, counts[Int(recipient.session)] > 1 else {
            cachedRecipients.append(recipient)
            return
        }
        for position in start..<cachedRecipients.count {
            let other = cachedRecipients[position]
            guard other.session == recipient.session, other.identifier == 0, other.noLocal == recipient.noLocal else {
                continue
            }
            cachedRecipients[position].qos = max(other.qos, recipient.qos)
            if recipient.retainAsPublished { cachedRecipients[position].retainAsPublished = true }
            return
        }
        cachedRecipients.append(recipient)
    }
}
