import Decoders
import Modbus
import Profiles
import Serial

/// Something that answered or spoke.
struct FoundDevice {
    var line: LineSettings
    /// Its number on a Modbus bus; nil for a device that has the line for itself.
    var unit: UInt8?
    /// What it could be, the likeliest first; empty for one that no profile fits.
    var candidates: [ScanCandidate]
}

/// Counts what was heard without a message in it, so that a setting is given up in time.
private struct Bursts {
    private var count = 0
    private var byteCount = 0
    private var lastAt: ContinuousClock.Instant?

    mutating func received(_ bytes: Int, at now: ContinuousClock.Instant) {
        if lastAt.map({ now - $0 > .milliseconds(300) }) ?? true { count += 1 }
        lastAt = now
        byteCount += bytes
    }

    /// Two whole messages, or many bytes without a pause: the first may have been torn, and one of the others was not.
    var areEnough: Bool { count > 3 && byteCount > 60 || byteCount > 3_000 }
}

/// Looks for what hangs on a line: first it only listens, then it asks Modbus units for registers, and last it asks what
/// profiles of other devices ask.
///
/// Nothing is ever written to a unit. Once something was found at a setting of the line, no other setting is tried: what
/// shares a line shares its setting.
struct LineScan: ~Copyable {
    /// What it may do, and how long.
    struct Bounds {
        var units: ClosedRange<UInt8> = 1...20
        var listening: Duration = .seconds(11)
        /// Whether it may send anything.
        var asks = true
        /// Whether there is a line, with settings to be tried.
        var hasLine = true
    }

    private var line: ModbusLine
    private let bounds: Bounds
    private let tell: (String) -> Void
    /// Settings at which something came that no frame was.
    private(set) var garbledAt: [LineSettings] = []
    private var hasHeard = false

    init(_ line: consuming ModbusLine, _ bounds: Bounds, tell: @escaping (String) -> Void) {
        self.line = line
        self.bounds = bounds
        self.tell = tell
    }

    /// Everything that was found; throws when the port is lost, or when another master asks on this line.
    mutating func run(_ tries: [ScanPlan.Try]) throws(CommandFailure) -> [FoundDevice] {
        for attempt in tries where bounds.hasLine || !attempt.speaking.isEmpty {
            if let found = try listen(attempt) { return [found] }
            // Bytes come at every speed, if only as noise: who is silent at one is silent at all.
            if !hasHeard { break }
        }
        guard bounds.asks else { return [] }
        let profiles = tries.flatMap(\.units)
        for attempt in tries where attempt.mayHaveUnits {
            let found = try units(attempt, profiles)
            if !found.isEmpty { return found }
        }
        for attempt in tries {
            if let found = try ask(attempt) { return [found] }
        }
        return []
    }

    private func name(_ line: LineSettings) -> String { bounds.hasLine ? "\(line): " : "" }

    // MARK: listening

    private mutating func listen(_ attempt: ScanPlan.Try) throws(CommandFailure) -> FoundDevice? {
        tell("\(name(attempt.line))listening for \(bounds.listening.components.seconds) s")
        try line.set(attempt.line)
        let heard = try hear(attempt.speaking + attempt.asked, for: bounds.listening)
        guard let heard else { return nil }
        return FoundDevice(line: attempt.line, unit: nil, candidates: heard)
    }

    /// What speaks by itself, or nil; a little longer than its first message, since some say it in parts.
    private mutating func hear(
        _ profiles: [Profile], for time: Duration, after before: [UInt8] = []
    ) throws(CommandFailure) -> [ScanCandidate]? {
        let start = ContinuousClock.now
        var end = start + time
        var listener = MessageListener(profiles, at: start)
        listener.received(before, at: start)
        var bytes: [UInt8] = []
        var bursts = Bursts()
        var isFound = false
        while ContinuousClock.now < end {
            let new = try line.hear(until: end)
            guard !new.isEmpty else { continue }
            hasHeard = true
            bursts.received(new.count, at: ContinuousClock.now)
            listener.received(new, at: ContinuousClock.now)
            if bytes.count < 4_096 { bytes += new }
            try refuseOtherMaster(bytes)
            if !isFound, !listener.candidates.isEmpty {
                isFound = true
                end = min(end, ContinuousClock.now + .seconds(2))
            }
            if !isFound, bursts.areEnough { break }
        }
        let candidates = listener.candidates
        return candidates.isEmpty ? nil : candidates
    }

