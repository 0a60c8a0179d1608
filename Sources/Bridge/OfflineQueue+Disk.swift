import Bytes
import MQTTCodec

/// What goes to the disk, and what is known to be there.
extension OfflineQueue {
    static let maintenanceInterval: Duration = .milliseconds(500)
    /// While everything is on its way to a server, that server's answer is awaited rather than the disk's.
    private static let linkPatience: Duration = .seconds(1)
    /// As much of what is on the disk stays in memory too, to be sent from there.
    private static let mostMemory = 2 << 20

    // MARK: at the start

    /// Takes up a frame that was on the disk already.
    package mutating func restored(_ frame: Span<UInt8>, in segment: UInt32) {
        stored.restored(frame, in: segment)
    }

    /// All frames were taken up.
    package mutating func restoreEnded() {
        for lane in Priority.allCases { lanes[lane.index].diskCount = stored.count(lane) }
    }

    // MARK: writing

    /// When what is in memory only must be written; nil for nothing, or while the disk takes nothing.
    var writeAt: ContinuousClock.Instant? {
        guard failure == nil, let number = unwritten.first, let held = memory[number] else { return nil }
        let patience = limits.sync.patience
        return held.arrived + (unwrittenWaiting > 0 ? patience : max(patience, Self.linkPatience))
    }

    /// Forgets those at the front that are gone.
    mutating func trimUnwritten() {
        while let number = unwritten.first, memory[number] == nil { _ = unwritten.popFirst() }
    }

    /// Hands all to the disk that is not there, in the order it came.
    mutating func write(now: ContinuousClock.Instant) {
        while let number = unwritten.popFirst() {
            guard let held = memory[number], held.place == nil else { continue }
            write(number, held)
        }
        unwrittenWaiting = 0
    }

    private mutating func write(_ number: Int, _ held: Held) {
        let place = stored.takePlace()
        let arrived = wallTime(held.arrived)
        let frame = BufferFrame.encoded(held.message, at: place, held.lane, arrived: arrived)
        let header = BufferFrame.Header(place: place, lane: held.lane, arrived: arrived, packet: 0..<0)
        memory[number]?.place = place
        places[place] = number
        let topic = stored.keepsTopics ? held.message.topic : []
        submit(frame, .message(number, header, topic: topic, size: StoredMessages.size(ofFrame: frame.count)))
    }

    private mutating func submit(_ frame: [UInt8], _ what: Submitted) {
        ask(.keep(frame, number: nextFrame))
        nextFrame += 1
        submitted.append(what)
    }

    // MARK: news

    /// The storage tells something.
    package mutating func storageTold(_ news: BufferNews, now: ContinuousClock.Instant) {
        look(at: now)
        switch news {
        case .kept(_, let segments):
            for segment in segments { kept(in: segment) }
            evict()
        case .chunk(let chunk): chunkRead(chunk)
        case .failing(let why): failure = why
        case .recovered: failure = nil
        case .shrunk(let segment, let bytes): stored.shrunk(segment, to: bytes)
        case .diskSize(let bytes): diskSize = bytes
        }
    }

    /// The frame that was handed over first is on the disk.
    private mutating func kept(in segment: UInt32) {
        switch submitted.popFirst() {
        case .message(let number, let header, let topic, let size)?:
            let held = memory[number]
            stored.kept(header, size: held?.size ?? size, topic: topic, in: segment, isDone: held == nil)
            if let held {
                memory[number]?.isKept = true
                unkeptCount -= 1
                unkeptBytes -= held.size
                acknowledge(number)
            }
            maintainSoon()
        case .progress(let targets, let size)?: stored.keptProgress(of: targets, size: size, in: segment)
        case nil: break
        }
    }

    /// What is on the disk leaves the memory where there is too much.
    private mutating func evict() {
        for lane in Priority.allCases.reversed() {
            evict(lane, \.waiting)
            evict(lane, \.live)
        }
    }

    private mutating func evict(_ lane: Priority, _ ring: WritableKeyPath<Lane, Ring<Int>>) {
        while memoryBytes > Self.mostMemory, let number = lanes[lane.index][keyPath: ring].first {
            if let held = memory[number], !held.isOnTheWay {
                guard held.isKept, let place = held.place else { return }
                memory[number] = nil
                memoryBytes -= held.memory
                places[place] = nil
                leave(lane, place)
            }
            _ = lanes[lane.index][keyPath: ring].popFirst()
        }
    }

    /// A message is on the disk only from now on.
    private mutating func leave(_ lane: Priority, _ place: UInt64) {
        let index = lane.index
        lanes[index].diskCount += 1
        lanes[index].cursor = min(lanes[index].cursor, place)
        // What was read, or is being read, does not have it.
        if let chunk = lanes[index].chunk, place < chunk.places.upperBound { lanes[index].chunk = nil }
        lanes[index].reading = nil
    }

    // MARK: files

    /// Sees to the files soon, for something changed.
    mutating func maintainSoon() {
        if let lastLook { maintain(after: Self.maintenanceInterval, from: lastLook) }
    }

    private mutating func maintain(after interval: Duration, from now: ContinuousClock.Instant) {
        guard isStored, maintenanceAt == nil else { return }
        maintenanceAt = now + interval
    }

    /// Lets files go, says what remains of others, and makes room in those that are mostly done.
    private mutating func maintain(now: ContinuousClock.Instant) {
        maintenanceAt = nil
        dropAged(now: now)
        guard failure == nil || stored.count == 0 else { return maintain(after: .seconds(5), from: now) }
        for segment in stored.takeRemovable(isUnderWay: !submitted.isEmpty) { ask(.remove(segment: segment)) }
        let progress = stored.takeProgress()
        for change in progress {
            let frame = BufferFrame.encoded(change)
            submit(frame, .progress([change.segment], size: StoredMessages.size(ofFrame: frame.count)))
        }
        let sparse = stored.diskBytes > bytesLimit ? stored.takeSparsest() : nil
        if let sparse { ask(.shrink(segment: sparse.segment, keeping: sparse.keeping)) }
        if !progress.isEmpty || sparse != nil || limits.age != nil && stored.count > 0 {
            maintain(after: progress.isEmpty && sparse == nil ? .seconds(10) : Self.maintenanceInterval, from: now)
        }
    }

    /// The time has come for something.
    package mutating func tick(now: ContinuousClock.Instant) {
        look(at: now)
        if let writeAt, writeAt <= now { write(now: now) }
        if let maintenanceAt, maintenanceAt <= now { maintain(now: now) }
    }

    /// When `tick` is due, or something may be sent.
    package var wakeAt: ContinuousClock.Instant? {
        [writeAt, maintenanceAt, isUp ? pace.nextAt : nil].compactMap(\.self).min()
    }

    /// The process ends: all that is not on the disk goes there, and what remains of each file.
    package mutating func close(now: ContinuousClock.Instant) {
        guard isStored else { return }
        write(now: now)
        maintain(now: now)
    }
}
