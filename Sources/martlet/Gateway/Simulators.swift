import LinuxIO
import Settings
import Simulation
import Synchronization

/// The virtual devices of ports with `simulate:`, on a loop of their own.
///
/// Like real devices they keep their pace whatever the gateway does.
actor Simulators {
    private struct Plugged {
        var profile: SimulatedProfile
        var device: VirtualDevice
        var path: String
    }

    private var devices: [String: Plugged] = [:]
    private let loop = Mutex<EventLoop?>(nil)

    /// Refuses what can't be simulated.
    static func check(_ ports: [PortSettings]) throws(CommandFailure) {
        _ = try profiles(ports)
    }

    private static func profiles(_ ports: [PortSettings]) throws(CommandFailure) -> [String: SimulatedProfile] {
        var profiles: [String: SimulatedProfile] = [:]
        for port in ports {
            guard case .simulate(let name) = port.place else { continue }
            guard let profile = SimulatedProfile(rawValue: name) else {
                let known = SimulatedProfile.allCases.map(\.rawValue).joined(separator: ", ")
                throw CommandFailure(
                    "port \(port.key): '\(name)' can't be simulated; these can: \(known)", status: .usage)
            }
            profiles[port.key] = profile
        }
        return profiles
    }

    /// Pulls out those that these ports don't have, and plugs in those that are new; the paths at which they are, by port.
    func plug(_ ports: [PortSettings]) async throws -> [String: String] {
        let wanted = try Self.profiles(ports)
        for (port, plugged) in devices where wanted[port] != plugged.profile {
            devices[port] = nil
            await plugged.device.unplug()
        }
        for (port, profile) in wanted where devices[port] == nil {
            let device = VirtualDevice(profile, on: try sharedLoop())
            let path = try await device.plug()
            devices[port] = Plugged(profile: profile, device: device, path: path)
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