    /// Two masters on a line disturb each other, and one of them may be moving something.
    private func refuseOtherMaster(_ bytes: [UInt8]) throws(CommandFailure) {
        let requests = RTUTraffic.frames(in: bytes).filter { if case .request = $0.content { true } else { false } }
        guard requests.count > 1 else { return }
        throw CommandFailure(
            "somebody asks on this line already (\(requests[0])): two masters disturb each other. Stop it, or look with "
                + "`martlet sniff` at what it says")
    }

    // MARK: Modbus

    private mutating func units(_ attempt: ScanPlan.Try, _ profiles: [Profile]) throws(CommandFailure) -> [FoundDevice]
    {
        let (first, last) = (bounds.units.lowerBound, bounds.units.upperBound)
        tell("\(name(attempt.line))asking Modbus units \(first) to \(last)")
        try line.set(attempt.line)
        var found: [FoundDevice] = []
        for unit in bounds.units where try isThere(unit, attempt.line) {
            found.append(try identified(unit, attempt.line, profiles))
        }
        // Units that are silent when they are asked for what they don't have.
        for profile in attempt.units where found.isEmpty {
            guard case .modbus(let bus) = profile.bus else { continue }
            var identifier = UnitIdentifier([profile])
            let passes = try identifier.passes(profile) { request throws(CommandFailure) in
                try answer(bus.unit, request, attempt.line)
            }
            if passes { found.append(try identified(bus.unit, attempt.line, profiles)) }
        }
        return found
    }

    private mutating func isThere(_ unit: UInt8, _ line: LineSettings) throws(CommandFailure) -> Bool {
        if try answer(unit, .readHoldingRegisters(start: 0, count: 1), line) != nil { return true }
        // The first few are asked for the other table too: many sensors have only that.
        guard unit <= 5 else { return false }
        return try answer(unit, .readInputRegisters(start: 0, count: 1), line) != nil
    }

    private mutating func identified(
        _ unit: UInt8, _ line: LineSettings, _ profiles: [Profile]
    ) throws(CommandFailure) -> FoundDevice {
        tell("\(name(line))unit \(unit) answers; reading what it could be")
        var identifier = UnitIdentifier(profiles)
        let candidates = try identifier.candidates { request throws(CommandFailure) in
            try answer(unit, request, line)
        }
        return FoundDevice(line: line, unit: unit, candidates: candidates)
    }

    private mutating func answer(
        _ unit: UInt8, _ request: Request, _ settings: LineSettings
    ) throws(CommandFailure) -> Response? {
        switch try line.ask(unit, request) {
        case .answered(.exception(let code), _) where code.isUnitMissing: return nil
        case .answered(let response, _): return response
        case .failed(.garbled):
            if !garbledAt.contains(settings) { garbledAt.append(settings) }
            return nil
        case .failed, .toldAll: return nil
        }
    }

    // MARK: others

    private mutating func ask(_ attempt: ScanPlan.Try) throws(CommandFailure) -> FoundDevice? {
        for profile in attempt.asked {
            guard case .serial(let bus) = profile.bus else { continue }
            // What is sent once sets something; what is sent again and again only asks.
            for request in bus.requests where request.every != nil {
                tell("\(name(attempt.line))asking as \(profile.name) does")
                try line.set(attempt.line)
                try line.put(request.bytes)
                if bus.changesSpeed, let found = try readOut(profile, attempt.line) { return found }
                let wait = min(request.wait, .seconds(5))
                if let candidates = try hear([profile], for: wait) {
                    return FoundDevice(line: attempt.line, unit: nil, candidates: candidates)
                }
            }
        }
        return nil
    }

    /// Reads a meter out at the speed that it offers; nil for none that offers one.
    private mutating func readOut(_ profile: Profile, _ slow: LineSettings) throws(CommandFailure) -> FoundDevice? {
        var change = IECSpeedChange()
        _ = change.asked()
        let deadline = ContinuousClock.now + .seconds(3)
        var identification: [UInt8] = []
        while ContinuousClock.now < deadline {
            let new = try line.hear(until: deadline)
            identification += new
            guard let step = change.received(new.span) else { continue }
            try line.put(step.send)
            let sent = ContinuousClock.now + slow.byteTime * step.send.count + .milliseconds(100)
            // What comes meanwhile is an echo.
            while ContinuousClock.now < sent { _ = try line.hear(until: sent) }
            var fast = slow
            fast.baud = step.baud
            try line.set(fast)
            let candidates = try hear([profile], for: .seconds(10), after: identification) ?? []
            return FoundDevice(line: slow, unit: nil, candidates: candidates)
        }
        return nil
    }
}
