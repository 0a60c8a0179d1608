import Modbus
import Profiles
import Readings
import Settings

/// One device on a Modbus bus: which of its points are due, and what its last cycle came to.
struct ModbusDevice {
    /// Points that are read at the same pace.
    private struct Group {
        var interval: Duration
        var points: [Int]
        var dueAt: ContinuousClock.Instant
    }

    /// How the device likes to be read; it learns from refusals.
    private enum Joining {
        case overHoles
        case withoutHoles
        case alone
    }

    /// What came of the requests of one cycle.
    struct Cycle {
        var waiting = 0
        var values = 0
        var exception: String?
        /// The first one; after it the rest is not even sent.
        private(set) var failure: MasterState.Failure?

        init(waiting: Int) {
            self.waiting = waiting
        }

        mutating func failed(_ new: MasterState.Failure) {
            failure = failure ?? new
        }
    }

    private static let refusalHolds: Duration = .seconds(600)

    let settings: DeviceSettings
    var keeper: StatusKeeper
    var cycle: Cycle?
    var failedCycles = 0
    private var groups: [Group] = []
    private let sources: [RegisterPoint?]
    private var joining = Joining.overHoles
    /// Points that the device said it does not have, and until when it is believed: some say so while they start.
    private var refused: Set<Int> = []
    private var refusedUntil: ContinuousClock.Instant?
    private var hasToldOverrun = false
    private let maximumRegisters: Int
    private let maximumHole: Int
    /// Whether it stands for all units of the line: they are told, and never asked.
    let isForAll: Bool

    init(_ settings: DeviceSettings, _ port: PortSettings, start: ContinuousClock.Instant) {
        self.settings = settings
        keeper = StatusKeeper(device: settings.key)
        maximumHole = port.maximumHole
        maximumRegisters = settings.maximumRegisters(on: port)
        sources = settings.points.map { point in
            if case .register(let source) = point.definition.source { source.point } else { nil }
        }
        isForAll = settings.unit == 0 && port.modbus.mode != .tcp
        for index in settings.points.indices where sources[index] != nil && !isForAll {
            let interval = max(settings.points[index].poll ?? settings.poll ?? .seconds(5), .milliseconds(1))
            if let group = groups.firstIndex(where: { $0.interval == interval }) {
                groups[group].points.append(index)
            } else {
                groups.append(Group(interval: interval, points: [index], dueAt: start))
            }
        }
    }

    /// When the next poll is due; nil while one is under way.
    var dueAt: ContinuousClock.Instant? { cycle == nil ? groups.map(\.dueAt).min() : nil }

    /// The requests that are due now, and moves the due times on; without drift, and without catching up.
    mutating func due(at now: ContinuousClock.Instant) -> [ReadPlan.Block] {
        guard cycle == nil else { return [] }
        var members: [Int] = []
        for index in groups.indices where groups[index].dueAt <= now {
            members += groups[index].points
            groups[index].dueAt = Self.next(after: groups[index].dueAt, groups[index].interval, now)
        }
        guard !members.isEmpty else { return [] }
        if let refusedUntil, now >= refusedUntil { refused.removeAll() }
        return blocks(members.filter { !refused.contains($0) })
    }

    /// The first time after `now` that is a whole number of intervals from `due`.
    private static func next(
        after due: ContinuousClock.Instant, _ interval: Duration, _ now: ContinuousClock.Instant
    ) -> ContinuousClock.Instant {
        let next = due + interval
        guard next <= now else { return next }
        // More intervals than that can't have passed, and a product must not overflow.
        let passed = min(((now - due) / interval).rounded(.down), 1e9)
        let later = due + interval * Int(passed) + interval
        return later > now ? later : now + interval
    }

    /// A sentence, once, when a cycle that went well took so long that the next poll is a whole interval late.
    mutating func overrun(at now: ContinuousClock.Instant) -> String? {
        guard let cycle, cycle.waiting == 0, cycle.failure == nil, !hasToldOverrun,
            let late = groups.filter({ $0.dueAt + $0.interval <= now }).map(\.interval).min()
        else { return nil }
        hasToldOverrun = true
        return "\(settings.key): its bus can't read it every \(late); give its devices a longer 'poll'"
    }

