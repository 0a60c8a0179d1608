import Control
import Readings

/// Relays with their devices, wires and people, by chance: what the gateway decides is carried out, or not, and what must
/// never be is looked for after everything that happens.
struct OutputWorld {
    /// What broke a promise.
    struct Broken: Error, CustomStringConvertible {
        var description: String
    }

    struct Relay {
        let name: Actuators.Name
        var isOn = false
        var wasOn = false
        var changedAt: ContinuousClock.Instant
        var flight: Flight?
        var failedAt: ContinuousClock.Instant?
        /// When a command to switch it on came last that may be carried out.
        var wantedAt: ContinuousClock.Instant?
        var commandedAt: ContinuousClock.Instant
        var isConfigured = true
    }

    /// A write under way.
    struct Flight {
        var isOn: Bool
        var outcome: WriteOutcome
        var isApplied: Bool
        var endsAt: ContinuousClock.Instant
    }

    static let maxAge: Duration = .seconds(5)
    private static let patience: Duration = .seconds(30)

    let start: ContinuousClock.Instant
    var now: ContinuousClock.Instant
    var random: SeededRandom
    var relays: [Relay]
    var online: [String: Bool] = [:]
    var onlineSince: [String: ContinuousClock.Instant] = [:]
    var actuators: Actuators
    var settings: [Actuators.Name: ActuatorSettings]
    var isLinkUp = false
    var lastSign: ContinuousClock.Instant
    var processStart: ContinuousClock.Instant
    var commands = 0
    var answers = 0
    var told: Set<Actuators.Name> = []
    var isStopping = false
    /// The settings of the output that comes and goes.
    var kept: ActuatorSettings?
    /// What happened, for who has to find out why.
    var story: [String] = []
    let tells: Bool

    init(seed: UInt64, tells: Bool = false) {
        let beginning = ContinuousClock.now
        let names = [("one", "a"), ("one", "b"), ("two", "c"), ("two", "d")].map(Actuators.Name.init)
        start = beginning
        now = beginning
        random = SeededRandom(seed: seed)
        self.tells = tells
        relays = names.map { Relay(name: $0, changedAt: beginning, commandedAt: beginning) }
        settings = Self.settings(names)
        lastSign = beginning
        processStart = beginning
        actuators = Actuators(settings, at: beginning)
        // Who knows how they were left.
        for index in relays.indices where chance(2) && partners(index).allSatisfy({ !relays[$0].isOn }) {
            relays[index].isOn = true
        }
    }

    /// Those that must not be on with it: `b` is between `a` and `c`.
    func partners(_ index: Int) -> [Int] { [[1], [0, 2], [1], []][index] }

    private static func settings(_ names: [Actuators.Name]) -> [Actuators.Name: ActuatorSettings] {
        var all: [Actuators.Name: ActuatorSettings] = [:]
        for (index, name) in names.enumerated() {
            var output = ActuatorSettings(accepts: .words(["ON", "OFF", "TOGGLE"]))
            output.toggles = ["TOGGLE"]
            output.maxAge = maxAge
            output.safety.off = "OFF"
            output.safety.safe = "OFF"
            output.safety.initial = index == 3 ? nil : "OFF"
            output.safety.maxOn = [.seconds(60), nil, .seconds(30), nil][index]
            output.safety.minOff = index == 2 ? .seconds(10) : nil
            output.safety.safeAfter = index == 3 ? .seconds(40) : nil
            output.rateLimit = index == 3 ? RateLimit(count: 5, period: .seconds(60)) : nil
            output.safety.interlock = index == 0 ? [names[1]] : index == 2 ? [names[1]] : []
            all[name] = output
        }
        return all
    }

    // MARK: time

    mutating func chance(_ of: UInt64) -> Bool { random.next(below: of) == 0 }

    mutating func pass(_ time: Duration) throws(Broken) {
        let until = now + time
        var turns = 0
        while let due = nextDue(), due <= until {
            turns += 1
            guard turns < 1_000 else { throw broken("it never comes to rest") }
            now = max(now, due)
            if let index = relays.firstIndex(where: { $0.flight.map { $0.endsAt <= now } ?? false }) {
                try land(index)
            } else {
                try carryOut(actuators.tick(at: now))
            }
            try check()
        }
        now = until
    }

    private func nextDue() -> ContinuousClock.Instant? {
        (relays.compactMap(\.flight?.endsAt) + [actuators.wakeAt].compactMap(\.self)).min()
    }

    var wallClock: Timestamp {
        Timestamp(milliseconds: 1_780_000_000_000 + Int64((now - start) / .milliseconds(1)))
    }

    mutating func note(_ text: @autoclosure () -> String) {
        if tells { story.append("\((now - start) / .seconds(1)): \(text())") }
    }

    func broken(_ what: String) -> Broken { Broken(description: "\(what) after \((now - start) / .seconds(1)) s") }

    // MARK: what the gateway does

