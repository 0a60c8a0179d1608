import LinuxIO
import Profiles
import Serial

/// A port that is only listened to; Ctrl-C ends that.
struct LineEar: ~Copyable {
    private let port: SerialPort
    private let signals: SignalFD
    private var poller: Poller
    // Without a value of its own: Swift 6.2 can't compile an initializer that throws before it has used it.
    private var buffer: [UInt8]

    init(_ path: String, _ line: LineSettings) throws {
        let port = try SerialPort(opening: .device(path), line)
        let signals = try SignalFD([.interrupt, .terminate])
        var poller = try Poller()
        try poller.add(port.descriptor, token: 0, reading: true, writing: false)
        try poller.add(signals.descriptor, token: 1, reading: true, writing: false)
        self.port = port
        self.signals = signals
        self.poller = poller
        buffer = [UInt8](repeating: 0, count: 4_096)
    }

    func set(_ line: LineSettings) throws { try SerialPort.set(port.descriptor, line, port: port.path) }

    /// How many bytes came with a wrong parity or without an end since the port was opened; nil where the driver does not
    /// count.
    var errors: Int? { port.lineErrors }

    /// What comes until then, or nothing; nil when a person ended it.
    mutating func hear(until deadline: ContinuousClock.Instant?) throws -> [UInt8]? {
        var ready: [PollEvent] = []
        try poller.wait(until: deadline, into: &ready)
        guard !ready.contains(where: { $0.token == 1 }) else { return nil }
        guard !ready.isEmpty else { return [] }
        switch port.receive(into: &buffer) {
        case .bytes(let count): return Array(buffer[..<count])
        case .wouldBlock: return []
        case .lost(let error): throw CommandFailure("\(error)")
        }
    }
}

/// Finds the settings at which most makes sense of what is said on a line.
struct LineGuess {
    /// So many bytes tell enough.
    private static let enough = 400
    private static let longest: Duration = .seconds(3)

    private let lines: [LineSettings]
    private let profiles: [Profile]

    init(_ profiles: [Profile], baudrate: Int?, format: LineFormat?) {
        self.profiles = profiles.filter { if case .serial = $0.bus { true } else { false } }
        var lines = ScanPlan(profiles, baudrate: baudrate, format: format).tries.map(\.line)
        for baud in [57_600, 1_200, 300, 230_400] where baudrate == nil {
            let line = LineSettings(baud: baud, format ?? LineFormat())
            if !lines.contains(line) { lines.append(line) }
        }
        self.lines = lines
    }

    /// The best settings; nil when a person ended it or nothing was heard in time.
    func run(
        _ ear: inout LineEar, until end: ContinuousClock.Instant?, tell: (String) -> Void
    ) throws -> LineSettings? {
        tell("listening; nothing is sent")
        guard try hasBegun(&ear, until: end, tell) else { return nil }
        var best: (line: LineSettings, traffic: Traffic)?
        for line in lines where end.map({ ContinuousClock.now < $0 }) ?? true {
            guard let traffic = try listen(&ear, at: line) else { return nil }
            tell("\(line): \(traffic.what)")
            if best.map({ $0.traffic < traffic }) ?? true { best = (line, traffic) }
            if traffic.kind == .proven, traffic.share > 0.8 { break }
        }
        guard let best, best.traffic.kind > .unknown else {
            tell("no setting makes sense of it; the likeliest is \(best?.line.description ?? "none")")
            return best?.line
        }
        tell("it is \(best.line): \(best.traffic.what)")
        return best.line
    }

    /// Waits for the first byte.
    private func hasBegun(
        _ ear: inout LineEar, until end: ContinuousClock.Instant?, _ tell: (String) -> Void
    ) throws -> Bool {
        var hint: ContinuousClock.Instant? = ContinuousClock.now + .seconds(10)
        while end.map({ ContinuousClock.now < $0 }) ?? true {
            let wakeAt = [hint, end].compactMap(\.self).min()
            guard let heard = try ear.hear(until: wakeAt) else { return false }
            if !heard.isEmpty { return true }
            if let at = hint, ContinuousClock.now >= at {
                hint = nil
                tell("nothing yet: does anybody speak, are A and B (or RX) connected the right way round?")
            }
        }
        tell("nothing was heard")
        return false
    }

    private func listen(_ ear: inout LineEar, at line: LineSettings) throws -> Traffic? {
        try ear.set(line)
        let start = ContinuousClock.now
        let errorsBefore = ear.errors ?? 0
        var listener = MessageListener(profiles, at: start)
        var bytes: [UInt8] = []
        let deadline = start + Self.longest
        while ContinuousClock.now < deadline, bytes.count < Self.enough {
            guard let heard = try ear.hear(until: deadline) else { return nil }
            bytes += heard
            listener.received(heard, at: ContinuousClock.now)
        }
        let messages = listener.sightings.mapValues(\.messages)
        return Traffic(bytes, messages: messages, lineErrors: max(0, (ear.errors ?? 0) - errorsBefore))
    }
}
