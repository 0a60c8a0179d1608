import Control
import Readings

/// Outputs `a`, `b` and `c` of one board and what was done with them, by seconds since the beginning.
struct OutputBench {
    let start = ContinuousClock.now
    private let wallStart: Int64 = 1_780_000_000_000
    var actuators: Actuators
    private var settings: [Actuators.Name: ActuatorSettings]

    /// All with ON, OFF and TOGGLE, and safe when off.
    init(_ rules: [String: (inout ActuatorSettings) -> Void]) {
        settings = [:]
        for (name, change) in rules {
            var output = Self.plain
            change(&output)
            settings[Self.name(name)] = output
        }
        actuators = Actuators(settings, at: start)
    }

    static var plain: ActuatorSettings {
        var output = ActuatorSettings(accepts: .words(["ON", "OFF", "TOGGLE"]))
        output.toggles = ["TOGGLE"]
        output.safety.off = "OFF"
        output.safety.safe = "OFF"
        return output
    }

    static func name(_ point: String) -> Actuators.Name { Actuators.Name(device: "board", point: point) }

    func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

    private func time(_ seconds: Double) -> Timestamp {
        Timestamp(milliseconds: wallStart + Int64(seconds * 1000))
    }

    mutating func send(_ payload: String, to point: String, _ seconds: Double, retained: Bool = false) -> [String] {
        let incoming = IncomingCommand(payload: Array(payload.utf8), isRetained: retained)
        let name = Self.name(point)
        return texts(
            actuators.received(incoming, for: name, at: at(seconds), time: time(seconds)).map { (name, $0) })
    }

    mutating func finish(_ outcome: WriteOutcome, _ point: String, _ seconds: Double) -> [String] {
        texts(actuators.written(outcome, to: Self.name(point), at: at(seconds), time: time(seconds)))
    }

    mutating func done(_ point: String, _ seconds: Double) -> [String] {
        finish(.done(readBack: nil), point, seconds)
    }

    mutating func lost(_ point: String, _ seconds: Double) -> [String] {
        finish(.failed(Refusal(.timeout, "no answer")), point, seconds)
    }

    /// `readAt` is when it was measured, if not now.
    mutating func read(_ value: Value, of point: String, _ seconds: Double, readAt: Double? = nil) -> [String] {
        texts(
            actuators.observed(value, of: Self.name(point), at: at(readAt ?? seconds), now: at(seconds)))
    }

    mutating func online(_ seconds: Double) -> [String] {
        texts(actuators.statusChanged(of: "board", .online, at: at(seconds)))
    }

    mutating func offline(_ seconds: Double) -> [String] {
        texts(actuators.statusChanged(of: "board", .offline(.timeout, detail: "no answer"), at: at(seconds)))
    }

    mutating func tick(_ seconds: Double) -> [String] { texts(actuators.tick(at: at(seconds))) }

    mutating func reloadRejected(_ seconds: Double) -> [String] {
        texts(actuators.reloadRejected(at: at(seconds)))
    }

    mutating func link(isUp: Bool, _ seconds: Double) -> [String] {
        texts(actuators.linkChanged(isUp: isUp, at: at(seconds)))
    }

    mutating func stop(_ seconds: Double) -> [String] { texts(actuators.stop(at: at(seconds))) }

    mutating func release(keeping points: [String], _ seconds: Double) -> [String] {
        texts(actuators.release(keeping: Set(points.map(Self.name)), at: at(seconds)))
    }

    mutating func apply(_ seconds: Double, _ change: (inout [String: ActuatorSettings]) -> Void) -> [String] {
        var byPoint: [String: ActuatorSettings] = [:]
        for (name, output) in settings { byPoint[name.point] = output }
        change(&byPoint)
        settings = [:]
        for (point, output) in byPoint { settings[Self.name(point)] = output }
        return texts(actuators.apply(settings, at: at(seconds)))
    }

    /// In seconds since the beginning.
    var wakeAt: Double? {
        actuators.wakeAt.map { Double((($0 - start) / .milliseconds(1)).rounded()) / 1000 }
    }

    private func texts(_ steps: [Actuators.Step]) -> [String] {
        steps.map { name, action in
            switch action {
            case .write(let value): "\(name.point) <- \(value)"
            case .answer(let answer): "\(name.point): " + (answer.refusal?.word.rawValue ?? "ok")
            case .moved(let move):
                "\(name.point) \(move.reason.rawValue): " + (move.refusal?.word.rawValue ?? move.value)
            }
        }
    }
}
