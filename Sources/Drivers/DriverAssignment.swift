import LinuxIO
import Readings
import Settings

/// One driver's work.
enum DriverAssignment: Equatable, Sendable {
    case port(PortAssignment)
    case lines(GPIODeviceSettings)
    case files(SysfsDeviceSettings)

    /// The work of all, in the order of the configuration.
    static func all(_ settings: DeviceSupervisor.Settings) -> [DriverAssignment] {
        PortAssignment.all(settings.ports, settings.devices, settings.simulated).map { .port($0) }
            + settings.gpio.map { .lines($0) } + settings.sysfs.map { .files($0) }
    }

    var devices: [String] {
        switch self {
        case .port(let port): port.devices.map(\.key)
        case .lines(let device): [device.key]
        case .files(let device): [device.key]
        }
    }

    /// The devices that are the same in what comes next.
    func unchanged(in next: [DriverAssignment]) -> Set<String> {
        switch self {
        case .port(let port):
            port.unchanged(
                in: next.compactMap { if case .port(let other) = $0 { other } else { nil } })
        case .lines, .files: next.contains(self) ? Set(devices) : []
        }
    }

    func driver(
        on loop: EventLoop, _ bell: PortBell, _ board: StatisticsBoard, _ totals: KeptTotals,
        report: @escaping @Sendable (DeviceReport) -> Void,
        log: @escaping @Sendable (DriverLog) -> Void
    ) -> Driver {
        switch self {
        case .port(let port): port.driver(on: loop, bell, board, report: report, log: log)
        case .lines(let device):
            switch device.use {
            case .cover(let cover, _, _):
                .cover(CoverDriver(device, cover, on: loop, totals, report: report, log: log))
            case .stepper(let stepper, let drive):
                .stepper(StepperDriver(device, stepper, drive, on: loop, totals, report: report, log: log))
            case .pwm(let pwm): .pulseWidth(PWMDriver(device, pwm, on: loop, report: report, log: log))
            case .input, .output, .watchdog:
                .lines(GPIODriver(device, on: loop, totals, report: report, log: log))
            }
        case .files(let device): .files(FileDriver(device, on: loop, report: report, log: log))
        }
    }
}
