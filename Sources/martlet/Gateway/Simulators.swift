import LinuxIO
import Settings
import Simulation
import Synchronization

/// The virtual devices of ports with `simulate:`, on a loop of their own.
///
/// Like real devices they keep their pace whatever the gateway does.
actor Simulators {
    /// What is plugged into a port.
    private enum Kind: Equatable {
        case model(SimulatedProfile)
        case script(DeviceScript)
    }

    private struct Plugged {
        var kind: Kind
        var device: VirtualDevice
        var path: String
    }

    private var devices: [String: Plugged] = [:]
    private let loop = Mutex<EventLoop?>(nil)

    /// By port; a port without a device needs none.
    private static func kinds(_ settings: GatewaySettings) -> [String: Kind] {
        var kinds: [String: Kind] = [:]
        for port in settings.ports {
            guard case .simulate(let name) = port.place else { continue }
            if let model = SimulatedProfile(rawValue: name) {
                kinds[port.key] = .model(model)
            } else if let device = settings.devices.first(where: { $0.port == port.key }) {
                kinds[port.key] = .script(device.profile.script)
            }
        }
        return kinds
    }

    /// Pulls out those that these settings don't have, and plugs in those that are new; the paths at which they are, by
    /// port.
    func plug(_ settings: GatewaySettings) async throws(SystemError) -> [String: String] {
        let wanted = Self.kinds(settings)
        for (port, plugged) in devices where wanted[port] != plugged.kind {
            devices[port] = nil
            await plugged.device.unplug()
        }
        for (port, kind) in wanted where devices[port] == nil {
            let loop = try sharedLoop()
            let device =
                switch kind {
                case .model(let profile): VirtualDevice(profile, on: loop)
                case .script(let script): VirtualDevice(script, on: loop)
                }
            let path = try await device.plug()
            devices[port] = Plugged(kind: kind, device: device, path: path)
        }
        return devices.mapValues(\.path)
    }

    private func sharedLoop() throws(SystemError) -> EventLoop {
        if let known = loop.withLock({ $0 }) { return known }
        let new = try EventLoop(name: "simulation")
        loop.withLock { $0 = new }
        return new
    }

    /// Pulls them out.
    func unplug() async {
        let last = devices
        devices = [:]
        for plugged in last.values { await plugged.device.unplug() }
    }

    /// Ends their loop; call it when nobody uses them any more.
    nonisolated func stop() {
        loop.withLock { $0 }?.stop()
    }
}
