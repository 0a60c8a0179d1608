#if !LIBFUZZER
    import Bytes
    import Fuzzing
    import Glibc

    /// What a crash is told with: the process ends right after, so that only one thread ever asks.
    nonisolated(unsafe) private var place = ""
    nonisolated(unsafe) private var input: [UInt8] = []

    /// Tries seeded inputs, and says how to have a failure again.
    ///
    ///     martlet-fuzz [--inputs N] [--seed N] [--batch N]
    ///     martlet-fuzz --corpus FOLDER       writes what libFuzzer begins with
    @main
    enum FuzzCommand {
        static func main() {
            if let folder = option("--corpus") { return writeCorpus(to: folder) }
            for signal in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT, SIGFPE] {
                _ = Glibc.signal(signal) { signal in
                    FuzzCommand.fail("signal \(signal)")
                }
            }
            let seed = number("--seed").map { UInt64($0) } ?? UInt64(time(nil))
            let all = 0..<(((number("--inputs") ?? 1_000_000) + FuzzRun.batchSize - 1) / FuzzRun.batchSize)
            run(number("--batch").map { $0..<($0 + 1) } ?? all, seed)
        }

        private static func option(_ name: String) -> String? {
            let arguments = CommandLine.arguments
            guard let index = arguments.firstIndex(of: name), index + 1 < arguments.count else { return nil }
            return arguments[index + 1]
        }

        private static func number(_ name: String) -> Int? { option(name).flatMap { Int($0) } }

        private static func run(_ batches: Range<Int>, _ seed: UInt64) {
            let inputs = batches.count * FuzzRun.batchSize
            print("seed \(seed), \(inputs) inputs")
            let clock = ContinuousClock()
            let start = clock.now
            var run = FuzzRun(seed: seed)
            run.onInput = { input = $0 }
            for batch in batches {
                place = "--seed \(seed) --batch \(batch)"
                do throws(FuzzRun.Failure) {
                    try run.run(batch: batch)
                } catch {
                    fail(error.finding.description)
                }
            }
            let milliseconds = Int((clock.now - start) / .milliseconds(1))
            print("no failure in \(milliseconds) ms, \(inputs * 1_000 / max(1, milliseconds)) inputs a second")
            print(run.reach)
        }

        private static func fail(_ why: String) {
            print("FAILED: \(why)\ninput \(Hex.text(input))\nagain: martlet-fuzz \(place)")
            fflush(nil)
            _exit(1)
        }

        private static func writeCorpus(to folder: String) {
            for (name, bytes) in CoverageInput.corpus {
                guard let file = fopen("\(folder)/\(name)", "w") else { return fail("\(folder) can't be written to") }
                fwrite(bytes, 1, bytes.count, file)
                fclose(file)
            }
        }
    }
#endif
