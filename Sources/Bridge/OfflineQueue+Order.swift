import Bytes
import MQTTCodec

/// Which message is next.
extension OfflineQueue {
    /// Whether older messages of a priority still wait.
    func hasBacklog(_ lane: Priority) -> Bool {
        let lane = lanes[lane.index]
        return lane.diskCount > 0 || !lane.waiting.isEmpty || !lane.live.isEmpty
    }

    /// Whether messages wait that are on the disk only.
    var hasDiskBacklog: Bool { lanes.contains { $0.diskCount > 0 } }

    mutating func popNext(now: ContinuousClock.Instant) -> Int? {
        for lane in Priority.urgentFirst {
            if let number = popAlive(lane, \.returned) { return number }
            guard let number = popAlive(lane, \.live) else { continue }
            if let held = memory[number] { overtaken.insert(held.message.topic) }
            return number
        }
        for lane in Priority.urgentFirst {
            if let number = popBacklog(lane, now: now) { return number }
        }
        if Priority.allCases.allSatisfy({ !hasBacklog($0) }) {
            pace.isSuspended = false
            overtaken.reset()
        }
        return nil
    }

    /// The next in a ring that is still there.
    mutating func popAlive(_ lane: Priority, _ ring: WritableKeyPath<Lane, Ring<Int>>) -> Int? {
        while let number = lanes[lane.index][keyPath: ring].popFirst() {
            if let held = memory[number], !held.isOnTheWay { return number }
        }
        return nil
    }

    private mutating func popBacklog(_ lane: Priority, now: ContinuousClock.Instant) -> Int? {
        if lanes[lane.index].diskCount > 0 {
            guard pace.allows(limits.replay.rate, now: now) else { return nil }
            guard let number = popDisk(lane, now: now) else { return nil }
            pace.sent(limits.replay.rate, now: now)
            return number
        }
        while let number = lanes[lane.index].waiting.first {
            guard let held = memory[number], !held.isOnTheWay else {
                _ = lanes[lane.index].waiting.popFirst()
                continue
            }
            let isReplayed = held.epoch != epoch
            if isReplayed, !pace.allows(limits.replay.rate, now: now) { return nil }
            if isReplayed { pace.sent(limits.replay.rate, now: now) }
            return lanes[lane.index].waiting.popFirst()
        }
        return nil
    }

    // MARK: from the disk

    /// The next message that is on the disk only; nil while it must be read first, which is asked for.
    private mutating func popDisk(_ lane: Priority, now: ContinuousClock.Instant) -> Int? {
        while let chunk = lanes[lane.index].chunk {
            let next = lanes[lane.index].chunkNext
            guard next < chunk.items.count else {
                lanes[lane.index].cursor = max(lanes[lane.index].cursor, chunk.places.upperBound)
                lanes[lane.index].chunk = nil
                break
            }
            let item = chunk.items[next]
            lanes[lane.index].chunkNext += 1
            lanes[lane.index].cursor = item.header.place + 1
            guard isOnDiskOnly(item.header.place) else { continue }
            if let number = take(item, of: chunk, now: now) { return number }
        }
        read(lane)
        return nil
    }

    private func isOnDiskOnly(_ place: UInt64) -> Bool { places[place] == nil && stored.contains(place) }

    /// Brings a message back into memory.
    private mutating func take(
        _ item: BufferChunk.Item, of chunk: BufferChunk, now: ContinuousClock.Instant
    ) -> Int? {
        let header = item.header
        lanes[header.lane.index].diskCount -= 1
        let frame = chunk.bytes.span.extracting(item.start..<item.start + item.length)
        guard let message = BufferFrame.message(frame, header) else {
            _ = stored.remove(header.place, header.lane)
            drop(.damaged)
            return nil
        }
        let waited = max(0, wallTime(now) - header.arrived)
        let size = StoredMessages.size(ofFrame: item.length)
        let number = takeNumber()
        memory[number] = Held(
            message: message, lane: header.lane, arrived: now - .milliseconds(waited), size: size,
            epoch: epoch(of: header.place), place: header.place, isKept: true)
        memoryBytes += size + 256
        places[header.place] = number
        return number
    }

    /// Asks for the next messages of a priority, unless that is under way.
    private mutating func read(_ lane: Priority) {
        guard lanes[lane.index].reading == nil else { return }
        guard let found = nextOnDisk(lane) else {
            // All that was there can't be read.
            lanes[lane.index].diskCount = 0
            return
        }
        lanes[lane.index].reading = nextRead
        ask(.read(segment: found.segment, lane, from: found.place, number: nextRead))
        nextRead += 1
    }

    /// The first place of a priority that is on the disk only.
    mutating func nextOnDisk(_ lane: Priority) -> (place: UInt64, segment: UInt32)? {
        while let found = stored.next(lane, from: lanes[lane.index].cursor) {
            lanes[lane.index].cursor = found.place
            if places[found.place] == nil { return found }
            lanes[lane.index].cursor += 1
        }
        return nil
    }

    /// What was asked for has been read.
    mutating func chunkRead(_ chunk: BufferChunk) {
        guard lanes[chunk.lane.index].reading == chunk.number else { return }
        lanes[chunk.lane.index].reading = nil
        if chunk.failure != nil {
            stored.setUnreadable(chunk.segment)
            lanes[chunk.lane.index].cursor = chunk.places.lowerBound
            return
        }
        var chunk = chunk
        // More may be written to the file later.
        let end = stored.end(of: chunk.segment) ?? chunk.places.lowerBound
        chunk.places = chunk.places.clamped(to: 0..<max(end, chunk.places.lowerBound))
        dropLost(chunk)
        lanes[chunk.lane.index].chunk = chunk
        lanes[chunk.lane.index].chunkNext = 0
    }

    /// Messages that should have been in a chunk and were not are lost.
    private mutating func dropLost(_ chunk: BufferChunk) {
        var there = chunk.items.makeIterator()
        var item = there.next()
        var place = chunk.places.lowerBound
        while let found = stored.next(chunk.lane, from: place), found.segment == chunk.segment,
            found.place < chunk.places.upperBound
        {
            place = found.place + 1
            while let header = item?.header, header.place < found.place { item = there.next() }
            guard item?.header.place != found.place, places[found.place] == nil else { continue }
            _ = stored.remove(found.place, chunk.lane)
            lanes[chunk.lane.index].diskCount -= 1
            drop(.damaged)
        }
    }

    // MARK: how it goes out

    /// The message as it is sent: its expiry counted down, and marked where it is late.
    func outgoing(_ held: Held, now: ContinuousClock.Instant) -> Publish {
        var message = held.message.agedBy(now - held.arrived)
        let isLate = held.epoch != epoch && epoch > 0 || now - held.arrived >= Self.lateAfter
        guard isLate else { return message }
        if limits.replay.marks { ReplayMark.put(on: &message, arrived: wallTime(held.arrived)) }
        // What is retained at the server is newer.
        if overtaken.contains(message.topic) { message.retain = false }
        return message
    }

    /// A message that waited so long is not what it says any more.
    private static let lateAfter: Duration = .seconds(10)
}

extension Publish {
    /// The message with its expiry counted down by the whole seconds of `waited`.
    fileprivate func agedBy(_ waited: Duration) -> Publish {
        guard let expiry = properties[number: .messageExpiryInterval] else { return self }
        var copy = self
        let seconds = UInt32(clamping: waited.components.seconds)
        copy.properties[number: .messageExpiryInterval] = max(1, expiry - min(expiry, seconds))
        return copy
    }
}
