import CUdev
import LinuxIO

/// The serial ports that are there, as libudev and the kernel's /sys know them.
package enum PortFinder {
    /// All ports, by path; looks through /sys, so call it where blocking is fine.
    package static func ports() -> [PortInfo] {
        let found = enumerated()
        let ports = found.isEmpty ? guessed() : found
        let names = stableNames()
        return ports.map { port in
            var port = port
            port.stablePath = names[port.path]
            return port
        }.sorted { $0.path < $1.path }
    }

    private static func enumerated() -> [PortInfo] {
        guard let udev = udev_new() else { return [] }
        defer { udev_unref(udev) }
        guard let enumeration = udev_enumerate_new(udev) else { return [] }
        defer { udev_enumerate_unref(enumeration) }
        guard udev_enumerate_add_match_subsystem(enumeration, "tty") >= 0,
            udev_enumerate_scan_devices(enumeration) >= 0
        else { return [] }
        var ports: [PortInfo] = []
        var entry = udev_enumerate_get_list_entry(enumeration)
        while let current = entry {
            if let path = udev_list_entry_get_name(current), let device = udev_device_new_from_syspath(udev, path) {
                if let port = UdevPort(device: device).info { ports.append(port) }
                udev_device_unref(device)
            }
            entry = udev_list_entry_get_next(current)
        }
        return ports
    }

    /// Where /sys is not to be seen (some containers), the nodes that adapters and boards' UARTs have.
    private static func guessed() -> [PortInfo] {
        let names = (try? File.names(in: "/dev")) ?? []
        let prefixes = ["ttyUSB", "ttyACM", "ttyAMA"]
        return names.filter { name in prefixes.contains { name.hasPrefix($0) } }.map { PortInfo(path: "/dev/\($0)") }
    }

    /// Node to link, from udev's folder of stable names.
    private static func stableNames() -> [String: String] {
        let folder = "/dev/serial/by-id"
        var names: [String: String] = [:]
        for name in (try? File.names(in: folder)) ?? [] {
            if let node = File.resolved("\(folder)/\(name)") { names[node] = "\(folder)/\(name)" }
        }
        return names
    }
}
