/// A serial port that is there, and what tells it from others.
package struct PortInfo: Equatable, Sendable {
    /// The device node: `/dev/ttyUSB0`.
    package var path: String
    /// Vendor and product as four hex digits each: `0403:6001`; nil for a port that is not on USB.
    package var usb: String?
    package var serial: String?
    package var maker: String?
    package var product: String?
    /// Where it is plugged in, as udev names it: `pci-0000:00:14.0-usb-0:1.3:1.0`.
    package var socket: String?
    /// Which of the adapter's interfaces it is: an FT4232 has 0 to 3.
    package var interface: Int?
    /// The kernel's driver: `ftdi_sio`.
    package var driver: String?
    /// The stable name under `/dev/serial/by-id`.
    package var stablePath: String?

    package init(path: String) {
        self.path = path
    }
}

extension PortInfo: CustomStringConvertible {
    /// The node and what identifies it: "/dev/ttyUSB0 (usb 0403:6001, serial A50285BI, path …-usb-0:1.3:1.0)".
    package var description: String {
        let parts = [
            usb.map { "usb \($0)" }, serial.map { "serial \($0)" }, interface.map { "interface \($0)" },
            socket.map { "path \($0)" },
        ]
        let known = parts.compactMap { $0 }
        return known.isEmpty ? path : "\(path) (\(known.joined(separator: ", ")))"
    }
}
