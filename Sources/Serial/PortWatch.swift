import CUdev
import LinuxIO

/// Tells when serial ports come and go, as libudev does: after udevd's rules ran, so that a port can be opened when its
/// coming is told; where no udevd runs, as soon as the kernel has it.
package struct PortWatch: ~Copyable {
    package enum Change: Equatable, Sendable {
        /// The node of the port: `/dev/ttyUSB0`.
        case added(String)
        case removed(String)
    }

    private let udev: OpaquePointer
    private let monitor: OpaquePointer

    /// Nil where the kernel's messages can't be had, as in some containers.
    package init?() {
        guard let udev = udev_new() else { return nil }
        guard let monitor = Self.monitor(udev) else {
            udev_unref(udev)
            return nil
        }
        self.udev = udev
        self.monitor = monitor
    }

    private static func monitor(_ udev: OpaquePointer) -> OpaquePointer? {
        let source = File.exists("/run/udev/control") ? "udev" : "kernel"
        guard let monitor = udev_monitor_new_from_netlink(udev, source) else { return nil }
        if udev_monitor_filter_add_match_subsystem_devtype(monitor, "tty", nil) >= 0,
            udev_monitor_enable_receiving(monitor) >= 0
        {
            return monitor
        }
        udev_monitor_unref(monitor)
        return nil
    }

    deinit {
        udev_monitor_unref(monitor)
        udev_unref(udev)
    }

    /// Readable when there is something to tell.
    package var descriptor: CInt { udev_monitor_get_fd(monitor) }

    /// The next change; nil while there is none.
    package func next() -> Change? {
        while let device = udev_monitor_receive_device(monitor) {
            defer { udev_device_unref(device) }
            guard let action = udev_device_get_action(device), let node = udev_device_get_devnode(device) else {
                continue
            }
            switch String(cString: action) {
            case "add": return .added(String(cString: node))
            case "remove": return .removed(String(cString: node))
            default: continue
            }
        }
        return nil
    }
}
