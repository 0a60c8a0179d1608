import Bytes
import Modbus
import Testing

@testable import Simulation

@Suite struct ScriptedDeviceTests {
    private let voltage = RegisterPoint(table: .input, address: 4, type: .u16)
    private let state = RegisterPoint(table: .holding, address: 9, type: .u16)
    private let coil = RegisterPoint(table: .coil, address: 2, type: .bool)

    private func unit(_ quantities: [RegisterScript.Quantity], _ effects: [RegisterScript.Effect] = []) -> ScriptedUnit
    {
        ScriptedUnit(RegisterScript(quantities, effects: effects, maximumRegisters: 10), seed: 5)
    }

    private func registers(_ unit: inout ScriptedUnit, _ table: RegisterTable, _ start: Int, at seconds: Double)
        -> [UInt16]?
    {
        guard case .registers(let words) = unit.answer(.read(table, start: start, count: 1), at: seconds) else {
            return nil
        }
        return words
    }

    @Test func `a measured value moves, but not far, and a count only rises`() {
        var unit = unit([
            RegisterScript.Quantity(voltage, raw: 2_300, swing: 0.02),
            RegisterScript.Quantity(RegisterPoint(table: .input, address: 5, type: .u16), raw: 100, growth: 0.5),
        ])
        let volts = stride(from: 0.0, to: 60, by: 5).compactMap { registers(&unit, .input, 4, at: $0)?.first }
        #expect(Set(volts).count > 5 && volts.allSatisfy { (2_254...2_346).contains($0) })
        let counts = [0.0, 10, 20].compactMap { registers(&unit, .input, 5, at: $0)?.first }
        #expect(counts == [100, 105, 110])
    }

    @Test func `what is not in the script is an illegal address, and too much an illegal value`() {
        var unit = unit([RegisterScript.Quantity(voltage, raw: 1)])
        #expect(unit.answer(.read(.input, start: 5, count: 1), at: 0) == .exception(.illegalDataAddress))
        #expect(unit.answer(.read(.holding, start: 4, count: 1), at: 0) == .exception(.illegalDataAddress))
        #expect(unit.answer(.read(.input, start: 4, count: 11), at: 0) == .exception(.illegalDataValue))
        #expect(unit.answer(.writeRegister(4, 1), at: 0) == .exception(.illegalDataAddress))
        #expect(unit.answer(.other(43), at: 0) == .exception(.illegalFunction))
    }

    @Test func `a command shows in the state that it changes, wherever that is read`() {
        var unit = unit(
            [RegisterScript.Quantity(state, raw: 0), RegisterScript.Quantity(coil, raw: 0)],
            [
                RegisterScript.Effect(.holding, 50, 0x0100, sets: state, to: 1),
                RegisterScript.Effect(.coil, 2, 0x5500, sets: coil, to: nil),
            ])
        #expect(unit.answer(.writeRegister(50, 0x0100), at: 0) == .echo)
        #expect(registers(&unit, .holding, 9, at: 0) == [1])
        #expect(unit.answer(.writeRegister(50, 7), at: 0) == .exception(.illegalDataAddress))
        for expected in [true, false] {
            #expect(unit.answer(.writeCoil(2, 0x5500), at: 0) == .echo)
            #expect(unit.answer(.read(.coil, start: 2, count: 1), at: 0) == .bits([expected]))
        }
    }

    @Test func `bits share their register`() {
        let bits = [0, 3].map { RegisterPoint(table: .holding, address: 1, type: .bool, bit: $0) }
        var unit = unit(bits.map { RegisterScript.Quantity($0, raw: 1) })
        #expect(registers(&unit, .holding, 1, at: 0) == [0b1001])
    }

    @Test func `a messenger says its messages in turn, and answers what it knows in any pieces`() {
        var messenger = Messenger(
            MessageScript(
                unasked: [[1], [2]], every: .seconds(1),
                exchanges: [MessageScript.Exchange(request: [7, 8], answer: [9])]))
        #expect([messenger.unasked(), messenger.unasked(), messenger.unasked()] == [[1], [2], [1]])
        #expect(messenger.bytesReceived([0xFF, 7]) == [])
        #expect(messenger.bytesReceived([8, 7, 7, 8]) == [[9], [9]])
        #expect(messenger.bytesReceived([3, 4]) == [])
    }
}
