import CUdev

/// One tty as libudev shows it: udevd's properties where it runs, the kernel's attributes where it does not.
struct UdevPort {
    let device: OpaquePointer

    /// Nil for what is no serial port: consoles, pseudo-terminals, UARTs that are not built in.
    var info: PortInfo? {
        guard let node = udev_device_get_devnode(device), isHardware else { return nil }
        var port = PortInfo(path: String(cString: node))
        guard let adapter = parent("usb", "usb_device") else {
            port.socket = property("ID_PATH")
            return port
        }
        port.usb = usbID(adapter)
        port.serial = attribute(adapter, "serial")
        port.maker = attribute(adapter, "manufacturer") ?? property("ID_VENDOR_FROM_DATABASE")
        port.product = attribute(adapter, "product") ?? property("ID_MODEL_FROM_DATABASE")
        port.socket = property("ID_PATH") ?? socketFromKernel
        let interface = parent("usb", "usb_interface")
        port.interface = interface.flatMap { attribute($0, "bInterfaceNumber") }.flatMap { Int($0, radix: 16) }
        port.driver = interface.flatMap(udev_device_get_driver).map { String(cString: $0) }
        return port
    }

    private var isHardware: Bool {
        guard let path = udev_device_get_syspath(device).map({ String(cString: $0) }) else { return false }
        // The kernel makes nodes for 4 to 32 UARTs; type 0 (PORT_UNKNOWN) says that none answered there.
        return !path.contains("/virtual/") && attribute(device, "type") != "0"
            && udev_device_get_parent(device) != nil
    }

    private func usbID(_ adapter: OpaquePointer) -> String? {
        guard let vendor = attribute(adapter, "idVendor"), let product = attribute(adapter, "idProduct") else {
            return nil
        }
        return "\(vendor):\(product)"
    }

    /// As udevd's path_id would name it: the interface `1-1.3:1.0` is `usb-0:1.3:1.0` behind its controller.
    private var socketFromKernel: String? {
        guard let interface = parent("usb", "usb_interface").flatMap(name), let dash = interface.firstIndex(of: "-")
        else { return nil }
        let socket = "usb-0:\(interface[interface.index(after: dash)...])"
        return parent("pci", nil).flatMap(name).map { "pci-\($0)-\(socket)" } ?? socket
    }

    private func parent(_ subsystem: String, _ type: String?) -> OpaquePointer? {
        udev_device_get_parent_with_subsystem_devtype(device, subsystem, type)
    }

    private func name(_ device: OpaquePointer) -> String? {
        udev_device_get_sysname(device).map { String(cString: $0) }
    }

    private func property(_ name: String) -> String? {
        udev_device_get_property_value(device, name).map { String(cString: $0) }
    }

    private func attribute(_ device: OpaquePointer, _ name: String) -> String? {
        udev_device_get_sysattr_value(device, name).map { String(cString: $0) }
    }
}
