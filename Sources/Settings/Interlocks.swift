import Control
import Documents
import Profiles

/// Finds the outputs that interlocks name, and tells both sides.
struct Interlocks {
    var problems: ProblemList

    /// All outputs, in the order of the file.
    private struct Outputs {
        var names: [Actuators.Name] = []
        var safety: [Actuators.Name: SafetyRules] = [:]

        mutating func add(_ device: String, _ point: String, _ actuator: ActuatorSettings?) {
            guard let actuator else { return }
            let name = Actuators.Name(device: device, point: point)
            names.append(name)
            safety[name] = actuator.safety
        }
    }

    /// The devices with their interlocks filled in.
    func resolved(
        _ read: [ReadDevice], _ gpio: [ReadGPIO]
    ) -> (devices: [DeviceSettings], gpio: [GPIODeviceSettings]) {
        var devices = read.compactMap(\.settings)
        var lines = gpio.map(\.settings)
        var outputs = Outputs()
        for device in devices {
            for point in device.points { outputs.add(device.key, point.definition.name, point.actuator) }
        }
        for device in lines {
            for point in device.points { outputs.add(device.key, point.name, point.actuator) }
        }
        let wishes = read.map { ($0.key, $0.interlocks) } + gpio.map { ($0.settings.key, $0.interlocks) }
        for (device, points) in wishes {
            for (point, wanted) in points.sorted(by: { $0.key < $1.key }) {
                for other in wanted { join(Actuators.Name(device: device, point: point), other, &outputs) }
            }
        }
        for device in devices.indices {
            for point in devices[device].points.indices {
                let name = Actuators.Name(
                    device: devices[device].key, point: devices[device].points[point].definition.name)
                if let safety = outputs.safety[name] { devices[device].points[point].actuator?.safety = safety }
            }
        }
        for device in lines.indices {
            for point in lines[device].points.indices {
                let name = Actuators.Name(device: lines[device].key, point: lines[device].points[point].name)
                if let safety = outputs.safety[name] { lines[device].points[point].actuator?.safety = safety }
            }
        }
        return (devices, lines)
    }

    private func join(_ name: Actuators.Name, _ wanted: Located<String>, _ outputs: inout Outputs) {
        guard let other = find(wanted.value, near: name.device, outputs.names) else {
            let known = words(near: name.device, outputs.names).filter { $0 != name.point }
            let nearest = NearestWord.of(wanted.value, among: known).map { "did you mean '\($0)'? " } ?? ""
            return problems.error(
                "there is no output '\(wanted.value)'", at: wanted.mark,
                hint: "\(nearest)name a point of this device, or device/point; there are: "
                    + known.prefix(12).joined(separator: ", "))
        }
        guard other != name else {
            return problems.error("an output can't be interlocked with itself", at: wanted.mark)
        }
        guard change(name, other, &outputs), change(other, name, &outputs) else {
            return problems.error(
                "'\(wanted.value)' can't be interlocked: it does not rest at its off, or that is not known",
                at: wanted.mark, hint: "say there what is off, with 'command: { safe: … }'")
        }
    }

    /// A point of the same device, `device/point`, or a device with one output.
    private func find(_ text: String, near device: String, _ outputs: [Actuators.Name]) -> Actuators.Name? {
        let parts = text.split(separator: "/", maxSplits: 1).map(String.init)
        if parts.count == 2 { return outputs.first { $0.device == parts[0] && $0.point == parts[1] } }
        if let near = outputs.first(where: { $0.device == device && $0.point == text }) { return near }
        let alone = outputs.filter { $0.device == text }
        return alone.count == 1 ? alone.first : nil
    }

    private func words(near device: String, _ outputs: [Actuators.Name]) -> [String] {
        outputs.filter { $0.device == device }.map(\.point)
            + outputs.filter { $0.device != device }.map { "\($0.device)/\($0.point)" }
    }

    /// Has the first know of the second; false where it can't be, for it does not rest at off.
    private func change(_ name: Actuators.Name, _ other: Actuators.Name, _ outputs: inout Outputs) -> Bool {
        guard var safety = outputs.safety[name], let off = safety.off, safety.safe ?? off == off,
            safety.initial ?? off == off
        else { return false }
        safety.add(other)
        outputs.safety[name] = safety
        return true
    }
}

extension SafetyRules {
    /// One that says nothing itself rests at off, like the one that names it.
    fileprivate mutating func add(_ other: Actuators.Name) {
        if safe == nil, !isRestChosen { (safe, initial) = (off, initial ?? off) }
        if !interlock.contains(other) { interlock.append(other) }
    }
}
