import Modbus
import Profiles
import Readings

/// Finds out what a Modbus unit is, by reading from it what profiles would read.
struct UnitIdentifier {
    /// More than these are not read in full: the probes have told enough.
    private static let mostInFull = 16

    private let profiles: [Profile]
    private var answers: [(request: Request, response: Response?)] = []

    init(_ profiles: [Profile]) {
        self.profiles = profiles.filter { if case .modbus = $0.bus { true } else { false } }
    }

    /// What it could be, the likeliest first; `ask` returns nil for no answer.
    mutating func candidates(_ ask: (Request) throws(CommandFailure) -> Response?) throws(CommandFailure)
        -> [ScanCandidate]
    {
        var possible: [Profile] = []
        for profile in profiles where try passes(profile, ask) { possible.append(profile) }
        var found: [ScanCandidate] = []
        for profile in possible.prefix(Self.mostInFull) {
            let candidate = try readAll(profile, ask)
            if candidate.fitting > 0 { found.append(candidate) }
        }
        return found.sorted()
    }

    /// Whether the one value that tells is there and right.
    mutating func passes(
        _ profile: Profile, _ ask: (Request) throws(CommandFailure) -> Response?
    ) throws(CommandFailure) -> Bool {
        guard let probe = profile.probe, let point = profile.point(probe.point),
            let value = try value(point, ask)
        else { return false }
        return probe.expected.isEmpty || value.asNumber.map(probe.accepts) ?? false
    }

    private mutating func value(
        _ point: ProfilePoint, _ ask: (Request) throws(CommandFailure) -> Response?
    ) throws(CommandFailure) -> Value? {
        guard case .register(let source) = point.source,
            let block = ReadPlan([source.point], maximumRegisters: 125, maximumHole: 0).blocks.first
        else { return nil }
        guard let response = try answer(block.request, ask) else { return nil }
        return block.value(of: source.point, in: response).flatMap { point.value(of: $0) }
    }

    private mutating func readAll(
        _ profile: Profile, _ ask: (Request) throws(CommandFailure) -> Response?
    ) throws(CommandFailure) -> ScanCandidate {
        var limit = 125
        if case .modbus(let bus) = profile.bus, let own = bus.maximumRegisters { limit = own }
        let points = profile.points.compactMap { point in
            if case .register(let source) = point.source { (point: point, source: source.point) } else { nil }
        }
        var candidate = ScanCandidate(profile: profile, fitting: 0, read: points.count)
        for block in ReadPlan(points.map(\.source), maximumRegisters: limit, maximumHole: 0).blocks {
            guard let response = try answer(block.request, ask) else { continue }
            for member in block.members {
                guard let raw = block.value(of: points[member].source, in: response) else { continue }
                // Where a device says that there is nothing, it says so in its own way: that fits too.
                let value = points[member].point.value(of: raw)
                if value.map(points[member].point.isPlausible) ?? true { candidate.fitting += 1 }
            }
        }
        return candidate
    }

    /// The same question is asked once: many profiles read the same registers.
    private mutating func answer(
        _ request: Request, _ ask: (Request) throws(CommandFailure) -> Response?
    ) throws(CommandFailure) -> Response? {
        if let known = answers.first(where: { $0.request == request }) { return known.response }
        let response = try ask(request)
        answers.append((request, response))
        return response
    }
}
