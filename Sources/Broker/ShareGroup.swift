import Bytes
import MQTTCodec

/// The members of one shared subscription: of each message one of them gets it. [MQTT 5, section 4.8.2]
struct ShareGroup {
    /// Share name and filter make the identity. [MQTT-4.8.2-1]
    var name: [UInt8]
    var node: Int32
    /// Tells this group from an earlier one in the same place.
    var generation: UInt32
    /// Its place in the list of its node.
    var entry: Int32 = -1
    var members: [Recipient] = []
    /// Where the next choice begins.
    var next = 0
}

/// Names a group to a delivery that may have to go to another member; 0 is none.
typealias ShareKey = UInt32

extension SubscriptionStore {
    private static let placeBits: UInt32 = 20

    /// Adds or replaces a member; returns whether it is new.
    mutating func join(_ member: Recipient, name: Span<UInt8>, filter: Span<UInt8>) -> Bool {
        let node = insertNode(filter)
        let place = group(named: name, at: node) ?? addGroup([UInt8](copying: name), node)
        var member = member
        member.share = groups[place].generation << Self.placeBits | UInt32(clamping: place + 1)
        if let known = groups[place].members.firstIndex(where: { $0.session == member.session }) {
            groups[place].members[known] = member
            return false
        }
        groups[place].members.append(member)
        sharesOfSession[member.session, default: []].append(place)
        noteShare(of: member.session, 1)
        return true
    }

    /// Whether the session was a member.
    mutating func leave(_ session: SessionIndex, name: Span<UInt8>, filter: Span<UInt8>) -> Bool {
        let node = findNode(filter)
        guard node != TopicTree.none, let place = group(named: name, at: node) else { return false }
        return leave(session, place)
    }

    func isMember(_ session: SessionIndex, name: Span<UInt8>, filter: Span<UInt8>) -> Bool {
        let node = findNode(filter)
        guard node != TopicTree.none, let place = group(named: name, at: node) else { return false }
        return groups[place].members.contains { $0.session == session }
    }

    /// The groups of a session: the filter, and what names the group to a delivery.
    func shares(of session: SessionIndex) -> [(filter: [UInt8], key: ShareKey)] {
        (sharesOfSession[session] ?? []).map { place in
            let key = groups[place].members.first { $0.session == session }?.share ?? 0
            return (filter(of: place), key)
        }
    }

    /// The session leaves all its groups.
    mutating func leaveAll(_ session: SessionIndex) {
        for place in sharesOfSession[session] ?? [] { _ = leave(session, place) }
    }

    @inline(__always)
    func hasShares(_ session: SessionIndex) -> Bool { sharesOfSession[session] != nil }

    private mutating func leave(_ session: SessionIndex, _ place: Int) -> Bool {
        guard let index = groups[place].members.firstIndex(where: { $0.session == session }) else { return false }
        groups[place].members.remove(at: index)
        if groups[place].next > index { groups[place].next -= 1 }
        sharesOfSession[session]?.removeAll { $0 == place }
        if sharesOfSession[session]?.isEmpty == true { sharesOfSession[session] = nil }
        noteShare(of: session, -1)
        if groups[place].members.isEmpty { removeGroup(place) }
        return true
    }

    /// The place of the group that a recipient of a match stands for.
    static func place(of recipient: Recipient) -> Int { -2 - Int(recipient.session) }

    /// The place of the group that a delivery came through, if it is still there.
    func place(of key: ShareKey) -> Int? {
        guard key != 0 else { return nil }
        let place = Int(key & (1 << Self.placeBits - 1)) - 1
        guard place < groups.count, groups[place].generation & 0xFFF == key >> Self.placeBits,
            !groups[place].members.isEmpty
        else { return nil }
        return place
    }

    static func groupRecipient(_ place: Int) -> Recipient {
        Recipient(
            session: SessionIndex(clamping: -2 - place), qos: .exactlyOnce, noLocal: false, retainAsPublished: false,
            identifier: 0)
    }
}

