import MQTTCodec

/// Messages through the whole broker, from the publishers' bytes to the subscribers' and back with what
/// acknowledges them: the broker's share of a message, without the kernel's.
enum DeliveryBenchmarks {
    /// Who talks to whom.
    struct Scenario: Sendable {
        var name: String
        /// Each publisher has a topic of its own, each subscriber a filter.
        var topics: [String]
        var filters: [String]
        /// To how many subscribers each message goes.
        var copies = 1
        /// Messages that a publisher sends at once.
        var burst = 16
        /// Messages that all publishers together send in a round.
        var messages: Int
    }

    private static let tenTopics = (0..<10).map { "bench/\($0)" }

    private static let scenarios = [
        Scenario(name: "fan-in 10->1", topics: tenTopics, filters: ["bench/#"], messages: 200_000),
        Scenario(
            name: "fan-out 1->50", topics: ["bench/0"], filters: Array(repeating: "bench/0", count: 50), copies: 50,
            messages: 10_000),
        Scenario(name: "10 pairs", topics: tenTopics, filters: tenTopics, messages: 200_000),
        Scenario(name: "lone message", topics: ["bench/0"], filters: ["bench/0"], burst: 1, messages: 50_000),
    ]

    static let all =
        scenarios.flatMap { scenario in
            QoS.allCases.map { benchmark(scenario, $0, .v311) }
        } + [benchmark(scenarios[0], .atMostOnce, .v5), benchmark(scenarios[0], .atLeastOnce, .v5)]

    private static func benchmark(_ scenario: Scenario, _ qos: QoS, _ version: ProtocolVersion) -> Benchmark {
        let suffix = version == .v5 ? ", MQTT 5" : ""
        return Benchmark(
            name: "deliver/\(scenario.name) QoS \(qos.rawValue)\(suffix)", unit: .nanoseconds(per: "delivery")
        ) { effort throws(Discrepancy) in
            try run(scenario, qos, version, effort)
        }
    }

    private static func run(
        _ scenario: Scenario, _ qos: QoS, _ version: ProtocolVersion, _ effort: Effort
    ) throws(Discrepancy) -> Sample {
        var rig = Rig()
        for (number, filter) in scenario.filters.enumerated() {
            try rig.subscribe(try rig.connect("subscriber\(number)", version), to: [filter], qos)
        }
        var publishers: [Int] = []
        for number in scenario.topics.indices { publishers.append(try rig.connect("publisher\(number)", version)) }
        let bursts = scenario.topics.map { topic in
            (0..<scenario.burst).flatMap { RigClient.publish(topic, $0, qos, version) }
        }
        // The first turns make room that later ones find.
        try publish(bursts, publishers, times: 2, &rig)
        rig.reset()
        let perTurn = scenario.burst * publishers.count
        let turns = effort.count(scenario.messages / perTurn, atLeast: 3)
        try publish(bursts, publishers, times: turns, &rig)
        let deliveries = turns * perTurn * scenario.copies
        try Discrepancy.check(rig.seen.messages, is: deliveries, "messages delivered")
        try Discrepancy.check(rig.seen.payloadBytes, is: deliveries * 64, "bytes of payload delivered")
        if qos != .atMostOnce {
            try Discrepancy.check(rig.seen.acknowledged, is: turns * perTurn, "messages acknowledged")
        }
        return Sample(total: Double(rig.stopwatch.nanoseconds), pieces: deliveries, traffic: rig.traffic)
    }

    private static func publish(
        _ bursts: [[UInt8]], _ publishers: [Int], times: Int, _ rig: inout Rig
    ) throws(Discrepancy) {
        for _ in 0..<times {
            for (burst, publisher) in zip(bursts, publishers) { rig.say(burst, publisher) }
            try rig.settle()
        }
    }
}
