import Serial

/// The shortest `match` that means one port and no other that is plugged in now.
struct PortMatch {
    let text: String

    /// Nil for a port that is not on USB: it has no identity but its path.
    init?(_ port: PortInfo, among ports: [PortInfo]) {
        guard let usb = port.usb else { return nil }
        var identity = PortIdentity(usb: usb, serial: port.serial)
        // Cheap adapters have no serial number, or all the same one: then the socket tells them apart.
        let needsPath = port.serial == nil || ports.count(where: identity.matches) > 1
        if needsPath { identity.path = port.socket }
        let parts = [
            identity.usb.map { "usb: \"\($0)\"" }, identity.serial.map { "serial: \"\($0)\"" },
            identity.path.map { "path: \"\($0)\"" },
        ]
        text = "{ \(parts.compactMap { $0 }.joined(separator: ", ")) }"
    }
}
