import ArgumentParser
import LinuxIO
import Modbus
import Profiles
import Serial
import Settings

/// Where a scan looks: a serial port, or a device or serial server on the network.
struct ScanTarget {
    var port: String?
    var tcp: String?
    var isRTU: Bool

    /// How the configuration names it: key and value, and the same as it is read from there.
    func place() -> (key: String, value: String, read: PortSettings.Place?) {
        if let tcp {
            let colon = tcp.lastIndex(of: ":") ?? tcp.endIndex
            let number = UInt16(tcp[colon...].dropFirst()) ?? 502
            return ("tcp", "\"\(tcp)\"", .tcp(host: String(tcp[..<colon]), port: number))
        }
        let path = port ?? ""
        let ports = PortFinder.ports()
        let node = File.resolved(path) ?? path
        if !path.hasPrefix("/dev/serial/"), let info = ports.first(where: { $0.path == node }),
            let match = PortMatch(info, among: ports)
        {
            let identity = match.identity
            let read = identity.usb.map {
                PortSettings.Place.usb(
                    vendorProduct: $0, serial: identity.serial, path: identity.path, interface: identity.interface)
            }
            return ("match", match.text, read)
        }
        return ("device", path, .device(path: path))
    }

    func open(timeout: Duration, _ line: LineSettings) throws(CommandFailure) -> ModbusLine {
        var settings = MasterSettings()
        settings.timeout = timeout
        settings.retries = 0
        // Every unit is asked each time.
        settings.offlineAfter = .max
        if let tcp {
            settings.mode = isRTU ? .rtu : .tcp
            return try ModbusLine(.socket(ModbusOptions.connect(tcp)), settings)
        }
        settings.byteTime = line.byteTime
        return try ModbusLine(.serial(ModbusOptions.serial(port ?? "", line)), settings)
    }
}
