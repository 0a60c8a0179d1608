import Bytes
import Decoders
import LinuxIO
import Modbus
import Readings
import Serial
import Testing

@testable import Simulation

@Suite struct VirtualDeviceTests {
    private let request = RTUFrame.encode(unit: 1, pdu: Request.readInputRegisters(start: 0, count: 80).pdu)

    /// Reads until there are `count` bytes; fewer when the port goes or ten seconds have passed.
    private func read(_ count: Int, from port: borrowing SerialPort, on loop: EventLoop) async -> [UInt8] {
        let deadline = ContinuousClock.now + .seconds(10)
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while received.count < count {
            guard await loop.readable(port.descriptor, until: deadline) == .ready else { return received }
            switch port.receive(into: &buffer) {
            case .bytes(let count): received += buffer[..<count]
            case .wouldBlock: continue
            case .lost: return received
            }
        }
        return received
    }

    @Test(arguments: [9600, 38_400])
    func `a meter on a terminal answers at the pace of its line`(baud: Int) async throws {
        let loop = try EventLoop(name: "test-loop")
        defer { loop.stop() }
        let device = VirtualDevice(.eastronSDM120, on: loop)
        let path = try await device.plug()
        let port = try SerialPort(opening: .device(path), LineSettings(baud: baud))
        let start = ContinuousClock.now
        #expect(port.send(request.span) == .sent(8))
        let answer = await read(165, from: port, on: loop)
        let isIntact = RTUFrame.isIntact(answer.span)
        #expect(isIntact)
        #expect(answer.prefix(3) == [1, 4, 160])
        // 8 and 165 bytes of ten bits.
        #expect(ContinuousClock.now - start >= .microseconds(1_730_000_000 / baud - 1))
        #expect(await device.requestCounts == [1: 1])
        await device.unplug()
    }

    @Test func `several devices share a line`() async throws {
        let loop = try EventLoop(name: "test-loop")
        defer { loop.stop() }
        let device = VirtualDevice(units: [1: .eastronSDM120, 2: .waveshareRelays], on: loop)
        let path = try await device.plug()
        let port = try SerialPort(opening: .device(path), LineSettings(baud: 9600))
        let write = RTUFrame.encode(unit: 2, pdu: Request.writeSingleCoil(address: 2, value: 0xFF00).pdu)
        #expect(port.send(write.span) == .sent(8))
        #expect(await read(8, from: port, on: loop) == write)
        #expect(await device.coils(unit: 2) == [false, false, true, false, false, false, false, false])
        #expect(await device.coils(unit: 1) == nil)
        await device.setBehaviour(.mute, unit: 1)
        _ = port.send(request.span)
        #expect(await loop.readable(port.descriptor, until: ContinuousClock.now + .milliseconds(60)) == .timedOut)
        await device.unplug()
    }

    @Test func `a smart meter speaks by itself`() async throws {
        let loop = try EventLoop(name: "test-loop")
        defer { loop.stop() }
        let device = VirtualDevice(.dsmrP1, on: loop)
        let before = WallClock.now.milliseconds
        let path = try await device.plug()
        let port = try SerialPort(opening: .device(path), LineSettings(baud: 115_200))
        var decoder = StreamDecoder(.dsmrP1)
        var telegrams: [Telegram] = []
        while telegrams.isEmpty {
            let bytes = await read(1, from: port, on: loop)
            try #require(!bytes.isEmpty)
            for case .telegram(let telegram) in decoder.received(bytes.span, at: ContinuousClock.now) {
                telegrams.append(telegram)
            }
        }
        #expect(telegrams.first?.checksum == .matched)
        let time = try #require(telegrams.first?.time.timestamp?.milliseconds)
        // A busy machine may read it late, but it was said after the start, in whole seconds.
        #expect((before - 1_000...WallClock.now.milliseconds).contains(time))
        await device.unplug()
    }

    @Test func `it can be pulled out and plugged in again at the same path`() async throws {
        let loop = try EventLoop(name: "test-loop")
        defer { loop.stop() }
        let link = "/tmp/martlet-device-\(Entropy.seed())"
        let device = VirtualDevice(.eastronSDM120, on: loop)
        #expect(try await device.plug(at: link) == link)
        do {
            let port = try SerialPort(opening: .device(link), LineSettings(baud: 9600))
            await device.unplug()
            #expect(await device.path == nil)
            #expect(await loop.readable(port.descriptor) == .ready)
            var buffer = [UInt8](repeating: 0, count: 8)
            guard case .lost = port.receive(into: &buffer) else {
                Issue.record("still there")
                return
            }
        }
        #expect(!File.exists(link))
        try await device.plug(at: link)
        let port = try SerialPort(opening: .device(link), LineSettings(baud: 9600))
        #expect(port.send(request.span) == .sent(8))
        #expect(await read(165, from: port, on: loop).count == 165)
        await device.unplug()
    }

    @Test func `stopping the loop ends a device that was not unplugged`() async throws {
        let loop = try EventLoop(name: "test-loop")
        let device = VirtualDevice(.dsmrP1, on: loop)
        try await device.plug()
        loop.stop()
    }

    @Test(arguments: SimulatedProfile.allCases)
    func `every profile has its device`(profile: SimulatedProfile) {
        #expect((profile.unit(seed: 1) != nil) == profile.isModbus)
        #expect(SimulatedProfile(rawValue: profile.rawValue) == profile)
    }
}
