package import Control
package import LinuxIO
import Profiles
package import Readings
package import Settings

/// Runs all devices: one task for each port, children of one task group, on the devices' loop.
///
/// A port that hangs or fails delays no other; what each driver tells goes through `report`, in order.
package final class DeviceSupervisor: Sendable {
    private let loop: EventLoop
    private let drivers: [Driver]
    /// Which driver a device is with.
    private let places: [String: Int]

    /// `simulated` has the path of the virtual device for each port with `simulate`.
    ///
    /// `report` and `log` are called on
    /// the loop.
    package init(
        ports: [PortSettings], devices: [DeviceSettings], simulated: [String: String], on loop: EventLoop,
        report: @escaping @Sendable (DeviceReport) -> Void, log: @escaping @Sendable (DriverLog) -> Void
    ) {
        self.loop = loop
        var drivers: [Driver] = []
        var places: [String: Int] = [:]
        for port in ports {
            let own = devices.filter { $0.port == port.key }
            for group in Self.groups(own) {
                for device in group { places[device.key] = drivers.count }
                drivers.append(
                    Self.driver(port, group, simulated: simulated[port.key], on: loop, report: report, log: log))
            }
        }
        self.drivers = drivers
        self.places = places
    }

    /// Runs until its task is cancelled, and until the devices have been told offline.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            for driver in drivers {
                group.addTask(executorPreference: loop) { await driver.run() }
            }
        }
    }

    /// Writes a word to a point, once; ends when the device has answered, or could have.
    package func write(_ word: String, to point: String, of device: String) async -> WriteOutcome {
        guard let place = places[device] else {
            return .failed(Refusal(.deviceOffline, "there is no device '\(device)'"))
        }
        return await drivers[place].write(word, to: point, of: device)
    }

    /// Modbus devices share their port's bus; a device that speaks unasked has a port for itself.
    private static func groups(_ devices: [DeviceSettings]) -> [[DeviceSettings]] {
        let modbus = devices.filter { if case .modbus = $0.profile.bus { true } else { false } }
        let streams = devices.filter { if case .serial = $0.profile.bus { true } else { false } }
        return (modbus.isEmpty ? [] : [modbus]) + streams.map { [$0] }
    }

    private static func driver(
        _ port: PortSettings, _ devices: [DeviceSettings], simulated: String?, on loop: EventLoop,
        report: @escaping @Sendable (DeviceReport) -> Void, log: @escaping @Sendable (DriverLog) -> Void
    ) -> Driver {
        if let device = devices.first, case .serial(let bus) = device.profile.bus {
            return .stream(
                StreamDriver(port, device, bus, simulated: simulated, on: loop, report: report, log: log))
        }
        return .modbus(ModbusDriver(port, devices, simulated: simulated, on: loop, report: report, log: log))
    }
}
