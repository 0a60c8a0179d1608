/// What is known of one file of the buffer: which of its messages are still to be sent, in about a bit each.
struct StoredSegment: Sendable {
    /// The messages of one priority.
    struct Share: Sendable {
        var places: RemainingPlaces
        var bytes = 0
        /// How often it was thinned.
        var thinned = 0
    }

    /// As many places share one time of arrival.
    private static let timeSpacing: UInt64 = 64

    /// Nobody asked for it when the message came.
    private static let noTopic = UInt32.max

    let number: UInt32
    let first: UInt64
    /// Behind its last message.
    private(set) var end: UInt64
    private var shares: [Share?] = [nil, nil, nil]
    /// When every so manieth message came, in milliseconds since 1970.
    private var arrivals: [Int64] = []
    /// When the newest came.
    private(set) var newest = Int64.min
    /// By place, where the queue's policy asks for it.
    private var topics: [UInt32] = []
    /// The file with the frame that says what remains of this one.
    var progressIn: UInt32?
    /// Whether more is done than that frame says.
    var isChanged = false
    /// It could not be read, and is left alone.
    var isUnreadable = false
    /// What it takes of the disk.
    var diskBytes = 0

    init(_ number: UInt32, first: UInt64) {
        self.number = number
        self.first = first
        end = first
    }

    var count: Int { shares.reduce(0) { $0 + ($1?.places.count ?? 0) } }
    var bytes: Int { shares.reduce(0) { $0 + ($1?.bytes ?? 0) } }

    func share(_ lane: Priority) -> Share? { shares[lane.index] }

    func next(_ lane: Priority, from place: UInt64) -> UInt64? { shares[lane.index]?.places.next(from: place) }

    /// Those that remain of a priority, rising.
    func places(of lane: Priority) -> [UInt64] { shares[lane.index]?.places.ranges.flatMap(\.self) ?? [] }

    mutating func setThinned(_ lane: Priority, _ level: Int) { shares[lane.index]?.thinned = level }

    mutating func add(_ header: BufferFrame.Header, size: Int, topic: UInt32?) {
        let place = header.place
        // No file has so many messages as lie between them.
        guard place >= end, place - first < RemainingPlaces.most else { return }
        var share = shares[header.lane.index] ?? Share(places: RemainingPlaces(first: place))
        shares[header.lane.index] = nil
        share.places.insert(place)
        share.bytes += size
        shares[header.lane.index] = share
        while UInt64(arrivals.count) * Self.timeSpacing <= place - first, arrivals.count < 1 << 18 {
            arrivals.append(header.arrived)
        }
        if let topic {
            while UInt64(topics.count) < place - first, topics.count < 1 << 24 { topics.append(Self.noTopic) }
            topics.append(topic)
        }
        newest = max(newest, header.arrived)
        end = place + 1
    }

    /// A file that had only messages which were done before they were written.
    mutating func extend(to place: UInt64) { end = max(end, place) }

    func lane(of place: UInt64) -> Priority? {
        Priority.allCases.first { shares[$0.index]?.places.contains(place) == true }
    }

    func topic(of place: UInt64) -> UInt32? {
        let index = Int(place - first)
        return index < topics.count && topics[index] != Self.noTopic ? topics[index] : nil
    }

    /// When about a message came: one of the 64 around it.
    func arrival(of place: UInt64) -> Int64 {
        let index = Int((place - first) / Self.timeSpacing)
        return index < arrivals.count ? arrivals[index] : newest
    }

    /// When the oldest that remains came.
    var oldest: Int64? {
        let places = shares.compactMap { $0?.places.next(from: 0) }
        return places.min().map(arrival)
    }

    /// A message is done; its size, or the mean of its share where nobody knows it.
    mutating func remove(_ place: UInt64, _ lane: Priority, size: Int? = nil) -> Int? {
        guard var share = shares[lane.index] else { return nil }
        shares[lane.index] = nil
        defer { shares[lane.index] = share }
        let mean = share.bytes / max(1, share.places.count)
        guard share.places.remove(place) else { return nil }
        let bytes = share.places.count == 0 ? share.bytes : min(share.bytes, size ?? mean)
        share.bytes -= bytes
        isChanged = true
        return bytes
    }

    /// What remains, of all priorities.
    var remaining: [Range<UInt64>] {
        var merged: [Range<UInt64>] = []
        for range in shares.flatMap({ $0?.places.ranges ?? [] }).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, last.upperBound == range.lowerBound {
                merged[merged.count - 1] = last.lowerBound..<range.upperBound
            } else {
                merged.append(range)
            }
        }
        return merged
    }

    /// What was said to remain, when the log is read again; whatever else was there is done.
    mutating func apply(_ progress: BufferProgress) {
        var ranges = progress.remaining[...]
        for lane in Priority.allCases {
            var place = shares[lane.index]?.places.next(from: 0)
            ranges = progress.remaining[...]
            while let here = place, here < progress.end {
                while let range = ranges.first, range.upperBound <= here { ranges.removeFirst() }
                if ranges.first?.contains(here) != true { _ = remove(here, lane) }
                place = shares[lane.index]?.places.next(from: here + 1)
            }
        }
    }
}
