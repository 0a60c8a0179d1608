import Serial

/// The shortest `match` that means one port and no other that is plugged in now.
struct PortMatch {
    let identity: PortIdentity

    /// Nil for a port that is not on USB: it has no identity but its path.
    init?(_ port: PortInfo, among ports: [PortInfo]) {
        guard let usb = port.usb else { return nil }
        var identity = PortIdentity(usb: usb, serial: port.serial)
        let others = ports.filter { identity.matches($0) && $0.path != port.path }
        // One adapter with several ports keeps its serial number wherever it is plugged in; what has no serial number, or
        // the same one as another, is told apart by its socket.
        if port.serial != nil, !others.isEmpty, let interface = port.interface,
            others.allSatisfy({ $0.interface.map { $0 != interface } ?? false })
        {
            identity.interface = interface
        } else if port.serial == nil || !others.isEmpty {
            identity.path = port.socket
        }
        self.identity = identity
    }

    /// As a configuration writes it: `{ usb: "0403:6001", serial: "A50285BI" }`.
    var text: String {
        let parts = [
            identity.usb.map { "usb: \"\($0)\"" }, identity.serial.map { "serial: \"\($0)\"" },
            identity.path.map { "path: \"\($0)\"" }, identity.interface.map { "interface: \($0)" },
        ]
        return "{ \(parts.compactMap { $0 }.joined(separator: ", ")) }"
    }
}