    /// Reads everything again as soon as possible: after a write, or when the port is back.
    mutating func pollSoon(at now: ContinuousClock.Instant) {
        for index in groups.indices { groups[index].dueAt = min(groups[index].dueAt, now) }
    }

    private func blocks(_ members: [Int]) -> [ReadPlan.Block] {
        let points = members.compactMap { sources[$0] }
        let plan: [ReadPlan.Block]
        switch joining {
        case .overHoles:
            plan = ReadPlan(points, maximumRegisters: maximumRegisters, maximumHole: maximumHole).blocks
        case .withoutHoles: plan = ReadPlan(points, maximumRegisters: maximumRegisters, maximumHole: 0).blocks
        case .alone: plan = points.indices.flatMap { alone(points, $0) }
        }
        // The plan counts within `points`; the device counts its own.
        return plan.map { block in
            var block = block
            block.members = block.members.map { members[$0] }
            return block
        }
    }

    private func alone(_ points: [RegisterPoint], _ index: Int) -> [ReadPlan.Block] {
        ReadPlan([points[index]], maximumRegisters: maximumRegisters, maximumHole: 0).blocks.map { block in
            var block = block
            block.members = [index]
            return block
        }
    }

    /// The readings in the answer to a block.
    func readings(_ block: ReadPlan.Block, _ response: Response, at moment: Moment) -> [Reading] {
        block.members.compactMap { member in
            let point = settings.points[member].definition
            guard let source = sources[member], let raw = block.value(of: source, in: response),
                let value = point.value(of: raw)
            else { return nil }
            return Reading(
                device: settings.key, point: point.name, value: value, unit: point.unit, measuredAt: moment,
                quality: point.isPlausible(value) ? .good : .bad)
        }
    }

    /// The device refused a block with an illegal address: it may dislike the hole, or one register among many.
    ///
    /// Returns what is done about it, for the log.
    mutating func blockRefused(
        _ block: ReadPlan.Block, _ code: ExceptionCode, at now: ContinuousClock.Instant
    ) -> String {
        let range = "\(block.table.rawValue) \(block.start) to \(Int(block.start) + Int(block.count) - 1)"
        let told = "\(settings.key): \(code) for \(range)"
        guard code == .illegalDataAddress || code == .illegalFunction || code == .illegalDataValue else { return told }
        switch joining {
        case .overHoles:
            joining = .withoutHoles
            return "\(told); from now on without reading over holes"
        case .withoutHoles:
            joining = .alone
            return "\(told); from now on each point by itself"
        case .alone:
            refused.formUnion(block.members)
            refusedUntil = now + Self.refusalHolds
            let names = block.members.map { settings.points[$0].definition.name }.joined(separator: ", ")
            return
                "\(told); \(names) is left out: does this model have it? switch it off with 'points: { \(names): off }'"
        }
    }

    /// A cycle's last answer is in: what it says about the device.
    mutating func cycleEnded(port: String, offlineAfter: Int) -> DeviceStatus? {
        guard let ended = cycle, ended.waiting == 0 else { return nil }
        cycle = nil
        let unit = "unit \(settings.unit) on \(port)"
        if ended.values > 0 {
            failedCycles = 0
            return .online
        }
        if let exception = ended.exception {
            failedCycles = 0
            return .offline(.refused, detail: "\(unit): \(exception)")
        }
        failedCycles += 1
        // A single failure is no reason for alarm, unless the device has never answered.
        guard failedCycles >= offlineAfter || keeper.isStarting else { return nil }
        switch ended.failure {
        case .garbled:
            return .offline(.garbled, detail: "\(unit): answers can't be read; check wiring, baudrate and format")
        // Nothing was asked: what is known stays.
        case .setAside, .portLost, .portLostMeanwhile, .expired, nil: return nil
        case .noAnswer:
            return .offline(.timeout, detail: "\(unit): no answer \(min(failedCycles, offlineAfter))x")
        }
    }
}
