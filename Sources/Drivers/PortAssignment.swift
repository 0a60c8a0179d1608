import LinuxIO
import Profiles
import Readings
import Settings
import Synchronization

/// One driver's work: a port and the devices on it.
struct DriverAssignment: Equatable, Sendable {
    var port: PortSettings
    var devices: [DeviceSettings]
    /// The path of the virtual device, for a port with `simulate`.
    var simulated: String?

    /// The work of all, in the order of the configuration.
    static func all(
        _ ports: [PortSettings], _ devices: [DeviceSettings], _ simulated: [String: String]
    ) -> [DriverAssignment] {
        ports.flatMap { port in
            groups(devices.filter { $0.port == port.key }).map { group in
                DriverAssignment(port: port, devices: group, simulated: simulated[port.key])
            }
        }
    }

    /// Modbus devices share their port's bus; a device that speaks unasked has a port for itself.
    private static func groups(_ devices: [DeviceSettings]) -> [[DeviceSettings]] {
        let modbus = devices.filter { if case .modbus = $0.profile.bus { true } else { false } }
        let streams = devices.filter { if case .serial = $0.profile.bus { true } else { false } }
        return (modbus.isEmpty ? [] : [modbus]) + streams.map { [$0] }
    }

    /// The devices that are the same in what comes next, on the same port.
    func unchanged(in next: [DriverAssignment]) -> Set<String> {
        let later = next.filter { $0.port == port && $0.simulated == simulated }.flatMap(\.devices)
        return Set(devices.filter(later.contains).map(\.key))
    }

    func driver(
        on loop: EventLoop, _ bell: PortBell, _ board: StatisticsBoard,
        report: @escaping @Sendable (DeviceReport) -> Void,
        log: @escaping @Sendable (DriverLog) -> Void
    ) -> Driver {
        if let device = devices.first, case .serial(let bus) = device.profile.bus {
            return .stream(
                StreamDriver(port, device, bus, simulated: simulated, on: loop, bell, board, report: report, log: log))
        }
        return .modbus(
            ModbusDriver(port, devices, simulated: simulated, on: loop, bell, board, report: report, log: log))
    }
}

/// What a driver tells; when it ends because its port or a device of it was configured anew, this is what is said, and
/// not that the gateway stops.
final class LeavingReports: Sendable {
    private let report: @Sendable (DeviceReport) -> Void
    /// Nil while it runs.
    private let staying = Mutex<Set<String>?>(nil)

    init(_ report: @escaping @Sendable (DeviceReport) -> Void) {
        self.report = report
    }

    /// The driver is about to end; those that stay as they are come back at once, with the next driver.
    func leave(staying devices: Set<String>) {
        staying.withLock { $0 = devices }
    }

    func tell(_ told: DeviceReport) {
        guard case .status(let device, .offline(.stopping, _), let since) = told,
            let staying = staying.withLock({ $0 })
        else { return report(told) }
        guard !staying.contains(device) else { return }
        report(.status(device: device, .offline(.starting, detail: "its configuration was changed"), since: since))
    }
}
