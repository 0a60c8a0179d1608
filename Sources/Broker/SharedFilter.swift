import Bytes
import MQTTCodec

/// What kind of subscription a filter asks for. [MQTT 5, section 4.8.2]
enum SubscriptionKind: Equatable {
    case plain
    /// `$share/name/filter`, or `$queue/filter`, which is a share without a name; ranges into the filter.
    case shared(name: Range<Int>, filter: Range<Int>)
    case invalid

    /// Looks at a filter whose characters are valid already.
    init(_ filter: Span<UInt8>) {
        if let start = Self.end(of: Self.queuePrefix, in: filter) {
            self = start < filter.count ? .shared(name: start..<start, filter: start..<filter.count) : .invalid
        } else if let start = Self.end(of: Self.sharePrefix, in: filter) {
            self = Self.share(filter, from: start)
        } else {
            self = .plain
        }
    }

    private static let sharePrefix = Array("$share/".utf8)
    private static let queuePrefix = Array("$queue/".utf8)

    private static func end(of prefix: [UInt8], in filter: Span<UInt8>) -> Int? {
        guard filter.count >= prefix.count else { return nil }
        for index in prefix.indices where filter[index] != prefix[index] { return nil }
        return prefix.count
    }

    /// A name of at least one character without wildcards, and a filter. [MQTT-4.8.2-1] [MQTT-4.8.2-2]
    private static func share(_ filter: Span<UInt8>, from start: Int) -> SubscriptionKind {
        var end = start
        while end < filter.count, filter[end] != Topic.separator {
            if filter[end] == Topic.singleLevel || filter[end] == Topic.multiLevel { return .invalid }
            end += 1
        }
        guard end > start, end + 1 < filter.count else { return .invalid }
        return .shared(name: start..<end, filter: (end + 1)..<filter.count)
    }
}
