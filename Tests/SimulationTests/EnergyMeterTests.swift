import Modbus
import Testing

@testable import Simulation

@Suite struct EnergyMeterTests {
    private func value(_ meter: inout EnergyMeter, _ address: Int, at seconds: Double) -> Double? {
        guard
            case .registers(let registers) = meter.answer(.read(.input, start: address, count: 2), at: seconds),
            case .number(let number) = RegisterType.float32.decode(registers[...])
        else { return nil }
        return number
    }

    @Test func `an SDM120's values are plausible and agree with each other`() throws {
        var meter = EnergyMeter(.sdm120, seed: 42)
        for seconds in stride(from: 0.0, to: 7200, by: 7) {
            let volts = try #require(value(&meter, 0x00, at: seconds))
            let amperes = try #require(value(&meter, 0x06, at: seconds))
            let watts = try #require(value(&meter, 0x0C, at: seconds))
            let factor = try #require(value(&meter, 0x1E, at: seconds))
            let hertz = try #require(value(&meter, 0x46, at: seconds))
            #expect((225...235).contains(volts))
            #expect((100...3000).contains(watts))
            #expect((0.9...1).contains(factor))
            #expect((49.9...50.1).contains(hertz))
            #expect(abs(volts * amperes * factor - watts) < 0.1)
        }
    }

    @Test func `energy only grows, by what the power amounts to`() throws {
        var meter = EnergyMeter(.sdm120, seed: 7)
        let first = try #require(value(&meter, 0x48, at: 0))
        var last = first
        for hour in 1...24 {
            let now = try #require(value(&meter, 0x48, at: Double(hour) * 3600))
            #expect(now > last)
            last = now
        }
        #expect((24 * 0.15...24 * 0.8).contains(last - first))
    }

    @Test func `values move`() throws {
        var meter = EnergyMeter(.sdm120, seed: 7)
        let powers = (0..<20).compactMap { value(&meter, 0x0C, at: Double($0)) }
        #expect(Set(powers).count > 15)
    }

    @Test func `an SDM630's phases add up to its totals`() throws {
        var meter = EnergyMeter(.sdm630, seed: 9)
        let phases = try [0x0C, 0x0E, 0x10].map { try #require(value(&meter, $0, at: 100)) }
        let total = try #require(value(&meter, 0x34, at: 100))
        #expect(abs(phases.reduce(0, +) - total) < 0.01)
    }

    @Test func `a block is read at once, up to what the meter allows`() {
        var meter = EnergyMeter(.sdm120, seed: 1)
        guard case .registers(let block) = meter.answer(.read(.input, start: 0, count: 80), at: 5) else {
            Issue.record("refused")
            return
        }
        #expect(block.count == 80)
        guard case .registers(let volts) = meter.answer(.read(.input, start: 0, count: 2), at: 5) else { return }
        #expect(Array(block[..<2]) == volts)
        #expect(meter.answer(.read(.input, start: 0, count: 81), at: 5) == .exception(.illegalDataValue))
        #expect(meter.answer(.read(.input, start: 0, count: 0), at: 5) == .exception(.illegalDataValue))
        #expect(meter.answer(.read(.input, start: 0xFFFE, count: 2), at: 5) == .exception(.illegalDataAddress))
        #expect(meter.answer(.read(.holding, start: 0, count: 2), at: 5) == .exception(.illegalFunction))
    }
}
