import Bytes

/// The messages of a buffer that are on the disk: which files there are, what remains of each, and what may go.
///
/// It knows about a bit of each message, so that a million of them take next to no memory.
struct StoredMessages: Sendable {
    /// In the order of their numbers, and so of the places in them.
    private(set) var segments: [StoredSegment] = []
    private(set) var count = 0
    private(set) var bytes = 0
    /// How many of each priority.
    private var counts = [0, 0, 0]
    /// The place of the next message.
    private(set) var next: UInt64 = 1
    /// Behind the last message that is on the disk.
    private var end: UInt64 = 1
    /// The topics, as numbers; only where the queue's policy asks for it.
    private var topics: TopicNumbers?

    init(keepsTopics: Bool) {
        topics = keepsTopics ? TopicNumbers() : nil
    }

    var keepsTopics: Bool { topics != nil }

    /// Knows the topics of those messages that come from now on.
    mutating func keepTopics() { topics = TopicNumbers() }

    func count(_ lane: Priority) -> Int { counts[lane.index] }

    /// What the files take of the disk.
    var diskBytes: Int { segments.reduce(0) { $0 + $1.diskBytes } }

    // MARK: what is there

    /// Takes up a frame that was there before.
    mutating func restored(_ frame: Span<UInt8>, in segment: UInt32) {
        let size = Self.size(ofFrame: frame.count)
        let index = self.index(of: segment, first: end)
        segments[index].diskBytes += size
        switch try? BufferFrame(frame) {
        case .message(let header)?:
            guard header.place >= end, header.place <= Self.last else { return }
            let topic = topics == nil ? nil : BufferFrame.topic(frame, header)
            add(header, size: size, topic: topic, segment)
        case .progress(let progress)?:
            guard let target = self.index(of: progress.segment) else { return }
            recount(target) { $0.apply(progress) }
            segments[target].progressIn = segment
            segments[target].isChanged = false
        case nil: break
        }
    }

    /// The place of a message that is about to be written.
    mutating func takePlace() -> UInt64 {
        defer { next += 1 }
        return next
    }

    /// A message is on the disk; one that is done already only takes room.
    mutating func kept(
        _ header: BufferFrame.Header, size: Int, topic: [UInt8], in segment: UInt32, isDone: Bool
    ) {
        let index = self.index(of: segment, first: header.place)
        segments[index].diskBytes += size
        guard isDone else { return add(header, size: size, topic: topic, segment) }
        segments[index].extend(to: header.place + 1)
        end = max(end, header.place + 1)
        segments[index].isChanged = true
    }

    /// A frame that says what remains of other files is on the disk.
    mutating func keptProgress(of targets: [UInt32], size: Int, in segment: UInt32) {
        segments[index(of: segment, first: end)].diskBytes += size
        for target in targets {
            guard let index = index(of: target) else { continue }
            segments[index].progressIn = segment
        }
    }

    private mutating func add(_ header: BufferFrame.Header, size: Int, topic: [UInt8]?, _ segment: UInt32) {
        let number = topic.flatMap { topics?.number(of: $0, at: header.place) }
        recount(index(of: segment, first: header.place)) { $0.add(header, size: size, topic: number) }
        end = max(end, header.place + 1)
        next = max(next, end)
    }

    private mutating func index(of segment: UInt32, first: UInt64) -> Int {
        if let last = segments.last, last.number == segment { return segments.count - 1 }
        if let index = index(of: segment) { return index }
        segments.append(StoredSegment(segment, first: first))
        return segments.count - 1
    }

    private mutating func recount(_ index: Int, _ change: (inout StoredSegment) -> Void) {
        let (count, bytes) = (segments[index].count, segments[index].bytes)
        let before = Priority.allCases.map { segments[index].share($0)?.places.count ?? 0 }
        change(&segments[index])
        self.count += segments[index].count - count
        self.bytes += segments[index].bytes - bytes
        for lane in Priority.allCases {
            counts[lane.index] += (segments[index].share(lane)?.places.count ?? 0) - before[lane.index]
        }
    }

    /// No message of ours comes so far.
    private static let last = UInt64(Int64.max)

    /// The place of a frame with the log's own bytes around it.
    static func size(ofFrame length: Int) -> Int { length + 16 }

    // MARK: looking

    func contains(_ place: UInt64) -> Bool { lane(of: place) != nil }

    func lane(of place: UInt64) -> Priority? {
        guard let index = index(of: place) else { return nil }
        return segments[index].lane(of: place)
    }

    /// The file that has a place.
    private func index(of place: UInt64) -> Int? {
        let index = firstIndex { $0.end > place }
        return index < segments.count && segments[index].first <= place ? index : nil
    }

    /// The file with a number.
    private func index(of number: UInt32) -> Int? {
        let index = firstIndex { $0.number >= number }
        return index < segments.count && segments[index].number == number ? index : nil
    }

