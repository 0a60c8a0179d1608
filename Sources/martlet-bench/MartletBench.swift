import ArgumentParser
import LinuxIO

/// Measures the parts of the gateway that messages go through, in one thread and without sockets.
@main
struct MartletBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet-bench",
        abstract:
            "Measures codec, topic matching, broker, password checks and the log on the disk, without sockets and threads.",
        discussion: """
            Each figure is the median of some rounds, with the lowest and the highest beside it. A benchmark that \
            does not deliver what it should ends the program with status 1.

            Figures hold for an idle machine and a release build:
              swift run --configuration release martlet-bench --only deliver/
            """)

    @Option(help: "How often each benchmark runs.")
    var rounds = 5

    @Option(help: ArgumentHelp("Run only what has this in its name; may be given more than once.", valueName: "name"))
    var only: [String] = []

    @Flag(help: "Write one JSON object a line.")
    var json = false

    @Flag(help: "Do little work: enough to see that all benchmarks work, too little for figures.")
    var quick = false

    @Flag(help: "Only say what there is.")
    var list = false

    func validate() throws {
        guard (1...1_000).contains(rounds) else { throw ValidationError("--rounds is a number from 1 to 1000") }
    }

    func run() throws {
        let chosen = Benchmark.all.filter { benchmark in
            only.isEmpty || only.contains { benchmark.name.contains($0) }
        }
        guard !chosen.isEmpty else {
            throw ValidationError("no benchmark has that in its name; --list says what there is")
        }
        guard !list else {
            StandardOutput.write(chosen.map { $0.name + "\n" }.joined())
            return
        }
        let report = Report(isJSON: json)
        report.begin()
        for benchmark in chosen {
            do throws(Discrepancy) {
                report.add(try benchmark.figures(rounds: rounds, quick ? Effort.quick : Effort.full))
            } catch {
                StandardError.write("martlet-bench: \(benchmark.name): \(error)\n")
                throw ExitCode.failure
            }
        }
    }
}

extension Benchmark {
    /// Runs it some times over.
    func figures(rounds: Int, _ effort: Effort) throws(Discrepancy) -> Figures {
        var samples: [Sample] = []
        for _ in 0..<rounds { samples.append(try round(effort)) }
        return Figures(name: name, unit: unit, samples: samples)
    }
}
