import Modbus
import Profiles

/// What the polls of a port's devices take of its line, computed from their frames and intervals before any is sent.
package struct PortLoad: Equatable, Sendable {
    /// From 0 on; more than 1 can't be had.
    package var share: Double

    /// More than this leaves no room for repetitions, commands and units that think longer than most.
    package static let warning = 0.8

    /// Nil for a port without a speed, or without Modbus devices.
    package init?(_ port: PortSettings, _ devices: [DeviceSettings]) {
        let here = devices.filter { $0.port == port.key }
        guard port.modbus.mode != .tcp, let bus = here.first?.profile.bus, case .modbus = bus else { return nil }
        var settings = port.modbus
        let bits = (port.format ?? bus.format).bitsPerCharacter
        settings.byteTime = .nanoseconds(1_000_000_000 * Int64(bits) / Int64(max(1, port.baudrate ?? bus.baudrate)))
        share = here.reduce(0) { $0 + Self.share(of: $1, port, settings, isAlone: here.count == 1) }
    }

    private static func share(
        of device: DeviceSettings, _ port: PortSettings, _ settings: MasterSettings, isAlone: Bool
    ) -> Double {
        guard device.unit > 0 else { return 0 }
        var byInterval: [Duration: [RegisterPoint]] = [:]
        for point in device.points {
            guard case .register(let source) = point.definition.source else { continue }
            byInterval[point.poll ?? device.poll ?? .seconds(5), default: []].append(source.point)
        }
        return byInterval.reduce(0) { sum, group in
            let plan = ReadPlan(
                group.value, maximumRegisters: device.maximumRegisters(on: port), maximumHole: port.maximumHole)
            let busy = plan.blocks.reduce(isAlone ? Duration.zero : settings.pause) {
                $0 + BusLoad.time(for: $1.request, settings)
            }
            return sum + busy / max(group.key, .milliseconds(1))
        }
    }
}

extension PortLoad: CustomStringConvertible {
    /// "34 %".
    package var description: String { "\(Int((share * 100).rounded())) %" }
}

extension DeviceSettings {
    /// The longest block that it is read in: what the port allows, and what the device takes.
    package func maximumRegisters(on port: PortSettings) -> Int {
        var limit = port.maximumRegisters ?? 125
        if case .modbus(let bus) = profile.bus, let own = bus.maximumRegisters { limit = min(limit, own) }
        return limit
    }
}
