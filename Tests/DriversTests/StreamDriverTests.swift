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
}
