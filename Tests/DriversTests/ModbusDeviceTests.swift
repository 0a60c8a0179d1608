import Modbus
import Readings
import Settings
import Testing

@testable import Drivers

/// When a device is read, on a clock that only moves when told.
@Suite struct ModbusDeviceTests {
    private let start = ContinuousClock.now

    private func device(slow: Duration? = nil) throws -> ModbusDevice {
        var settings = try Toy.device("meter", Toy.meterText, poll: .seconds(1))
        if let slow { settings.points[2].poll = slow }
        return ModbusDevice(settings, Toy.port("/dev/null"), start: start)
    }

    private func starts(_ blocks: [ReadPlan.Block]) -> [UInt16] { blocks.map(\.start) }

    @Test func `polls stay on their grid when the bus is late`() throws {
        var device = try device()
        #expect(starts(device.due(at: start)) == [0, 12, 0x48])
        #expect(device.dueAt == start + .seconds(1))
        #expect(!device.due(at: start + .milliseconds(1_300)).isEmpty)
        #expect(device.dueAt == start + .seconds(2))
        // Three polls late: one is made, the others are not caught up on.
        #expect(!device.due(at: start + .milliseconds(4_700)).isEmpty)
        #expect(device.dueAt == start + .seconds(5))
    }

    @Test func `a slow point that falls due while a poll is under way is read after it`() throws {
        var device = try device(slow: .seconds(10))
        #expect(starts(device.due(at: start)) == [0, 12, 0x48])
        #expect(starts(device.due(at: start + .seconds(9))) == [0, 12])
        device.cycle = ModbusDevice.Cycle(waiting: 2)
        #expect(device.dueAt == nil)
        #expect(device.due(at: start + .seconds(10)).isEmpty)
        device.cycle = nil
        #expect(starts(device.due(at: start + .milliseconds(10_500))) == [0, 12, 0x48])
        #expect(device.dueAt == start + .seconds(11))
    }

    @Test func `a point that was refused is asked for again after a while`() throws {
        var device = try device()
        let last = try #require(device.due(at: start).last)
        for _ in 0..<3 { _ = device.blockRefused(last, .illegalDataAddress, at: start) }
        #expect(starts(device.due(at: start + .seconds(1))) == [0, 12])
        #expect(starts(device.due(at: start + .seconds(601))) == [0, 12, 0x48])
    }

    @Test func `one failed cycle is no alarm for a device that was there, three are`() throws {
        var device = try device()
        var told: [DeviceStatus?] = []
        for cycle in 0..<4 {
            device.cycle = ModbusDevice.Cycle(waiting: 0)
            if cycle == 0 { device.cycle?.values = 1 } else { device.cycle?.failed(.noAnswer) }
            let status = device.cycleEnded(port: "bus", offlineAfter: 3)
            if let status { _ = device.keeper.change(to: status) }
            told.append(status)
        }
        #expect(told == [.online, nil, nil, .offline(.timeout, detail: "unit 1 on bus: no answer 3x")])
    }

    @Test func `a cycle that was not even sent changes nothing`() throws {
        var device = try device()
        device.failedCycles = 5
        device.cycle = ModbusDevice.Cycle(waiting: 0)
        device.cycle?.failed(.setAside)
        #expect(device.cycleEnded(port: "bus", offlineAfter: 3) == nil)
    }

    @Test func `a value that can't be true is told, and told to be bad`() throws {
        let text = Toy.meterText.replacing("unit: V }", with: "unit: V, range: { min: 0, max: 300 } }")
        var device = ModbusDevice(try Toy.device("meter", text), Toy.port("/dev/null"), start: start)
        let block = try #require(device.due(at: start).first)
        let good = device.readings(block, .registers([0x4366, 0x3334]), at: .at(Timestamp(milliseconds: 0)))
        #expect(good.map(\.quality) == [.good])
        // 6553.5 V
        let bad = device.readings(block, .registers([0x45CC, 0xCC00]), at: .at(Timestamp(milliseconds: 0)))
        #expect(bad.map(\.quality) == [.bad])
        #expect(bad.first?.value == .number(6553.5))
    }
}
