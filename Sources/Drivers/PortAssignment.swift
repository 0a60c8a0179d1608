import LinuxIO
import Profiles
import Readings
import Settings

/// A port and the devices on it.
struct PortAssignment: Equatable, Sendable {
    var port: PortSettings
    var devices: [DeviceSettings]
    /// The path of the virtual device, for a port with `simulate`.
    var simulated: String?

    /// The work of all, in the order of the configuration.
    static func all(
        _ ports: [PortSettings], _ devices: [DeviceSettings], _ simulated: [String: String]
    ) -> [PortAssignment] {
        ports.flatMap { port in
            groups(devices.filter { $0.port == port.key }).map { group in
                PortAssignment(port: port, devices: group, simulated: simulated[port.key])
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
    func unchanged(in next: [PortAssignment]) -> Set<String> {
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
