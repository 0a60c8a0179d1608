import LinuxIO
import Settings
import Simulation

/// The virtual devices of ports with `simulate:`, on a loop of their own.
///
/// Like real devices they keep their pace whatever the gateway does.
struct Simulators: Sendable {
    private let devices: [String: VirtualDevice]
    private let loop: EventLoop?

    init(_ ports: [PortSettings]) throws {
        var devices: [String: VirtualDevice] = [:]
        var loop: EventLoop?
        for port in ports {
            guard case .simulate(let name) = port.place else { continue }
            guard let profile = SimulatedProfile(rawValue: name) else {
                let known = SimulatedProfile.allCases.map(\.rawValue).joined(separator: ", ")
                throw CommandFailure(
                    "port \(port.key): '\(name)' can't be simulated; these can: \(known)", status: .usage)
            }
            let shared = try loop ?? EventLoop(name: "simulation")
            loop = shared
            devices[port.key] = VirtualDevice(profile, on: shared)
        }
        self.devices = devices
        self.loop = loop
    }

    /// Plugs all of them in; the paths at which they are, by port.
    func plug() async throws(SystemError) -> [String: String] {
        var paths: [String: String] = [:]
        for (port, device) in devices { paths[port] = try await device.plug() }
        return paths
    }

    /// Pulls them out.
    func unplug() async {
        for device in devices.values { await device.unplug() }
    }

    /// Ends their loop; call it when nobody uses them any more.
    func stop() {
        loop?.stop()
    }
}