    mutating func carryOut(_ steps: [Actuators.Step]) throws(Broken) {
        for (name, action) in steps {
            switch action {
            case .answer(let answer):
                note("\(name.point): \(String(decoding: answer.payload, as: UTF8.self))")
                answers += 1
            case .moved(let move):
                note("\(name.point): \(move.reason) \(move.value) \(move.refusal?.word.rawValue ?? "")")
                if move.refusal != nil { told.insert(name) }
            case .write(let value): try takeOff(value, name)
            }
        }
    }

    private mutating func takeOff(_ value: String, _ name: Actuators.Name) throws(Broken) {
        guard let index = relays.firstIndex(where: { $0.name == name }) else { throw broken("an unknown output") }
        guard relays[index].flight == nil else { throw broken("two writes at once to \(name.point)") }
        if value == "ON" {
            guard let wantedAt = relays[index].wantedAt, now - wantedAt <= Self.maxAge else {
                throw broken("\(name.point) is switched on by a command that is too old, or by none")
            }
        }
        var flight = flight(value == "ON", name)
        note("\(name.point) <- \(value), \(flight.isApplied ? "carried out" : "not carried out"): \(flight.outcome)")
        if flight.isApplied, chance(2) {
            try turn(index, flight.isOn)
            flight.isApplied = false
        }
        relays[index].flight = flight
    }

    private mutating func flight(_ isOn: Bool, _ name: Actuators.Name) -> Flight {
        let endsAt = now + .milliseconds(Int64(20 + random.next(below: chance(4) ? 8_000 : 500)))
        func failed(_ word: Refusal.Word) -> WriteOutcome { .failed(Refusal(word, "by chance")) }
        let isReachable = online[name.device] ?? chance(2)
        guard isReachable else {
            return Flight(isOn: isOn, outcome: failed(.deviceOffline), isApplied: false, endsAt: endsAt)
        }
        let (outcome, isApplied): (WriteOutcome, Bool) =
            switch random.next(below: 20) {
            case 0: (failed(.timeout), true)
            case 1: (failed(.timeout), false)
            case 2: (failed(.verifyFailed), chance(2))
            case 3: (failed(.refusedByDevice), false)
            case 4: (failed(.deviceOffline), false)
            case 5..<10: (.done(readBack: .text(isOn ? "ON" : "OFF")), true)
            default: (.done(readBack: nil), true)
            }
        return Flight(isOn: isOn, outcome: outcome, isApplied: isApplied, endsAt: endsAt)
    }

    mutating func land(_ index: Int) throws(Broken) {
        guard let flight = relays[index].flight else { return }
        relays[index].flight = nil
        if flight.isApplied { try turn(index, flight.isOn) }
        if case .failed = flight.outcome { relays[index].failedAt = now } else { relays[index].failedAt = nil }
        try carryOut(actuators.written(flight.outcome, to: relays[index].name, at: now, time: wallClock))
    }

    /// The relay moves.
    mutating func turn(_ index: Int, _ isOn: Bool) throws(Broken) {
        guard relays[index].isOn != isOn else { return }
        if isOn, let minOff = settings[relays[index].name]?.safety.minOff {
            guard now - relays[index].changedAt >= minOff else {
                throw broken("\(relays[index].name.point) was off too shortly")
            }
        }
        relays[index].wasOn = relays[index].isOn
        relays[index].isOn = isOn
        relays[index].changedAt = now
    }

    // MARK: promises

    func check() throws(Broken) {
        if relays[1].isOn, relays[0].isOn || relays[2].isOn { throw broken("two of an interlock are on") }
        guard !isStopping else { return }
        for relay in relays where relay.isOn && relay.isConfigured {
            guard let safety = settings[relay.name]?.safety else { continue }
            if let maxOn = safety.maxOn, now > max(relay.changedAt, processStart) + maxOn, !isExcused(relay) {
                throw broken("\(relay.name.point) is on past max_on")
            }
            if let safeAfter = safety.safeAfter, !isLinkUp, !isExcused(relay),
                now > max(lastSign, relay.commandedAt) + safeAfter
            {
                throw broken("\(relay.name.point) is on without anybody who controls it")
            }
        }
    }

    /// Nothing can be done about it at the moment: its device is gone, a write is under way, or the last one failed.
    private func isExcused(_ relay: Relay) -> Bool {
        guard online[relay.name.device] == true, relay.flight == nil else { return true }
        return relay.failedAt.map { now <= $0 + Self.patience } ?? false
    }

    /// After a stop an output is off, or it was said that it could not be switched off.
    func checkEnd() throws(Broken) {
        for relay in relays where relay.isOn && relay.isConfigured && !told.contains(relay.name) {
            throw broken("\(relay.name.point) is on after the stop, and nobody said so")
        }
        guard answers == commands else { throw broken("\(commands) commands had \(answers) answers") }
        guard actuators.isIdle else { throw broken("a write that never began is waited for") }
    }
}

/// The same numbers for the same seed (SplitMix64).
struct SeededRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

    mutating func next(below limit: UInt64) -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return (z ^ (z >> 31)) % limit
    }
}
