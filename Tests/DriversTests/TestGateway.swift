import Control
import Drivers
import LinuxIO
import Modbus
import Profiles
import Readings
import Settings
import Synchronization
import Testing

/// A loop with a supervisor on it, and everything that its drivers told.
final class TestGateway: Sendable {
    private struct State {
        var reports: [DeviceReport] = []
        var waiters: [Int: Waiter] = [:]
        var nextKey = 0
    }

    private struct Waiter {
        var condition: @Sendable ([DeviceReport]) -> Bool
        var continuation: CheckedContinuation<Void, Never>
    }

    let loop: EventLoop
    private let supervisor: Mutex<DeviceSupervisor?> = Mutex(nil)
    private let task: Mutex<Task<Void, Never>?> = Mutex(nil)
    private let state = Mutex(State())

    init() throws {
        loop = try EventLoop(name: "test devices")
    }

    func run(_ ports: [PortSettings], _ devices: [DeviceSettings], simulated: [String: String] = [:]) {
        var settings = DeviceSupervisor.Settings(ports: ports, devices: devices)
        settings.simulated = simulated
        let supervisor = DeviceSupervisor(
            settings, on: loop, report: { [self] in received($0) },
            log: { _ in })
        self.supervisor.withLock { $0 = supervisor }
        task.withLock { $0 = Task(executorPreference: loop) { await supervisor.run() } }
    }

    /// Goes on with other ports and devices, as a changed configuration does.
    func change(_ ports: [PortSettings], _ devices: [DeviceSettings]) async {
        guard let supervisor = supervisor.withLock({ $0 }) else { return }
        var settings = DeviceSupervisor.Settings(ports: ports, devices: devices)
        settings.simulated = [:]
        await supervisor.endChanged(settings)
        await supervisor.startMissing()
    }

    func write(_ word: String, to point: String, of device: String) async -> WriteOutcome {
        guard let supervisor = supervisor.withLock({ $0 }) else {
            return .failed(Refusal(.deviceOffline, "not running"))
        }
        return await supervisor.write(word, to: point, of: device)
    }

    /// Stops the drivers and waits for their last reports.
    func stop() async {
        let task = task.withLock { $0 }
        task?.cancel()
        await task?.value
    }

    var reports: [DeviceReport] { state.withLock { $0.reports } }

    func readings(of device: String, _ point: String? = nil) -> [Reading] {
        reports.flatMap { report -> [Reading] in
            guard case .readings(let readings) = report else { return [] }
            return readings.filter { $0.device == device && (point == nil || $0.point == point) }
        }
    }

    func statuses(of device: String) -> [DeviceStatus] {
        reports.compactMap { report in
            if case .status(device, let status, _) = report { status } else { nil }
        }
    }

    /// Waits until what was told so far fulfils `condition`; looks again with every report.
    func wait(_ condition: @escaping @Sendable ([DeviceReport]) -> Bool) async {
        let key = state.withLock { state in
            state.nextKey += 1
            return state.nextKey
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if condition(state.reports) || Task.isCancelled { return true }
                    state.waiters[key] = Waiter(condition: condition, continuation: continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            // The test's time limit: without this it would hang instead of failing.
            state.withLock { $0.waiters.removeValue(forKey: key) }?.continuation.resume()
        }
    }

    /// Lets the devices run for a while.
    func wait(for time: Duration) async {
        try? await loop.sleep(for: time)
    }

    func waitForStatus(of device: String, _ matches: @escaping @Sendable (DeviceStatus) -> Bool) async {
        await wait { reports in
            let last = reports.last { if case .status(device, _, _) = $0 { true } else { false } }
            if case .status(_, let status, _) = last { return matches(status) }
            return false
        }
    }

    private func received(_ report: DeviceReport) {
        let met = state.withLock { state in
            state.reports.append(report)
            let met = state.waiters.filter { $0.value.condition(state.reports) }
            for key in met.keys { state.waiters[key] = nil }
            return met
        }
        for waiter in met.values { waiter.continuation.resume() }
    }
}

/// The profiles and settings that the tests use.
enum Toy {
    static let meterText = """
        profile: toy-meter
        bus: { kind: modbus, baudrate: 115200 }
        defaults: { table: input, type: float32 }
        points:
          voltage: { at: 0x0000, unit: V }
          power:   { at: 0x000C, unit: W }
          energy:  { at: 0x0048, unit: kWh }
        tests:
          - { send: "01 04 00 00 00 02 71 CB", recv: "01 04 04 43 66 33 34 1B 38", gives: { voltage: 230.2 } }
        """

    static let relayText = """
        profile: toy-relay
        bus: { kind: modbus, baudrate: 115200 }
        points:
          relay_1:
            table: coil
            at: 0
            map: { 0: "OFF", 1: "ON" }
            command: { write: { fc: 5, "ON": 0xFF00, "OFF": 0, TOGGLE: 0x5500 }, verify: read-back }
        tests:
          - { send: "01 05 00 00 FF 00 8C 3A", recv: "01 05 00 00 FF 00 8C 3A", writes: { relay_1: "ON" } }
        """

    static let smartMeterText = """
        profile: toy-p1
        bus: { kind: serial, baudrate: 115200, decoder: dsmr-p1, every: 1s }
        points:
          power: { obis: 1-0:1.7.0, unit: W }
          energy: { obis: 1-0:1.8.1, unit: kWh }
        tests:
          - recv: "00"
            gives: { power: 1 }
        """

    static let askedText = """
        profile: toy-co2
        bus: { kind: serial, baudrate: 115200, every: 300ms, echo: drop }
        requests: { read: { send: FF 01 86 00 00 00 00 00 79, wait: 200ms } }
        frames: { answer: { start: FF 86, length: 9, checksum: { neg-sum8: [1, 7], at: 8 } } }
        points: { co2: { at: 2, type: u16be, unit: ppm } }
        tests: [ { recv: "FF 86 02 7C 42 00 00 00 BA", gives: { co2: 636 } } ]
        """

    static func profile(_ text: String) throws -> Profile {
        try #require(Profile.read(text, file: "toy.yaml").profiles.first)
    }

    static func device(
        _ key: String, _ text: String, unit: UInt8 = 1, port: String = "bus", poll: Duration? = .milliseconds(100)
    ) throws -> DeviceSettings {
        let profile = try profile(text)
        var device = DeviceSettings(
            key: key, profile: profile, port: port, unit: unit,
            points: profile.points.map { DevicePoint(definition: $0) })
        device.poll = poll
        return device
    }

    /// A port on which no answer is late, however busy the machine; tests of silence ask for a shorter time.
    static func port(_ path: String, key: String = "bus", timeout: Duration = .seconds(30)) -> PortSettings {
        var port = PortSettings(key: key, place: .device(path: path))
        port.modbus.timeout = timeout
        port.modbus.pause = .milliseconds(2)
        return port
    }
}
