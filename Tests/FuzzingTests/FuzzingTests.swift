import Bytes
import Fuzzing
import Testing

/// A part of what `make fuzz` tries; there the bytes of a crash are told as well: `martlet-fuzz --seed 1`.
@Suite struct FuzzingTests {
    // Shared out, because tests run side by side: 50,000 inputs in all.
    @Test(arguments: 0..<5)
    func `no input of strangers breaks a reader or a broker`(part: Int) {
        var run = FuzzRun(seed: 1)
        for batch in (part * 100)..<(part * 100 + 100) {
            do throws(FuzzRun.Failure) {
                try run.run(batch: batch)
            } catch {
                Issue.record(
                    "seed \(error.seed), batch \(error.batch): \(error.finding), input \(Hex.text(error.input))")
            }
        }
        // Inputs that are all refused at the door would find nothing.
        #expect(run.reach.delivered > 300 && run.reach.malformed > 300 && run.reach.takeOvers > 50)
        #expect(run.reach.heldBack > 10)
    }
}
