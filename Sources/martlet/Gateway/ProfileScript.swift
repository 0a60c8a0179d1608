import Decoders
import Modbus
import Profiles
import Simulation

/// What a simulated device of a profile does, where it has no model of its own: the values of the profile's tests, moving
/// a little, or the messages of its tests.
extension Profile {
    var script: DeviceScript {
        switch bus {
        case .modbus(let bus):
            .registers(
                RegisterScript(
                    points.compactMap(quantity), effects: points.flatMap(effects),
                    maximumRegisters: bus.maximumRegisters ?? 125))
        case .serial(let bus): .messages(messages(bus))
        }
    }

    // MARK: registers

    private func quantity(_ point: ProfilePoint) -> RegisterScript.Quantity? {
        guard case .register(let source) = point.source else { return nil }
        let raw = raw(point, source)
        if let bits = source.bits {
            return RegisterScript.Quantity(source.point, raw: raw * Double(UInt64(1) << UInt64(bits.lowerBound)))
        }
        let isMeasured = point.unit != nil && point.map.isEmpty && point.command == nil
        if point.class == "energy" {
            // A kilowatt, or what the unit makes of it.
            return RegisterScript.Quantity(source.point, raw: raw, growth: 0.000_28 / source.scale.value)
        }
        return RegisterScript.Quantity(source.point, raw: raw, swing: isMeasured ? 0.02 : 0)
    }

    /// A value before scale and offset: that of a test, or else one that could be.
    private func raw(_ point: ProfilePoint, _ source: RegisterSource) -> Double {
        let sample = tests.lazy.flatMap(\.gives).last { $0.point == point.name }?.value
        if let name = point.map.first(where: { $0.name == sample }) ?? point.map.first { return Double(name.raw) }
        if sample == "true" { return 1 }
        let value = sample.flatMap { Double($0) } ?? point.plausible.map(Self.likely) ?? 0
        return (value - source.offset) / source.scale.value
    }

    private static func likely(_ range: ClosedRange<Double>) -> Double {
        [20, 50].first(where: range.contains) ?? (range.lowerBound + range.upperBound) / 2
    }

    private func effects(_ point: ProfilePoint) -> [RegisterScript.Effect] {
        guard let command = point.command, case .register(let source) = point.source else { return [] }
        let table = command.function == .writeSingleCoil ? RegisterTable.coil : .holding
        let shift = Double(UInt64(1) << UInt64(source.bits?.lowerBound ?? 0))
        return command.values.map { value in
            let named = point.map.first { $0.name == value.word }.map { Double($0.raw) * shift }
            return RegisterScript.Effect(
                table, command.address ?? source.point.address, value.raw, sets: source.point,
                to: named ?? Self.state(value, command.function))
        }
    }

    /// Of a command whose word is no state: nil for the other one of two.
    private static func state(_ value: CommandValue, _ function: PointCommand.Function) -> Double? {
        switch (function, value.raw) {
        case (.writeSingleCoil, 0xFF00): 1
        case (.writeSingleCoil, 0): 0
        case (.writeSingleCoil, _): nil
        case (.writeSingleRegister, let raw): value.word == "TOGGLE" ? nil : Double(raw)
        }
    }

    // MARK: messages

    private func messages(_ bus: SerialBus) -> MessageScript {
        let unasked = tests.filter(\.send.isEmpty).map(\.receive)
        let asked = tests.filter { !$0.send.isEmpty }.flatMap { exchange($0, bus) }
        guard asked.isEmpty, let answer = unasked.first, !bus.requests.isEmpty else {
            return MessageScript(unasked: bus.requests.isEmpty ? unasked : [], every: bus.every, exchanges: asked)
        }
        let exchanges = bus.requests.map { MessageScript.Exchange(request: $0.bytes, answer: answer) }
        return MessageScript(every: bus.every, exchanges: exchanges)
    }

    /// A meter that offers a faster speed goes on once it was told which.
    private func exchange(_ test: ProfileTest, _ bus: SerialBus) -> [MessageScript.Exchange] {
        guard bus.changesSpeed, let end = test.receive.firstIndex(of: 0x0A) else {
            return [MessageScript.Exchange(request: test.send, answer: test.receive)]
        }
        let data = Array(test.receive[(end + 1)...])
        return [MessageScript.Exchange(request: test.send, answer: Array(test.receive[...end]))]
            + (0...6).map { MessageScript.Exchange(request: IECSpeedChange.acknowledgement($0), answer: data) }
    }
}