    /// The first file of which something is true that is true of all behind it.
    private func firstIndex(_ isBehind: (borrowing StoredSegment) -> Bool) -> Int {
        var (low, high) = (0, segments.count)
        while low < high {
            let middle = (low + high) / 2
            if isBehind(segments[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// The first message of a priority from a place on, and its file; files that can't be read are passed over.
    func next(_ lane: Priority, from place: UInt64) -> (place: UInt64, segment: UInt32)? {
        for index in firstIndex({ $0.end > place })..<segments.count where !segments[index].isUnreadable {
            if let found = segments[index].next(lane, from: place) { return (found, segments[index].number) }
        }
        return nil
    }

    /// Behind the last message of a file.
    func end(of segment: UInt32) -> UInt64? { index(of: segment).map { segments[$0].end } }

    func arrival(of place: UInt64) -> Int64? { index(of: place).map { segments[$0].arrival(of: place) } }

    /// When about the oldest message came, in milliseconds since 1970.
    var oldest: Int64? { segments.compactMap(\.oldest).min() }

    /// Whether there is a newer message of the same topic.
    func isSuperseded(_ place: UInt64) -> Bool {
        guard let index = index(of: place), let topic = segments[index].topic(of: place), let topics else {
            return false
        }
        return topics.latest(topic) > place
    }

    func topic(of place: UInt64) -> UInt32? { index(of: place).flatMap { segments[$0].topic(of: place) } }

    // MARK: what is done

    /// A message needs to be kept no more; returns the bytes that it was counted with.
    mutating func remove(_ place: UInt64, _ lane: Priority, size: Int? = nil) -> Int? {
        guard let index = index(of: place), let bytes = segments[index].remove(place, lane, size: size) else {
            return nil
        }
        count -= 1
        counts[lane.index] -= 1
        self.bytes -= bytes
        return bytes
    }

    mutating func setThinned(_ lane: Priority, _ index: Int, _ level: Int) {
        segments[index].setThinned(lane, level)
    }

    mutating func setUnreadable(_ segment: UInt32) {
        guard let index = index(of: segment) else { return }
        segments[index].isUnreadable = true
    }

    mutating func shrunk(_ segment: UInt32, to bytes: Int) {
        guard let index = index(of: segment) else { return }
        segments[index].diskBytes = bytes
    }

    /// What remains of the files that changed since this was asked last; empty files need no frame, they go.
    mutating func takeProgress() -> [BufferProgress] {
        segments.indices.compactMap { index in
            guard segments[index].isChanged, segments[index].count > 0 else { return nil }
            segments[index].isChanged = false
            return BufferProgress(
                segment: segments[index].number, end: segments[index].end, remaining: segments[index].remaining)
        }
    }

    /// Whether `takeProgress` has something to say.
    var hasProgress: Bool { segments.contains { $0.isChanged && $0.count > 0 } }

    /// Files that nobody needs; the last one only where all are empty and nothing `isUnderWay` to it.
    ///
    /// A file that says what remains of others stays until that is said again elsewhere.
    mutating func takeRemovable(isUnderWay: Bool) -> [UInt32] {
        var removable: [UInt32] = []
        for index in segments.indices where segments[index].count == 0 {
            let number = segments[index].number
            guard index < segments.count - 1 || count == 0 && !isUnderWay else { continue }
            let dependents = segments.indices.filter {
                $0 != index && segments[$0].progressIn == number && segments[$0].count > 0
            }
            for dependent in dependents { segments[dependent].isChanged = true }
            if dependents.isEmpty { removable.append(number) }
        }
        segments.removeAll { removable.contains($0.number) }
        if segments.isEmpty { topics?.reset() }
        return removable
    }

    /// The file that takes most room for nothing, if it is worth the work: more than half of it is done.
    ///
    /// Not the last one, which is being written.
    mutating func takeSparsest() -> (segment: UInt32, keeping: [Range<UInt64>])? {
        let candidates = segments.indices.dropLast().filter {
            segments[$0].count > 0 && !segments[$0].isUnreadable
                && segments[$0].diskBytes > 2 * segments[$0].bytes + (64 << 10)
        }
        func waste(_ index: Int) -> Int { segments[index].diskBytes - segments[index].bytes }
        guard let index = candidates.max(by: { waste($0) < waste($1) }) else { return nil }
        // Until the storage says what it is.
        segments[index].diskBytes = segments[index].bytes
        return (segments[index].number, segments[index].remaining)
    }
}

/// Topics as small numbers, and where the latest message of each is.
struct TopicNumbers: Sendable {
    private var numbers: [[UInt8]: UInt32] = [:]
    private var places: [UInt64] = []

    mutating func number(of topic: [UInt8], at place: UInt64) -> UInt32 {
        if let number = numbers[topic] {
            places[Int(number)] = max(places[Int(number)], place)
            return number
        }
        let number = UInt32(places.count)
        numbers[topic] = number
        places.append(place)
        return number
    }

    func latest(_ number: UInt32) -> UInt64 { places[Int(number)] }

    mutating func reset() { self = TopicNumbers() }
}
