import Modbus

/// An Eastron meter: SDM120 with one phase, SDM630 with three; float32 input registers, high word first.
struct EnergyMeter: Sendable {
    enum Model: Sendable {
        case sdm120
        case sdm630
    }

    /// The most registers that the makers' protocol sheets allow in one request: 40 values.
    private static let mostRegisters = 80
    /// Behind this nothing is documented but settings.
    private static let lastAddress = 0x1340

    private let model: Model
    private let house: Household
    private var consumed: EnergyCounter

    init(_ model: Model, seed: UInt64) {
        self.model = model
        house = Household(seed: seed)
        consumed = EnergyCounter(startingAt: 1000 + Double(seed % 100_000) / 100)
    }

    /// The answer to a request at a time, counted in seconds since the meter was switched on.
    mutating func answer(_ request: IncomingRequest, at seconds: Double) -> IncomingRequest.Answer {
        guard case .read(.input, let start, let count) = request else { return .exception(.illegalFunction) }
        guard count >= 1, count <= Self.mostRegisters else { return .exception(.illegalDataValue) }
        guard start + count <= Self.lastAddress else { return .exception(.illegalDataAddress) }
        let house = house
        consumed.advance(to: seconds, house.power)
        let values = values(at: seconds)
        // What is not measured reads as zero, as with the real one.
        return .registers((start..<start + count).map { Self.word(values[$0 & ~1], isHigh: $0 & 1 == 0) })
    }

    private static func word(_ value: Double?, isHigh: Bool) -> UInt16 {
        let bits = Float(value ?? 0).bitPattern
        return UInt16(truncatingIfNeeded: isHigh ? bits >> 16 : bits)
    }

    /// What is measured, by the address of its first register.
    private func values(at seconds: Double) -> [Int: Double] {
        let share = model == .sdm120 ? [1.0] : [0.5, 0.3, 0.2]
        var values: [Int: Double] = [:]
        var total = Phase(volts: 0, watts: 0, powerFactor: 1)
        for (index, part) in share.enumerated() {
            let phase = Phase(
                volts: house.voltage(at: seconds + Double(index) * 31), watts: house.power(at: seconds) * part,
                powerFactor: house.powerFactor(at: seconds))
            for (position, value) in phase.values.enumerated() { values[position * 6 + index * 2] = value }
            total.add(phase)
        }
        values[0x46] = house.frequency(at: seconds)
        values[0x48] = consumed.kilowattHours
        values[0x4C] = consumed.kilowattHours * 0.28
        values[0x156] = consumed.kilowattHours
        values[0x158] = consumed.kilowattHours * 0.28
        if model == .sdm630 { addTotals(total, share, &values) }
        return values
    }

    private func addTotals(_ total: Phase, _ share: [Double], _ values: inout [Int: Double]) {
        values[0x2A] = total.volts / 3
        values[0x30] = total.amperes
        values[0x34] = total.watts
        values[0x38] = total.voltAmperes
        values[0x3C] = total.reactive
        values[0x3E] = total.powerFactor
        for (index, part) in share.enumerated() {
            values[0xEA + index * 2] = 2.1
            values[0x15A + index * 2] = consumed.kilowattHours * part
            values[0x166 + index * 2] = consumed.kilowattHours * part
        }
        values[0xF8] = 2.1
    }
}

/// One phase's quantities.
private struct Phase {
    var volts: Double
    var watts: Double
    var powerFactor: Double
    private(set) var amperes: Double
    private(set) var voltAmperes: Double
    private(set) var reactive: Double

    init(volts: Double, watts: Double, powerFactor: Double) {
        self.volts = volts
        self.watts = watts
        self.powerFactor = powerFactor
        voltAmperes = watts / powerFactor
        amperes = volts > 0 ? voltAmperes / volts : 0
        reactive = (voltAmperes * voltAmperes - watts * watts).squareRoot()
    }

    /// In the order of the registers: voltage, current, active, apparent and reactive power, power factor.
    ///
    /// The seventh, the phase angle, is left at zero.
    var values: [Double] { [volts, amperes, watts, voltAmperes, reactive, powerFactor] }

    mutating func add(_ other: Phase) {
        volts += other.volts
        watts += other.watts
        amperes += other.amperes
        voltAmperes += other.voltAmperes
        reactive += other.reactive
        powerFactor = voltAmperes > 0 ? watts / voltAmperes : 1
    }
}
