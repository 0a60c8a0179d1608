import Bytes
package import Client
package import MQTTCodec

/// Messages for the upstream, until the upstream has acknowledged them: those of the last moment in memory, all others
/// on the disk, of which it knows little more than a bit each.
///
/// A message that is acknowledged upstream soon enough never reaches the disk. What came first goes first, in each
/// priority; where live messages go first, the others keep their own order.
package struct OfflineQueue: Sendable {
    /// A message that is to be sent, and its number, which is never used again.
    package struct Entry: Equatable, Sendable {
        package let number: Int
        package let message: Publish
    }

    /// A message in memory.
    struct Held: Sendable {
        let message: Publish
        let lane: Priority
        let arrived: ContinuousClock.Instant
        let size: Int
        /// How often the link had been up when it came.
        let epoch: Int
        /// To be acknowledged when it is kept.
        var token: MessageToken?
        /// Where it is on the disk, or will be.
        var place: UInt64?
        var isKept = false
        var isOnTheWay = false

        /// What it is counted as while it is not on the disk.
        static func size(of message: Publish) -> Int {
            message.topic.count + message.payload.count + 48 + message.properties.userProperties.count * 64
        }

        /// What it takes of the memory.
        var memory: Int { size + 256 }
    }

    /// The messages of one priority that are not on their way; the numbers of those in memory.
    struct Lane: Sendable {
        /// Given back by a link that ended while it took them; first in line.
        var returned = Ring<Int>()
        /// Came while older ones still waited, and go before those.
        var live = Ring<Int>()
        /// Behind all that is on the disk only.
        var waiting = Ring<Int>()
        /// How many are on the disk only.
        var diskCount = 0
        /// Where to look for them: none is before.
        var cursor: UInt64 = 0
        var chunk: BufferChunk?
        var chunkNext = 0
        /// The number of the read that is under way.
        var reading: Int?
        /// Where to look for superseded messages.
        var superseded: UInt64 = 0
    }

    /// What was handed to the disk and is not there yet.
    enum Submitted: Sendable {
        case message(Int, BufferFrame.Header, topic: [UInt8], size: Int)
        case progress([UInt32], size: Int)
    }

    var limits: QueueLimits
    /// Whether there is a disk; without one a message counts as kept when it is in memory.
    let isStored: Bool
    var stored: StoredMessages
    var memory: [Int: Held] = [:]
    var memoryBytes = 0
    /// The numbers of messages in memory by their places.
    var places: [UInt64: Int] = [:]
    var lanes = [Lane(), Lane(), Lane()]
    private var nextNumber = 1
    package private(set) var onTheWayCount = 0
    /// Not on the disk yet.
    var unkeptCount = 0
    var unkeptBytes = 0
    /// In the order they came; may have numbers of messages that are gone.
    var unwritten = Ring<Int>()
    /// Of those, how many are not on their way.
    var unwrittenWaiting = 0
    var submitted = Ring<Submitted>()
    var nextFrame: UInt64 = 1
    var nextRead = 1
    private(set) var epoch = 0
    /// Places before this are from before the link was up last.
    private var epochStart: UInt64 = 0
    private(set) var isUp = false
    var failure: String?
    var diskSize: Int?
    var pace = ReplayPace()
    /// Topics that a live message of was sent while older ones waited.
    var overtaken = OvertakenTopics()
    /// When files are looked after.
    var maintenanceAt: ContinuousClock.Instant?
    /// What time it was at the last look.
    private(set) var lastLook: ContinuousClock.Instant?
    private var wall = WallReference()
    private var actions: [BufferAction] = []
    private var tokens: [MessageToken] = []
    /// How many messages were dropped, by reason, since the start.
    package private(set) var dropped: [DropReason: Int] = [:]

    /// An empty queue; one that is `isStored` asks for a disk by its actions.
    package init(_ limits: QueueLimits, isStored: Bool = false) {
        self.limits = limits
        self.isStored = isStored
        stored = StoredMessages(keepsTopics: isStored && limits.policy.needsTopics)
    }

    /// Goes on with other limits.
    package mutating func apply(_ limits: QueueLimits) {
        // What is on the disk already has no topics; it goes as the oldest, until new ones have.
        if limits.policy.needsTopics, !stored.keepsTopics { stored.keepTopics() }
        self.limits = limits
    }

    /// Waiting and on their way.
    package var count: Int { stored.count + unkeptCount }
    package var sizeInBytes: Int { stored.bytes + unkeptBytes }
    package var isEmpty: Bool { count == 0 }

    /// What the storage is to do; ask after each call.
    package mutating func takeActions() -> [BufferAction] {
        guard !actions.isEmpty else { return [] }
        defer { actions = [] }
        return actions
    }

    /// What may be acknowledged to whoever published it.
    package mutating func takeKept() -> [MessageToken] {
        guard !tokens.isEmpty else { return [] }
        defer { tokens = [] }
        return tokens
    }

    package var hasNews: Bool { !actions.isEmpty || !tokens.isEmpty }

    mutating func ask(_ action: BufferAction) { actions.append(action) }

    // MARK: time

    /// Says what time of day it is: messages on the disk have theirs.
    package mutating func clock(_ milliseconds: Int64, now: ContinuousClock.Instant) {
        wall = WallReference(milliseconds: milliseconds, at: now)
    }

    mutating func look(at now: ContinuousClock.Instant) { lastLook = now }

    func wallTime(_ instant: ContinuousClock.Instant) -> Int64 { wall.milliseconds(at: instant) }

    // MARK: in

    /// Keeps a message; others go, or it goes itself, when there is no room.
    package mutating func append(
        _ message: Publish, _ lane: Priority = .normal, token: MessageToken? = nil, now: ContinuousClock.Instant
    ) {
        lastLook = now
        let size = Held.size(of: message)
        let refusal: DropReason? =
            if size > bytesLimit || limits.messages < 1 {
                .tooLarge
            } else if token == nil, failure != nil, unkeptBytes + size > Self.mostUnwritten {
                .diskFailing
            } else {
                makeRoom(for: size, lane, now: now) ? nil : limits.policy == .dropNewest ? .noRoom : .queueFull
            }
        if let refusal {
            if let token { tokens.append(token) }
            return drop(refusal)
        }
        let number = takeNumber()
        let isLive = isUp && limits.replay.liveFirst && hasBacklog(lane)
        memory[number] = Held(
            message: message, lane: lane, arrived: now, size: size, epoch: epoch, token: isStored ? token : nil)
        memoryBytes += size + 256
        unkeptCount += 1
        unkeptBytes += size
        if isLive { lanes[lane.index].live.append(number) } else { lanes[lane.index].waiting.append(number) }
        if isStored {
            unwritten.append(number)
            unwrittenWaiting += 1
        } else if let token {
            tokens.append(token)
        }
    }

    mutating func takeNumber() -> Int {
        defer { nextNumber += 1 }
        return nextNumber
    }

    /// As much of what waits for a failing disk is taken from those who are not told.
    private static let mostUnwritten = 16 << 20

    // MARK: out

    /// The next message to send, with its expiry counted down; it stays in the queue until `finished`. [MQTT-3.3.2-6]
    package mutating func startNext(now: ContinuousClock.Instant) -> Entry? {
        lastLook = now
        while let number = popNext(now: now) {
            guard let held = memory[number] else { continue }
            if let reason = reasonToForget(held, now: now) {
                forget(number, reason)
                continue
            }
            memory[number]?.isOnTheWay = true
            onTheWayCount += 1
            if held.place == nil, isStored { unwrittenWaiting -= 1 }
            return Entry(number: number, message: outgoing(held, now: now))
        }
        return nil
    }

    /// The upstream answered: it has the message, or `dropReason` says why it never will.
    package mutating func finished(_ number: Int, dropReason: DropReason? = nil) {
        guard memory[number]?.isOnTheWay == true else { return }
        onTheWayCount -= 1
        forget(number, dropReason)
    }

    /// The link ended before it took the message.
    package mutating func putBack(_ number: Int) {
        guard let held = memory[number], held.isOnTheWay else { return }
        memory[number]?.isOnTheWay = false
        onTheWayCount -= 1
        if held.place == nil, isStored { unwrittenWaiting += 1 }
        lanes[held.lane.index].returned.append(number)
    }

    /// A message in memory is over.
    mutating func forget(_ number: Int, _ reason: DropReason? = nil) {
        guard let held = memory.removeValue(forKey: number) else { return }
        memoryBytes -= held.memory
        if let token = held.token { tokens.append(token) }
        if let place = held.place { places[place] = nil }
        if held.place == nil, isStored, !held.isOnTheWay { unwrittenWaiting -= 1 }
        if held.isKept, let place = held.place {
            _ = stored.remove(place, held.lane, size: held.size)
            maintainSoon()
        } else {
            unkeptCount -= 1
            unkeptBytes -= held.size
        }
        trimUnwritten()
        if let reason { drop(reason) }
    }

    /// What was kept needs no acknowledgement any more.
    mutating func acknowledge(_ number: Int) {
        guard let token = memory[number]?.token else { return }
        memory[number]?.token = nil
        tokens.append(token)
    }

    package mutating func drop(_ reason: DropReason, count: Int = 1) {
        dropped[reason, default: 0] += count
    }

    func reasonToForget(_ held: Held, now: ContinuousClock.Instant) -> DropReason? {
        let waited = now - held.arrived
        if let expiry = held.message.properties[number: .messageExpiryInterval], waited >= .seconds(Int(expiry)) {
            return .expired
        }
        if let age = limits.age, waited >= age { return .tooOld }
        return nil
    }

    // MARK: the link

    package mutating func linkUp(now: ContinuousClock.Instant) {
        // Numbered while it is known that they are from before.
        if isStored { write(now: now) }
        isUp = true
        epoch += 1
        epochStart = stored.next
        pace.reset()
    }

    package mutating func linkDown() {
        isUp = false
        overtaken.reset()
        for index in lanes.indices {
            while let number = lanes[index].live.popFirst() { lanes[index].waiting.append(number) }
        }
    }

    /// How often the link had been up when a message was written.
    func epoch(of place: UInt64) -> Int { place < epochStart ? -1 : epoch }
}

/// What time of day it was at one instant.
struct WallReference: Equatable, Sendable {
    private var milliseconds: Int64 = 0
    private var instant: ContinuousClock.Instant?

    init() {}

    init(milliseconds: Int64, at instant: ContinuousClock.Instant) {
        self.milliseconds = milliseconds
        self.instant = instant
    }

    func milliseconds(at other: ContinuousClock.Instant) -> Int64 {
        guard let instant else { return 0 }
        let distance = (other - instant).components
        return milliseconds + distance.seconds * 1000 + distance.attoseconds / 1_000_000_000_000_000
    }
}
