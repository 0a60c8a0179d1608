import Bytes

extension QueueLimits.Policy {
    /// Whether the topics of messages on the disk must be known.
    var needsTopics: Bool {
        switch self {
        case .dropOldest, .dropNewest: false
        case .latest, .thin: true
        }
    }
}

/// What goes when there is too much.
extension OfflineQueue {
    /// Bytes that may be kept.
    package var bytesLimit: Int {
        guard let diskSize else { return limits.bytes }
        return min(limits.bytes, Int(Double(diskSize) * limits.share))
    }

    /// From 0 to 1: the fuller of the limits.
    package var fill: Double {
        max(Double(count) / Double(max(1, limits.messages)), Double(sizeInBytes) / Double(max(1, bytesLimit)))
    }

    private func isFull(for size: Int) -> Bool { count >= limits.messages || sizeInBytes + size > bytesLimit }

    /// Makes room for a message; false where it must go itself.
    mutating func makeRoom(for size: Int, _ lane: Priority, now: ContinuousClock.Instant) -> Bool {
        while isFull(for: size) {
            let isRoomier =
                switch limits.policy {
                case .dropOldest: dropOldest(now: now)
                case .dropNewest: dropOldest(below: lane, now: now)
                case .latest: dropSuperseded() || dropOldest(now: now)
                case .thin(let one): thin(keepingOneIn: one) || dropOldest(now: now)
                }
            guard isRoomier else { return false }
        }
        return true
    }

    /// Drops the oldest message that is not on its way, of the lowest priority there is; false if there is none.
    private mutating func dropOldest(below limit: Priority? = nil, now: ContinuousClock.Instant) -> Bool {
        for lane in Priority.urgentFirst.reversed() {
            if let limit, lane >= limit { return false }
            if let number = popAlive(lane, \.returned) {
                dropHeld(number, now: now)
                return true
            }
            if lanes[lane.index].diskCount > 0, let found = nextOnDisk(lane) {
                dropStored(found.place, lane, .queueFull)
                return true
            }
            if let number = popAlive(lane, \.waiting) ?? popAlive(lane, \.live) {
                dropHeld(number, now: now)
                return true
            }
        }
        return false
    }

    private mutating func dropHeld(_ number: Int, now: ContinuousClock.Instant) {
        guard let held = memory[number] else { return }
        forget(number, reasonToForget(held, now: now) ?? .queueFull)
    }

    /// Drops a message that is on the disk, and may be in memory; not if it is on its way.
    @discardableResult
    private mutating func dropStored(_ place: UInt64, _ lane: Priority, _ reason: DropReason) -> Bool {
        if let number = places[place] {
            guard memory[number]?.isOnTheWay == false else { return false }
            forget(number, reason)
            return true
        }
        guard stored.remove(place, lane) != nil else { return false }
        lanes[lane.index].diskCount -= 1
        drop(reason)
        maintainSoon()
        return true
    }

    // MARK: the latest of each topic

    /// Drops messages that have a newer one of their topic, the oldest first: as many as make room for a while.
    private mutating func dropSuperseded() -> Bool {
        let goal = max(1, count / 16)
        var dropped = 0
        for lane in Priority.urgentFirst.reversed() {
            // What was the latest at the last look may not be any more.
            for start in [lanes[lane.index].superseded, 0] {
                var place = start
                while dropped < goal, let found = stored.next(lane, from: place) {
                    place = found.place + 1
                    if stored.isSuperseded(found.place), dropStored(found.place, lane, .superseded) { dropped += 1 }
                }
                lanes[lane.index].superseded = place
                if dropped >= goal { return true }
            }
        }
        return dropped > 0
    }

    // MARK: one in so many

    /// Thins the file that was thinned least often, the oldest of those first; false where nothing can go.
    private mutating func thin(keepingOneIn one: Int) -> Bool {
        let last = stored.segments.count - 1
        for lane in Priority.urgentFirst.reversed() {
            var hasTriedLast = false
            while let index = leastThinned(lane), index < last || !hasTriedLast {
                if thin(index, lane, keepingOneIn: max(2, one)) {
                    let level = stored.segments[index].share(lane)?.thinned ?? 0
                    stored.setThinned(lane, index, min(level + 1, Self.thinnedOut - 2))
                    return true
                }
                // It has one of each topic; only the last gets more.
                hasTriedLast = hasTriedLast || index == last
                stored.setThinned(lane, index, index == last ? Self.thinnedOut - 1 : Self.thinnedOut)
            }
        }
        return false
    }

    private static let thinnedOut = Int.max

    private func leastThinned(_ lane: Priority) -> Int? {
        func level(_ index: Int) -> Int? {
            stored.segments[index].share(lane).flatMap { $0.places.count > 1 ? $0.thinned : nil }
        }
        let least = stored.segments.indices.compactMap(level).min()
        guard let least, least < Self.thinnedOut else { return nil }
        return stored.segments.indices.first { level($0) == least }
    }

    private mutating func thin(_ index: Int, _ lane: Priority, keepingOneIn one: Int) -> Bool {
        var seen: [UInt32: Int] = [:]
        var hasDropped = false
        for place in stored.segments[index].places(of: lane) {
            guard let topic = stored.topic(of: place) else { continue }
            let number = seen[topic, default: 0]
            seen[topic] = number + 1
            guard number % one != 0, stored.isSuperseded(place) else { continue }
            if dropStored(place, lane, .thinned) { hasDropped = true }
        }
        return hasDropped
    }

    // MARK: age, and orders

    /// Files whose newest message is too old go whole; others lose theirs when they would be sent.
    mutating func dropAged(now: ContinuousClock.Instant) {
        guard let age = limits.age else { return }
        let bound = wallTime(now - age)
        for segment in stored.segments where segment.newest < bound && segment.count > 0 {
            dropAll(of: segment, .tooOld)
        }
    }

    private mutating func dropAll(of segment: StoredSegment, _ reason: DropReason) {
        for lane in Priority.allCases {
            for place in segment.places(of: lane) { dropStored(place, lane, reason) }
        }
    }

    /// Drops everything that is not on its way; returns how many messages that was.
    package mutating func dropEverything() -> Int {
        let before = count
        for segment in stored.segments { dropAll(of: segment, .ordered) }
        for (number, held) in memory where !held.isOnTheWay { forget(number, .ordered) }
        for index in lanes.indices {
            lanes[index].diskCount = 0
            lanes[index].chunk = nil
        }
        return before - count
    }
}
