import MQTTCodec

/// What is retained, for somebody who subscribes.
enum RetainedBenchmarks {
    static let all = [
        Benchmark(name: "retained/10,000 set", unit: .nanoseconds(per: "message")) { effort throws(Discrepancy) in
            try set(effort)
        },
        Benchmark(name: "retained/10,000 replayed for '#'", unit: .nanoseconds(per: "message")) {
            effort throws(Discrepancy) in
            try replay(effort)
        },
    ]

    private static func set(_ effort: Effort) throws(Discrepancy) -> Sample {
        let count = effort.count(10_000, atLeast: 20)
        var rig = Rig()
        try retain(count, &rig)
        let sample = Sample(total: Double(rig.stopwatch.nanoseconds), pieces: count, traffic: rig.traffic)
        // Somebody who asks gets them all.
        try rig.subscribe(try rig.connect("reader"), to: ["#"], .atMostOnce)
        try Discrepancy.check(rig.seen.messages, is: count, "messages retained")
        return sample
    }

    private static func replay(_ effort: Effort) throws(Discrepancy) -> Sample {
        let count = effort.count(10_000, atLeast: 20)
        var rig = Rig()
        try retain(count, &rig)
        let reader = try rig.connect("reader")
        rig.reset()
        try rig.subscribe(reader, to: ["#"], .atMostOnce)
        try Discrepancy.check(rig.seen.messages, is: count, "retained messages delivered")
        try Discrepancy.check(rig.seen.payloadBytes, is: count * 64, "bytes of payload delivered")
        return Sample(total: Double(rig.stopwatch.nanoseconds), pieces: count, traffic: rig.traffic)
    }

    private static func retain(_ count: Int, _ rig: inout Rig) throws(Discrepancy) {
        let publisher = try rig.connect("publisher")
        let bursts = stride(from: 0, to: count, by: 10).map { first in
            (first..<min(count, first + 10)).flatMap { number in
                RigClient.publish(
                    "site/\(number / 100)/sensor/\(number)/temperature", number, .atMostOnce, .v311, retain: true)
            }
        }
        rig.reset()
        for burst in bursts {
            rig.say(burst, publisher)
            try rig.settle()
        }
    }
}
