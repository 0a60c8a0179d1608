import Modbus

/// A Modbus unit that has the registers of a script, and no others.
struct ScriptedUnit: Sendable {
    private var script: RegisterScript
    private let phase: Double
    /// The first and last address of each table.
    private let extents: [RegisterTable: ClosedRange<Int>]

    init(_ script: RegisterScript, seed: UInt64) {
        self.script = script
        phase = Double(seed % 1_000)
        var extents: [RegisterTable: ClosedRange<Int>] = [:]
        for quantity in script.quantities {
            let (first, last) = (Int(quantity.point.address), Int(quantity.point.address) + quantity.point.count - 1)
            let known = extents[quantity.point.table] ?? first...last
            extents[quantity.point.table] = min(known.lowerBound, first)...max(known.upperBound, last)
        }
        self.extents = extents
    }

    mutating func answer(_ request: IncomingRequest, at seconds: Double) -> IncomingRequest.Answer {
        switch request {
        case .read(let table, let start, let count): read(table, start, count, seconds)
        case .writeCoil(let address, let value): write(.coil, [value], at: address)
        case .writeRegister(let address, let value): write(.holding, [value], at: address)
        case .writeCoils(let start, let values): write(.coil, values.map { $0 ? 0xFF00 : 0 }, at: start)
        case .writeRegisters(let start, let values): write(.holding, values, at: start)
        case .other: .exception(.illegalFunction)
        }
    }

    private func read(
        _ table: RegisterTable, _ start: Int, _ count: Int, _ seconds: Double
    ) -> IncomingRequest.Answer {
        let most = table.isBits ? 2_000 : script.maximumRegisters
        guard count >= 1, count <= most else { return .exception(.illegalDataValue) }
        guard let extent = extents[table], extent.contains(start), extent.contains(start + count - 1) else {
            return .exception(.illegalDataAddress)
        }
        var words = [UInt16](repeating: 0, count: count)
        for quantity in script.quantities where quantity.point.table == table {
            for (index, word) in self.words(of: quantity, at: seconds).enumerated() {
                let place = Int(quantity.point.address) + index - start
                // Several bits may share a register.
                if words.indices.contains(place) { words[place] |= word }
            }
        }
        return table.isBits ? .bits(words.map { $0 != 0 }) : .registers(words)
    }

    private func words(of quantity: RegisterScript.Quantity, at seconds: Double) -> [UInt16] {
        let point = quantity.point
        let wave = Self.wave(seconds + phase + Double(point.address) * 7, period: 60)
        let raw = quantity.raw * (1 + quantity.swing * wave) + quantity.growth * seconds
        if let bit = point.bit { return [raw == 0 ? 0 : 1 << UInt16(bit & 15)] }
        return point.table.isBits ? [raw == 0 ? 0 : 1] : point.type.encode(raw, order: point.order)
    }

    /// Between -1 and 1, without a library for it: a triangle is as good as a sine here.
    private static func wave(_ seconds: Double, period: Double) -> Double {
        let place = (seconds / period).truncatingRemainder(dividingBy: 1)
        return abs(place * 4 - 2) - 1
    }

    private mutating func write(_ table: RegisterTable, _ values: [UInt16], at start: Int) -> IncomingRequest.Answer {
        for (index, value) in values.enumerated() {
            guard write(table, value, at: start + index) else { return .exception(.illegalDataAddress) }
        }
        return .echo
    }

    private mutating func write(_ table: RegisterTable, _ value: UInt16, at address: Int) -> Bool {
        let effects = script.effects.filter { $0.table == table && Int($0.address) == address }
        if let effect = effects.first(where: { $0.value == value }) {
            set(effect.point) { old in effect.raw ?? (old == 0 ? 1 : 0) }
            return true
        }
        guard effects.isEmpty else { return false }
        // A plain register: what is written is what is read.
        let isCoil = table == .coil
        var isKnown = false
        for quantity in script.quantities
        where quantity.point.table == table && Int(quantity.point.address) == address && quantity.point.count == 1 {
            isKnown = true
            set(quantity.point) { _ in isCoil ? (value == 0 ? 0 : 1) : Double(value) }
        }
        return isKnown
    }

    private mutating func set(_ point: RegisterPoint, _ change: (Double) -> Double) {
        for index in script.quantities.indices where script.quantities[index].point == point {
            let old = script.quantities[index]
            script.quantities[index] = RegisterScript.Quantity(point, raw: change(old.raw))
        }
    }
}
