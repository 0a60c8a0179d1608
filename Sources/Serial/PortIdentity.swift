/// What a configuration says of a port instead of its changing node: section `match`.
package struct PortIdentity: Equatable, Sendable {
    /// `0403:6001`, in either case.
    package var usb: String?
    package var serial: String?
    /// A pattern over the socket's path, in which `*` stands for anything.
    package var path: String?
    /// Which of the interfaces of an adapter that has several.
    package var interface: Int?

    package init(usb: String? = nil, serial: String? = nil, path: String? = nil, interface: Int? = nil) {
        self.interface = interface
        self.usb = usb
        self.serial = serial
        self.path = path
    }

    package func matches(_ port: PortInfo) -> Bool {
        if let usb, usb.lowercased() != port.usb?.lowercased() { return false }
        if let serial, serial != port.serial { return false }
        if let interface, interface != port.interface { return false }
        guard let path else { return true }
        guard let socket = port.socket else { return false }
        return Wildcard(path).matches(socket)
    }

    /// The one port that matches; several are refused, for the first would be the wrong one after the next boot.
    package func find(among ports: [PortInfo]) throws(SerialError) -> PortInfo {
        let matching = ports.filter(matches)
        guard let first = matching.first else {
            throw SerialError(port: description, reason: .noMatch(near: ports))
        }
        guard matching.count == 1 else {
            throw SerialError(port: description, reason: .ambiguous(matching))
        }
        return first
    }
}

extension PortIdentity: CustomStringConvertible {
    /// As the configuration says it: "usb 0403:6001, serial A50285BI".
    package var description: String {
        [
            usb.map { "usb \($0)" }, serial.map { "serial \($0)" }, interface.map { "interface \($0)" },
            path.map { "path \($0)" },
        ].compactMap { $0 }.joined(separator: ", ")
    }
}
