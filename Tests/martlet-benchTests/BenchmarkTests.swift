import MQTTCodec
import Testing

@testable import martlet_bench

@Suite struct BenchmarkTests {
    @Test(arguments: Benchmark.all)
    func `every benchmark delivers what it measures`(benchmark: Benchmark) throws {
        let figures = try Self.figures(of: benchmark)
        #expect(figures.samples.count == 2)
        #expect(figures.lowest > 0)
    }

    /// The heap is that of the whole process: what other tests give back meanwhile may be more than fifty clients take.
    private static func figures(of benchmark: Benchmark) throws -> Figures {
        guard case .bytes = benchmark.unit else { return try benchmark.figures(rounds: 2, .quick) }
        for _ in 0..<50 {
            if let figures = try? benchmark.figures(rounds: 2, .quick) { return figures }
        }
        return try benchmark.figures(rounds: 2, .quick)
    }

    @Test func `names are different, so that one can be asked for`() {
        #expect(Set(Benchmark.all.map(\.name)).count == Benchmark.all.count)
    }

    @Test func `a benchmark that delivers nothing, or too much, fails`() {
        #expect(throws: Discrepancy.self) { try Discrepancy.check(0, is: 0, "messages delivered") }
        #expect(throws: Discrepancy.self) { try Discrepancy.check(9, is: 10, "messages delivered") }
        #expect(throws: Discrepancy.self) { try Discrepancy.check(11, is: 10, "messages delivered") }
    }

    @Test func `a message that nobody subscribed to is not counted as delivered`() throws {
        var rig = Rig()
        let publisher = try rig.connect("publisher")
        try rig.subscribe(try rig.connect("subscriber"), to: ["a"], .atLeastOnce)
        rig.say(RigClient.publish("b", 1, .atLeastOnce, .v311), publisher)
        try rig.settle()
        let elsewhere = rig.seen
        rig.say(RigClient.publish("a", 1, .atLeastOnce, .v311), publisher)
        try rig.settle()
        #expect(elsewhere.messages == 0)
        #expect(elsewhere.acknowledged == 1)
        #expect(rig.seen.messages == 1)
        #expect(rig.seen.payloadBytes == 64)
        #expect(rig.stopwatch.nanoseconds > 0)
    }

    @Test func `the median of an even number of rounds lies between its neighbours`() {
        let samples = [4.0, 1, 2, 100].map { Sample(total: $0 * 10, pieces: 10) }
        let figures = Figures(name: "x", unit: .nanoseconds(per: "message"), samples: samples)
        #expect(figures.median == 3)
        #expect(figures.lowest == 1)
        #expect(figures.highest == 100)
        #expect(Report.rounded(figures.median) == "3.0")
        #expect(Report.rounded(1234.56) == "1235")
    }
}
