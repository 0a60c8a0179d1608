import Broker
import Documents
import MQTTCodec

/// `broker.limits:` what the broker accepts.
enum LimitsSection {
    private static let day = 86_400_000

    static func read(_ section: Section, into limits: inout BrokerLimits) {
        if let size = section.size("max_packet_size", 128...268_435_460) { limits.maximumPacketSize = size }
        if let count = section.integer("receive_maximum", 1...65_535) { limits.receiveMaximum = UInt16(count) }
        if let count = section.integer("in_flight", 1...65_535) { limits.inFlight = count }
        if let time = section.duration("max_keep_alive", 1_000...65_535_000) {
            limits.maximumKeepAlive = UInt16(clamping: time.components.seconds)
        }
        if let count = section.integer("max_connections", 1...1_000_000) { limits.maximumConnections = count }
        if let time = section.duration("connect_timeout", 100...600_000) { limits.connectTimeout = time }
        if let count = section.integer("subscriptions", 1...1_000_000) { limits.subscriptions = count }
        if let count = section.integer("topic_levels", 1...65_535) { limits.topicLevels = count }
        if let sessions = section.section("session_expiry") { expiry(sessions, into: &limits) }
        if let queue = section.section("queue") { self.queue(queue, into: &limits) }
        features(section, into: &limits)
        rates(section, into: &limits)
        if let size = section.size("memory", 1_000_000...1_000_000_000_000) { limits.memory = size }
        section.spelled(["max_clients": "max_connections", "message_size_limit": "max_packet_size"])
        section.finish()
    }

    private static func features(_ section: Section, into limits: inout BrokerLimits) {
        if let qos = section.integer("max_qos", 0...2).flatMap({ QoS(rawValue: UInt8($0)) }) { limits.maximumQoS = qos }
        if let isAvailable = section.bool("retain") { limits.retainAvailable = isAvailable }
        if let count = section.integer("topic_alias_maximum", 0...65_535) { limits.topicAliasMaximum = UInt16(count) }
        if let length = section.integer("topic_length", 1...65_535) { limits.topicLength = length }
        if let isChecked = section.bool("validate_payload_format") { limits.validatesPayloadFormat = isChecked }
        if let strategy = section.word("shared", SharedWord.self) { limits.sharedStrategy = strategy.strategy }
    }

    private static func rates(_ section: Section, into limits: inout BrokerLimits) {
        if let rate = section.rate("connect_rate", like: "500/s", Scalar.integer) { limits.connectionRate = rate }
        guard let rates = section.section("rate") else { return }
        if let rate = rates.rate("messages", like: "100/s", Scalar.integer) { limits.messageRate = rate }
        if let rate = rates.rate("bytes", like: "1MB/s", Scalar.size) { limits.byteRate = rate }
        rates.finish()
    }

    private enum SharedWord: String, CaseIterable {
        case roundRobin = "round-robin"
        case sticky
        case hash

        var strategy: BrokerLimits.SharedStrategy {
            switch self {
            case .roundRobin: .roundRobin
            case .sticky: .sticky
            case .hash: .hashTopic
            }
        }
    }

    private static func expiry(_ section: Section, into limits: inout BrokerLimits) {
        if let time = section.duration("max", 0...49_000 * day) {
            limits.sessionExpiry = UInt32(clamping: time.components.seconds)
        }
        if let time = section.duration("v3", 0...49_000 * day) {
            limits.sessionExpiryV3 = UInt32(clamping: time.components.seconds)
        }
        section.finish()
    }

    private static func queue(_ section: Section, into limits: inout BrokerLimits) {
        if let count = section.integer("messages", 1...100_000_000) { limits.queuedMessages = count }
        if let size = section.size("bytes", 1_000...1_000_000_000_000) { limits.queuedBytes = size }
        if let word = section.word("full", FullWord.self) {
            limits.dropPolicy = word == .dropOldest ? .oldest : .newest
        }
        if let keeps = section.bool("qos0_while_offline") { limits.keepsQoS0WhileOffline = keeps }
        section.spelled(["max_messages": "messages", "max_size": "bytes", "size": "bytes"])
        section.finish()
    }

    private enum FullWord: String, CaseIterable {
        case dropOldest = "drop-oldest"
        case dropNewest = "drop-newest"
    }
}

extension Section {
    /// So many a second, or `off`, which is 0.
    fileprivate func rate(_ key: String, like example: String, _ count: (String) -> Int?) -> Int? {
        value(key, wanted: "a number a second, like \(example), or off") { text -> Int? in
            if text == "off" { return 0 }
            guard text.hasSuffix("/s"), let number = count(String(text.dropLast(2))) else { return nil }
            return (1...1_000_000_000_000).contains(number) ? number : nil
        }?.value
    }

    /// A size within bounds, which are in bytes.
    func size(_ key: String, _ bytes: ClosedRange<Int>) -> Int? {
        guard let size = size(key) else { return nil }
        guard bytes.contains(size) else {
            problems.error(
                "this is too \(size < bytes.lowerBound ? "small" : "large") for '\(key)'", at: mark(of: key),
                hint: "write a size from \(bytes.lowerBound)B to \(bytes.upperBound)B")
            return nil
        }
        return size
    }
}
