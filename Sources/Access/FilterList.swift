import Bytes

/// Topic filters in one piece of memory, compared with topics as bytes and without allocating.
///
/// The filters are valid MQTT filters; wildcards at the front don't match topics that begin with `$`.
struct FilterList: Equatable, Sendable {
    private static let separator = UInt8(ascii: "/")
    private static let single = UInt8(ascii: "+")
    private static let multi = UInt8(ascii: "#")
    private static let reserved = UInt8(ascii: "$")

    private var bytes: [UInt8] = []
    private var ranges: [Range<Int>] = []

    init(_ filters: [[UInt8]] = []) {
        for filter in filters { append(filter) }
    }

    var isEmpty: Bool { ranges.isEmpty }

    mutating func append(_ filter: [UInt8]) {
        guard !filter.isEmpty else { return }
        ranges.append(bytes.count..<(bytes.count + filter.count))
        bytes.append(contentsOf: filter)
    }

    /// Whether one of the filters matches the topic.
    func match(_ topic: Span<UInt8>) -> Bool {
        let filters = bytes.span
        for range in ranges where Self.covers(filters.extracting(range), topic, isFilter: false) { return true }
        return false
    }

    /// Whether one of the filters matches everything that the given filter does.
    func cover(_ filter: Span<UInt8>) -> Bool {
        let filters = bytes.span
        for range in ranges where Self.covers(filters.extracting(range), filter, isFilter: true) { return true }
        return false
    }

    /// Whether there may be a topic that both one of the filters and the given one match.
    func overlap(_ filter: Span<UInt8>) -> Bool {
        let filters = bytes.span
        for range in ranges where Self.overlaps(filters.extracting(range), filter) { return true }
        return false
    }

    private static func covers(_ filter: Span<UInt8>, _ topic: Span<UInt8>, isFilter: Bool) -> Bool {
        guard topic.count > 0, !(topic[0] == reserved && isWildcard(filter[0])) else { return false }
        var place = 0
        var reached = 0
        while place < filter.count {
            let byte = filter[place]
            if byte == multi { return true }
            if byte == single {
                // `+` does not cover `#`.
                if isFilter, reached < topic.count, topic[reached] == multi { return false }
                while reached < topic.count, topic[reached] != separator { reached += 1 }
            } else if reached < topic.count, topic[reached] == byte {
                reached += 1
            } else {
                // `sport/#` matches `sport` too.
                return reached == topic.count && endsInMultiLevel(filter, place)
            }
            place += 1
        }
        return reached == topic.count
    }

    private static func overlaps(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
        guard right.count > 0 else { return false }
        if left[0] == reserved && isWildcard(right[0]) || right[0] == reserved && isWildcard(left[0]) { return false }
        var (i, j) = (0, 0)
        while i < left.count, j < right.count {
            if left[i] == multi || right[j] == multi { return true }
            if left[i] == single || right[j] == single {
                while i < left.count, left[i] != separator { i += 1 }
                while j < right.count, right[j] != separator { j += 1 }
            } else if left[i] == right[j] {
                (i, j) = (i + 1, j + 1)
            } else {
                return false
            }
        }
        if i == left.count { return j == right.count || endsInMultiLevel(right, j) }
        return endsInMultiLevel(left, i)
    }

    private static func isWildcard(_ byte: UInt8) -> Bool { byte == single || byte == multi }

    /// Whether all that is left from `place` on is `/#`.
    private static func endsInMultiLevel(_ filter: Span<UInt8>, _ place: Int) -> Bool {
        place + 2 == filter.count && filter[place] == separator && filter[place + 1] == multi
    }
}
