import ArgumentParser
import GPIO
import LinuxIO
import Readings

/// `martlet gpio watch`: each edge of some lines, with the kernel's time.
struct GPIOWatch: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Show the levels of lines, and each edge with the kernel's time.",
        discussion: """
            The lines must be free: the gateway must not have them. Edges that came faster than they could be read are \
            told as lost. A chip that goes is waited for. Ctrl-C ends it.

              martlet gpio watch GPIO17 GPIO27 --bias pull-up --active-low --debounce 5
            """)

    @Argument(help: ArgumentHelp("A line's name, or its chip's label and its place.", valueName: "LINE"))
    var lines: [String]

    @OptionGroup var wiring: GPIOWiring

    @Option(help: ArgumentHelp("How long a level must stay.", valueName: "MILLISECONDS"))
    var debounce = 0

    @Option(help: ArgumentHelp("End by itself after so long.", valueName: "SECONDS"))
    var seconds: Int?

    func validate() throws {
        guard (0...4_000_000).contains(debounce), seconds.map((1...1_000_000).contains) ?? true else {
            throw ValidationError("--debounce is a number from 0 to 4000000, --seconds one from 1 to 1000000")
        }
    }

    func run() throws {
        let end = seconds.map { ContinuousClock.now + .seconds($0) }
        var input = InputLine()
        input.debounce = .milliseconds(debounce)
        input.usesTimeOfDay = true
        let wanted = lines.map { wiring.line($0, .input(input)) }
        var mayBeMissing = false
        while end.map({ ContinuousClock.now < $0 }) ?? true {
            do throws(GPIOError) {
                var held = try HeldLines(wanted, as: "martlet gpio watch", by: .now(), eventBuffer: 1024)
                mayBeMissing = true
                try follow(&held, until: end)
            } catch {
                guard mayBeMissing, error.isMissing else { throw CommandFailure("\(error)") }
                if case .lost = error.reason { StandardOutput.write("\(error); waiting for it\n") }
                let pause = ContinuousClock.now + .milliseconds(500)
                try wait(until: end.map { min($0, pause) } ?? pause)
            }
        }
    }

    private func wait(until deadline: ContinuousClock.Instant) throws {
        var poller = try Poller()
        var ready: [PollEvent] = []
        try poller.wait(until: deadline, into: &ready)
    }

    private func follow(_ held: inout HeldLines, until end: ContinuousClock.Instant?) throws(GPIOError) {
        for (name, level) in zip(lines, try held.levels()) {
            StandardOutput.write("\(ISOTime.text(WallClock.local(WallClock.now)))  \(name)  is \(Self.word(level))\n")
        }
        while end.map({ ContinuousClock.now < $0 }) ?? true {
            try poll(held.descriptor, until: end)
            for edge in try held.edges() { StandardOutput.write(text(of: edge)) }
        }
    }

    private func poll(_ descriptor: CInt, until end: ContinuousClock.Instant?) throws(GPIOError) {
        do throws(SystemError) {
            var poller = try Poller()
            try poller.add(descriptor, token: 0, reading: true, writing: false)
            var ready: [PollEvent] = []
            try poller.wait(until: end, into: &ready)
        } catch {
            throw GPIOError(.named(lines.first ?? ""), .failed(error))
        }
    }

    private func text(of edge: HeldLines.Edge) -> String {
        let time = Timestamp(milliseconds: edge.nanoseconds / 1_000_000)
        let lost = edge.lost == 0 ? "" : "  after \(edge.lost) lost edge\(edge.lost == 1 ? "" : "s")"
        return "\(ISOTime.text(WallClock.local(time)))  \(lines[edge.line])  \(Self.word(edge.isActive))\(lost)\n"
    }

    private static func word(_ isActive: Bool) -> String { isActive ? "active" : "inactive" }
}
