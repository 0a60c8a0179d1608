import LinuxIO
import Readings
import Settings
import Simulation
import Testing

@testable import Drivers

@Suite(.timeLimit(.minutes(1))) struct StreamDriverTests {
    @Test func `a smart meter's telegrams become readings with the meter's own time`() async throws {
        let gateway = try TestGateway()
        let meter = VirtualDevice(.dsmrP1, on: gateway.loop)
        gateway.run([Toy.port(try await meter.plug())], [try Toy.device("p1", Toy.smartMeterText, poll: nil)])
        await gateway.waitForStatus(of: "p1") { $0 == .online }
        let power = try #require(gateway.readings(of: "p1", "power").first)
        #expect(power.unit == "W")
        // The meter's clock has whole seconds.
        guard case .at(let time) = power.measuredAt else {
            Issue.record("\(power.measuredAt)")
            return
        }
        #expect(time.milliseconds % 1_000 == 0)
        #expect(abs(time.milliseconds - WallClock.now.milliseconds) < 10_000)
        await gateway.stop()
    }

    @Test func `a meter that falls silent goes offline with that reason`() async throws {
        let gateway = try TestGateway()
        let terminal = try PseudoTerminal()
        gateway.run([Toy.port(terminal.path)], [try Toy.device("p1", Toy.smartMeterText, poll: nil)])
        await gateway.waitForStatus(of: "p1") { if case .offline(.silent, _) = $0 { true } else { false } }
        await gateway.stop()
        withExtendedLifetime(terminal) {}
    }

    @Test func `noise is told as noise and not as silence`() async throws {
        let gateway = try TestGateway()
        let terminal = try PseudoTerminal()
        gateway.run([Toy.port(terminal.path)], [try Toy.device("p1", Toy.smartMeterText, poll: nil)])
        // What came before the port was opened is thrown away, so the noise comes after.
        await gateway.waitForStatus(of: "p1") { if case .offline(.silent, _) = $0 { true } else { false } }
        let noise = Array("/XMX5\r\n\r\n1-0:1.7.0(00.244*kW)\r\n!0000\r\n".utf8)
        _ = terminal.send(noise.span)
        await gateway.waitForStatus(of: "p1") { if case .offline(.garbled, _) = $0 { true } else { false } }
        await gateway.stop()
        withExtendedLifetime(terminal) {}
    }

    @Test func `a device that is asked answers, over a line that gives back what is sent`() async throws {
        let gateway = try TestGateway()
        let sensor = try AskedDevice(on: gateway.loop)
        gateway.run([Toy.port(sensor.path)], [try Toy.device("co2", Toy.askedText, poll: nil)])
        let request: [UInt8] = [0xFF, 0x01, 0x86, 0x00, 0x00, 0x00, 0x00, 0x00, 0x79]
        #expect(await sensor.received(request.count) == request)
        await sensor.send(request + [0xFF, 0x86, 0x02, 0x7C, 0x42, 0x00, 0x00, 0x00, 0xBA])
        await gateway.waitForStatus(of: "co2") { $0 == .online }
        #expect(gateway.readings(of: "co2", "co2").first?.value == .integer(636))
        await gateway.stop()
        withExtendedLifetime(sensor) {}
    }

    @Test func `a device that does not answer is offline for that reason`() async throws {
        let gateway = try TestGateway()
        let terminal = try PseudoTerminal()
        gateway.run([Toy.port(terminal.path)], [try Toy.device("co2", Toy.askedText, poll: nil)])
        await gateway.waitForStatus(of: "co2") { if case .offline(.timeout, _) = $0 { true } else { false } }
        await gateway.stop()
        withExtendedLifetime(terminal) {}
    }
}

/// The far end of a line, on which a test reads what is asked and answers.
private actor AskedDevice {
    nonisolated let path: String
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private let terminal: PseudoTerminal

    init(on loop: EventLoop) throws {
        self.loop = loop
        let terminal = try PseudoTerminal()
        path = terminal.path
        self.terminal = terminal
    }

    /// The next bytes that the gateway sends.
    func received(_ count: Int) async -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 256)
        while all.count < count, case .ready = await loop.readable(terminal.descriptor) {
            if case .bytes(let count) = terminal.receive(into: &buffer) { all += buffer[..<count] }
        }
        return Array(all.prefix(count))
    }

    func send(_ bytes: [UInt8]) {
        _ = terminal.send(bytes.span)
    }
}
