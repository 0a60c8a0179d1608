import Control
import Documents
import Profiles

/// Finds the outputs that interlocks name, and tells both sides.
struct Interlocks {
    var problems: ProblemList

    /// The devices with their interlocks filled in.
    func resolved(_ read: [ReadDevice]) -> [DeviceSettings] {
        var devices = read.compactMap(\.settings)
        for device in read {
            for (point, wanted) in device.interlocks.sorted(by: { $0.key < $1.key }) {
                let name = Actuators.Name(device: device.key, point: point)
                for other in wanted { join(name, other, &devices) }
            }
        }
        return devices
    }

    private func join(_ name: Actuators.Name, _ wanted: Located<String>, _ devices: inout [DeviceSettings]) {
        guard let other = find(wanted.value, near: name.device, devices) else {
            let known = names(near: name.device, devices).filter { $0 != name.point }
            let nearest = NearestWord.of(wanted.value, among: known).map { "did you mean '\($0)'? " } ?? ""
            return problems.error(
                "there is no output '\(wanted.value)'", at: wanted.mark,
                hint: "\(nearest)name a point of this device, or device/point; there are: "
                    + known.prefix(12).joined(separator: ", "))
        }
        guard other != name else {
            return problems.error("an output can't be interlocked with itself", at: wanted.mark)
        }
        guard change(name, other, &devices), change(other, name, &devices) else {
            return problems.error(
                "'\(wanted.value)' can't be interlocked: it does not rest at its off, or that is not known",
                at: wanted.mark, hint: "say there what is off, with 'command: { safe: … }'")
        }
    }

    /// A point of the same device, `device/point`, or a device with one output.
    private func find(_ text: String, near device: String, _ devices: [DeviceSettings]) -> Actuators.Name? {
        let parts = text.split(separator: "/", maxSplits: 1).map(String.init)
        let outputs = devices.flatMap(\.outputs)
        if parts.count == 2 { return outputs.first { $0.device == parts[0] && $0.point == parts[1] } }
        if let near = outputs.first(where: { $0.device == device && $0.point == text }) { return near }
        let alone = outputs.filter { $0.device == text }
        return alone.count == 1 ? alone.first : nil
    }

    private func names(near device: String, _ devices: [DeviceSettings]) -> [String] {
        let outputs = devices.flatMap(\.outputs)
        return outputs.filter { $0.device == device }.map(\.point)
            + outputs.filter { $0.device != device }.map { "\($0.device)/\($0.point)" }
    }

    /// Has the first know of the second; false where it can't be, for it does not rest at off.
    private func change(
        _ name: Actuators.Name, _ other: Actuators.Name, _ devices: inout [DeviceSettings]
    ) -> Bool {
        for device in devices.indices where devices[device].key == name.device {
            for point in devices[device].points.indices
            where devices[device].points[point].definition.name == name.point {
                guard var safety = devices[device].points[point].actuator?.safety, let off = safety.off,
                    safety.safe ?? off == off, safety.initial ?? off == off
                else { return false }
                safety.add(other)
                devices[device].points[point].actuator?.safety = safety
            }
        }
        return true
    }
}

extension DeviceSettings {
    fileprivate var outputs: [Actuators.Name] {
        points.filter { $0.actuator != nil }.map { Actuators.Name(device: key, point: $0.definition.name) }
    }
}

extension SafetyRules {
    /// One that says nothing itself rests at off, like the one that names it.
    fileprivate mutating func add(_ other: Actuators.Name) {
        if safe == nil, !isRestChosen { (safe, initial) = (off, initial ?? off) }
        if !interlock.contains(other) { interlock.append(other) }
    }
}
