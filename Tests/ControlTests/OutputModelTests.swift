import Foundation
import Testing

/// Outputs by chance: commands, faults, reloads and restarts in any order, and what must never be.
///
/// A few thousand here; `MARTLET_OUTPUT_SEQUENCES=100000 swift test --filter OutputModelTests` tries more, and
/// `MARTLET_OUTPUT_SEED` says which is the first.
@Suite struct OutputModelTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let sequences = environment["MARTLET_OUTPUT_SEQUENCES"].flatMap(UInt64.init) ?? 4_000
    private static let firstSeed = environment["MARTLET_OUTPUT_SEED"].flatMap(UInt64.init) ?? 0
    private static let parts: UInt64 = 20

    @Test(arguments: 0..<parts)
    func `no interlocked pair is on, nothing is on for too long, nothing stale moves anything, and a stop is safe`(
        part: UInt64
    ) {
        let count = (Self.sequences + Self.parts - 1) / Self.parts
        for seed in (part * count)..<((part + 1) * count) {
            guard let broken = Self.run(seed + Self.firstSeed) else { continue }
            Issue.record(
                "\(broken), with MARTLET_OUTPUT_SEED=\(seed + Self.firstSeed)\n\(Self.story(seed + Self.firstSeed))")
            return
        }
    }

    private static func run(_ seed: UInt64) -> OutputWorld.Broken? {
        var world = OutputWorld(seed: seed)
        do throws(OutputWorld.Broken) {
            try live(&world)
            return nil
        } catch {
            return error
        }
    }

    private static func story(_ seed: UInt64) -> String {
        var world = OutputWorld(seed: seed, tells: true)
        try? live(&world)
        return world.story.joined(separator: "\n")
    }

    private static func live(_ world: inout OutputWorld) throws(OutputWorld.Broken) {
        try world.begin()
        for _ in 0..<(4 + world.random.next(below: 20)) { try world.happen() }
        try world.stop()
    }
}
