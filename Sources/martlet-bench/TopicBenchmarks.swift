import MQTTCodec

/// Who gets a topic, asked by publishing: QoS 0, 64 bytes, one subscriber for each message.
///
/// What a message costs beside that is the same in all rows, so that the difference of two rows is the matching's.
enum TopicBenchmarks {
    private struct Filters {
        var name: String
        var count: Int
        /// The filter of a number, and a topic that it alone matches; `visit` makes topics of one filter differ.
        var filter: @Sendable (_ number: Int) -> String
        var topic: @Sendable (_ number: Int, _ visit: Int) -> String
    }

    private static let kinds = [
        Filters(name: "1 exact filter", count: 1) { _ in
            "site/0/boiler/temperature"
        } topic: { _, _ in
            "site/0/boiler/temperature"
        },
        Filters(name: "1 filter '#'", count: 1) { _ in
            "#"
        } topic: { number, visit in
            "site/\(number)/boiler\(visit)/temperature"
        },
        Filters(name: "10,000 exact filters", count: 10_000) { number in
            "site/\(number)/boiler/temperature"
        } topic: { number, _ in
            "site/\(number)/boiler/temperature"
        },
        Filters(name: "10,000 wildcard filters", count: 10_000) { number in
            "site/\(number)/+/temperature"
        } topic: { number, visit in
            "site/\(number)/boiler\(visit)/temperature"
        },
        Filters(name: "10,000 filters '+/+/n/#'", count: 10_000) { number in
            "+/+/\(number)/#"
        } topic: { number, visit in
            "site/house\(visit)/\(number)/temperature"
        },
        Filters(name: "1 shared filter, 10 members", count: 10) { _ in
            "$share/workers/site/+/+/temperature"
        } topic: { number, visit in
            "site/\(number)/boiler\(visit)/temperature"
        },
    ]

    /// How often topics come again.
    private enum Pattern: CaseIterable {
        /// The answers are all remembered.
        case again
        /// More topics than the broker remembers answers for.
        case seldom
        /// Somebody subscribes before each burst, which drops all the answers.
        case subscribing
    }

    static let all = kinds.flatMap { kind in
        Pattern.allCases.compactMap { pattern in
            // One topic can't be new each time.
            kind.name == "1 exact filter" && pattern == .seldom ? nil : benchmark(kind, pattern)
        }
    }

    private static func benchmark(_ kind: Filters, _ pattern: Pattern) -> Benchmark {
        let suffix =
            switch pattern {
            case .again: "topics come again"
            case .seldom: "topics seldom come again"
            case .subscribing: "a subscription between bursts of 16"
            }
        let unit = Benchmark.Unit.nanoseconds(per: "message")
        return Benchmark(name: "topics/\(kind.name), \(suffix)", unit: unit) { effort throws(Discrepancy) in
            try run(kind, pattern, effort)
        }
    }

    private static func run(
        _ kind: Filters, _ pattern: Pattern, _ effort: Effort
    ) throws(Discrepancy) -> Sample {
        var rig = Rig()
        try addSubscribers(kind, &rig)
        let changing = try rig.connect("changing")
        let publisher = try rig.connect("publisher")
        let bursts = self.bursts(kind, pattern)
        for burst in bursts.prefix(2_500) { try publish(burst, publisher, &rig) }
        rig.reset()
        let turns = effort.count(pattern == .subscribing ? 5_000 : 12_500, atLeast: 10)
        for turn in 0..<turns {
            if pattern == .subscribing { try rig.subscribe(changing, to: ["elsewhere/\(turn % 100)"], .atMostOnce) }
            try publish(bursts[turn % bursts.count], publisher, &rig)
        }
        try Discrepancy.check(rig.seen.messages, is: turns * 16, "messages delivered")
        return Sample(total: Double(rig.stopwatch.nanoseconds), pieces: turns * 16)
    }

    /// A hundred filters for each subscriber.
    private static func addSubscribers(_ kind: Filters, _ rig: inout Rig) throws(Discrepancy) {
        let isShared = kind.filter(0).hasPrefix("$share")
        var number = 0
        while number < kind.count {
            let end = min(kind.count, isShared ? number + 1 : number + 100)
            let subscriber = try rig.connect("subscriber\(number)")
            try rig.subscribe(subscriber, to: (number..<end).map(kind.filter), .atMostOnce)
            number = end
        }
    }

    /// Sixteen messages each.
    private static func bursts(_ kind: Filters, _ pattern: Pattern) -> [[UInt8]] {
        let turns = pattern == .seldom ? 2_500 : 4
        return (0..<turns).map { turn in
            (0..<16).flatMap { place in
                let message = turn * 16 + place
                // Neighbours in time are no neighbours in the tree.
                let number = message &* 7_919 % kind.count
                let topic = kind.topic(number, message / kind.count)
                return RigClient.publish(topic, message, .atMostOnce, .v311)
            }
        }
    }

    private static func publish(_ burst: [UInt8], _ publisher: Int, _ rig: inout Rig) throws(Discrepancy) {
        rig.say(burst, publisher)
        try rig.settle()
    }
}
