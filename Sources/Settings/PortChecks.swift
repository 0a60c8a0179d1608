import Documents
import Profiles

/// What ports and devices must agree on.
struct PortChecks {
    var ports: [ReadPort]
    var devices: [ReadDevice]
    var problems: ProblemList

    func run() {
        for (index, port) in ports.enumerated() {
            checkPlace(port, ports[..<index])
            let here = devices.filter { $0.port?.value == port.settings.key }
            if here.isEmpty, allPortsAreKnown {
                problems.warning(
                    "no device is on port '\(port.settings.key)'", at: port.mark,
                    hint: "add one below 'devices:' with 'port: \(port.settings.key)', or take the port out")
            }
            checkUnits(here, port)
            checkKinds(here, port)
            checkSimulated(here, port)
            checkLine(here, port)
            checkLoad(here, port)
        }
    }

    /// Otherwise a misspelt port is the reason why nobody is on this one.
    private var allPortsAreKnown: Bool {
        devices.allSatisfy { device in ports.contains { $0.settings.key == device.port?.value } }
    }

    /// Two ports can't be one device.
    private func checkPlace(_ port: ReadPort, _ earlier: ArraySlice<ReadPort>) {
        guard port.isPlaced,
            let twin = earlier.first(where: { $0.isPlaced && $0.settings.place.overlaps(port.settings.place) })
        else { return }
        let names = "'\(twin.settings.key)' and '\(port.settings.key)'"
        switch port.settings.place {
        case .simulate: break
        case .tcp:
            problems.warning(
                "ports \(names) connect to the same place", at: port.mark,
                hint: "devices behind one gateway share a port: give them different units")
        case .usb:
            problems.error(
                "ports \(names) match the same device", at: port.mark,
                hint: "tell them apart with serial: \"…\" or path: \"…\" in match; 'martlet ports' shows both")
        case .device:
            problems.error(
                "ports \(names) are the same device", at: port.mark,
                hint: "let their devices share one port; each Modbus device has its own unit")
        }
    }

    private func checkUnits(_ here: [ReadDevice], _ port: ReadPort) {
        var owners: [UInt8: String] = [:]
        for device in here {
            guard let settings = device.settings, case .modbus = settings.profile.bus else { continue }
            if let owner = owners[settings.unit] {
                problems.error(
                    "'\(owner)' and '\(device.key)' are both unit \(settings.unit) on port '\(port.settings.key)'",
                    at: device.unitMark,
                    hint: "every Modbus device on a bus needs its own: set it in the device, then as 'unit:' here")
            } else {
                owners[settings.unit] = device.key
            }
        }
    }

    /// A device that speaks unasked needs the line for itself.
    private func checkKinds(_ here: [ReadDevice], _ port: ReadPort) {
        let known = here.filter { $0.settings != nil }
        guard let first = known.first, known.count > 1 else { return }
        for device in known.dropFirst() where speaksUnasked(first) || speaksUnasked(device) {
            let speaker = speaksUnasked(first) ? first.key : device.key
            problems.error(
                "'\(first.key)' and '\(device.key)' can't share port '\(port.settings.key)': '\(speaker)' speaks unasked",
                at: device.port?.mark ?? device.mark, hint: "give each a port of its own")
        }
    }

    private func speaksUnasked(_ device: ReadDevice) -> Bool {
        if case .serial = device.settings?.profile.bus { true } else { false }
    }

    private func checkSimulated(_ here: [ReadDevice], _ port: ReadPort) {
        guard port.isPlaced, case .simulate(let profile) = port.settings.place else { return }
        for device in here {
            guard let settings = device.settings, settings.profile.name != profile else { continue }
            problems.error(
                "port '\(port.settings.key)' simulates '\(profile)', but '\(device.key)' is '\(settings.profile.name)'",
                at: device.port?.mark ?? device.mark, hint: "use the same profile for both")
        }
    }

    /// A line that is asked for more than it can carry reads everything late.
    private func checkLoad(_ here: [ReadDevice], _ port: ReadPort) {
        guard let load = PortLoad(port.settings, here.compactMap(\.settings)), load.share > PortLoad.warning else {
            return
        }
        let factor = (load.share / 0.5 * 10).rounded(.up) / 10
        problems.warning(
            "the polls of port '\(port.settings.key)' take \(load) of its line", at: port.mark,
            hint:
                "give its devices a 'poll' \(factor) times as long, switch off points that nobody needs, or set devices and port to "
                + "a higher baudrate")
    }

    /// Without a rate of its own, a port takes that of its devices' profiles; then they must have the same.
    private func checkLine(_ here: [ReadDevice], _ port: ReadPort) {
        switch port.settings.place {
        case .usb, .device: break
        case .tcp, .simulate: return
        }
        let buses = here.compactMap { device -> (ReadDevice, ProfileBus)? in
            guard let bus = device.settings?.profile.bus, case .modbus = bus else { return nil }
            return (device, bus)
        }
        guard let (first, bus) = buses.first else { return }
        for (device, other) in buses.dropFirst() {
            let isSameRate = port.settings.baudrate != nil || bus.baudrate == other.baudrate
            let isSameFormat = port.settings.format != nil || bus.format == other.format
            if isSameRate, isSameFormat { continue }
            problems.error(
                "'\(first.key)' usually speaks \(bus.baudrate) baud \(bus.format), "
                    + "'\(device.key)' \(other.baudrate) baud \(other.format)",
                at: device.port?.mark ?? device.mark,
                hint: "set both devices to the same, and write it in port '\(port.settings.key)': "
                    + "baudrate: \(other.baudrate), format: \(other.format)")
        }
    }
}

extension PortSettings.Place {
    /// Whether what one of them finds is found by the other too.
    fileprivate func overlaps(_ other: PortSettings.Place) -> Bool {
        self == other || includes(other) || other.includes(self)
    }

    /// A match without serial number finds adapters of every serial number.
    private func includes(_ other: PortSettings.Place) -> Bool {
        guard case .usb(let usb, let serial, let path, let interface) = self,
            case .usb(let otherUSB, let otherSerial, let otherPath, let otherInterface) = other
        else { return false }
        return usb == otherUSB && (serial == nil || serial == otherSerial) && (path == nil || path == otherPath)
            && (interface == nil || interface == otherInterface)
    }
}