extension BrokerState {
    /// How well a member can take a message now.
    private enum Fitness: Int, Comparable {
        case away
        case busy
        case ready

        static func < (left: Fitness, right: Fitness) -> Bool { left.rawValue < right.rawValue }
    }

    /// The member of a group that gets the next message on `topic`: by the strategy, but rather one that is
    /// connected and keeps up.
    mutating func chooseMember(_ place: Int, _ topic: Span<UInt8>, but excluded: SessionIndex = -1) -> Recipient? {
        let count = subscriptions.groups[place].members.count
        var position = start(place, topic, count)
        var best: (position: Int, fitness: Fitness)?
        for _ in 0..<count {
            let session = subscriptions.groups[place].members[position].session
            let fitness = fitness(Int(session))
            if session != excluded, mayReceive(session, topic),
                best == nil || best.map({ $0.fitness < fitness }) == true
            {
                best = (position, fitness)
                if fitness == .ready { break }
            }
            position = position + 1 == count ? 0 : position + 1
        }
        guard let best else { return nil }
        subscriptions.groups[place].next = limits.sharedStrategy == .sticky ? best.position : best.position + 1
        return subscriptions.groups[place].members[best.position]
    }

    private mutating func start(_ place: Int, _ topic: Span<UInt8>, _ count: Int) -> Int {
        switch limits.sharedStrategy {
        case .roundRobin, .sticky: subscriptions.groups[place].next < count ? subscriptions.groups[place].next : 0
        case .hashTopic:
            Int(truncatingIfNeeded: topic.hash(of: topic.indices, seed: 0) >> 1) % max(count, 1)
        }
    }

    private mutating func fitness(_ session: Int) -> Fitness {
        let connection = Int(sessions[session].connection)
        guard connection >= 0 else { return .away }
        let hasRoom =
            sessions[session].queue.isEmpty && sessions[session].window.hasRoom(connections[connection].window)
            && mayWrite(connection)
        return hasRoom ? .ready : .busy
    }

    /// Takes what a member can't deliver any more back from it, and gives it to other members, in order.
    ///
    /// At the session's end that is also what was sent at QoS 1 and not acknowledged; what was sent at QoS 2 stays
    /// with its session. [MQTT-4.8.2-4] [MQTT-4.8.2-5] At a disconnect it is what was not sent yet, if another
    /// member is connected.
    mutating func redistribute(_ session: SessionIndex, atItsEnd: Bool) {
        let place = Int(session)
        var orphans = atItsEnd ? sessions[place].window.takeShared() : []
        var kept = Ring<Delivery>()
        var keptBytes = 0
        while let delivery = sessions[place].queue.popFirst() {
            if delivery.share != 0, atItsEnd || hasOtherConnectedMember(delivery.share, session) {
                noteRemoved(delivery, place)
                orphans.append(delivery)
            } else {
                kept.append(delivery)
                keptBytes += messages[delivery.message].length + Session.overheadPerQueued
            }
        }
        sessions[place].queue = kept
        sessions[place].queuedBytes = keptBytes
        for delivery in orphans { giveToAnother(delivery, than: session) }
    }

    private mutating func hasOtherConnectedMember(_ key: ShareKey, _ session: SessionIndex) -> Bool {
        guard let place = subscriptions.place(of: key) else { return false }
        return subscriptions.groups[place].members.contains {
            $0.session != session && sessions[Int($0.session)].connection >= 0
        }
    }

    private mutating func giveToAnother(_ delivery: Delivery, than session: SessionIndex) {
        defer { letGo(delivery, Int(session)) }
        let topic = messages.topic(of: delivery.message)
        guard let place = subscriptions.place(of: delivery.share),
            let member = chooseMember(place, topic.span, but: session)
        else { return }
        var moved = delivery
        moved.qos = min(messages[delivery.message].qos, member.qos)
        moved.subscriptionIdentifier = member.identifier
        (moved.keeping, moved.sequence) = (.nothing, 0)
        number(&moved, Int(member.session))
        enqueue(moved, Int(member.session))
        pump(member.session)
    }
}
