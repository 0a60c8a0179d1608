import Control
import Modbus
import Readings
import Settings
import Synchronization
import Testing

@testable import Drivers

@Suite(.timeLimit(.minutes(1))) struct ModbusTCPTests {
    private let gateway: TestGateway

    init() throws {
        gateway = try TestGateway()
    }

    /// 230.2 in every float.
    @Sendable private static func meter(_ request: Request) -> [UInt8]? {
        guard let range = request.readRange else { return nil }
        let pairs = Array(repeating: [UInt8(0x43), 0x66, 0x33, 0x33], count: Int(range.count) / 2)
        return [request.functionCode, UInt8(range.count * 2)] + pairs.joined()
    }

    private func port(_ server: ModbusServer) -> PortSettings {
        var port = PortSettings(key: "bus", place: .tcp(host: "127.0.0.1", port: server.port))
        port.modbus.mode = .tcp
        // No answer is late here, however busy the machine.
        port.modbus.timeout = .seconds(30)
        return port
    }

    private func run(
        _ text: String, poll: Duration = .milliseconds(100), answer: @escaping ModbusServer.Answer
    ) async throws -> ModbusServer {
        let server = try ModbusServer(on: gateway.loop, answer: answer)
        await server.start()
        gateway.run([port(server)], [try Toy.device("it", text, poll: poll)])
        return server
    }

    private func end(_ server: ModbusServer) async {
        await gateway.stop()
        await server.stop()
    }

    @Test func `a meter is read over TCP in the fewest requests`() async throws {
        let server = try await run(Toy.meterText, answer: Self.meter)
        await gateway.waitForStatus(of: "it") { $0 == .online }
        #expect(gateway.readings(of: "it", "voltage").first?.value == .number(230.2))
        let first = server.requests.withLock { Array($0.prefix(3)) }
        #expect(
            first == [
                .readInputRegisters(start: 0, count: 2), .readInputRegisters(start: 12, count: 2),
                .readInputRegisters(start: 0x48, count: 2),
            ])
        await end(server)
    }

    @Test func `a connection that is cut is told, and made again`() async throws {
        let server = try await run(Toy.meterText, answer: Self.meter)
        await gateway.waitForStatus(of: "it") { $0 == .online }
        await server.cut()
        await gateway.waitForStatus(of: "it") { if case .offline(.portMissing, _) = $0 { true } else { false } }
        await gateway.waitForStatus(of: "it") { $0 == .online }
        await end(server)
    }

    @Test func `a device that refuses every read is offline with its own words`() async throws {
        let server = try await run(Toy.meterText) { [$0.functionCode | 0x80, 4] }
        await gateway.waitForStatus(of: "it") { status in
            guard case .offline(.refused, let detail) = status else { return false }
            return detail.contains("device failure (4)")
        }
        await end(server)
    }

    @Test func `a gateway that does not reach the device counts as silence`() async throws {
        let server = try await run(Toy.meterText) { [$0.functionCode | 0x80, 11] }
        await gateway.waitForStatus(of: "it") { if case .offline(.timeout, _) = $0 { true } else { false } }
        await end(server)
    }

    @Test func `registers that a model lacks don't cost the others`() async throws {
        let server = try await run(Toy.meterText) { request in
            guard let range = request.readRange, range.start < 0x48 else { return [request.functionCode | 0x80, 2] }
            return Self.meter(request)
        }
        await gateway.wait { reports in
            reports.count { if case .readings(let all) = $0 { all[0].point == "power" } else { false } } >= 10
        }
        #expect(gateway.readings(of: "it", "energy").isEmpty)
        #expect(gateway.statuses(of: "it") == [.online])
        // Once joined, once without holes, once alone; then it is left out.
        let tries = server.requests.withLock { $0.count { $0.readRange?.start == 0x48 } }
        #expect(tries == 3)
        await end(server)
    }

    @Test func `a command that the device refuses is told with its words`() async throws {
        let server = try await run(Toy.relayText) { request in
            request.isWrite ? [request.functionCode | 0x80, 3] : [1, 1, 0]
        }
        await gateway.waitForStatus(of: "it") { $0 == .online }
        guard case .failed(let refusal) = await gateway.write("ON", to: "relay_1", of: "it") else {
            Issue.record("a refused command was done")
            return
        }
        #expect(refusal.word == .refusedByDevice && refusal.detail.contains("illegal data value (3)"))
        await end(server)
    }

    @Test func `a relay that confirms but does not switch is told`() async throws {
        let server = try await run(Toy.relayText) { $0.isWrite ? $0.pdu : [1, 1, 0] }
        await gateway.waitForStatus(of: "it") { $0 == .online }
        guard case .failed(let refusal) = await gateway.write("ON", to: "relay_1", of: "it") else {
            Issue.record("a stuck relay counted as switched")
            return
        }
        #expect(refusal.word == .verifyFailed)
        // Read back again and again, but written once.
        let writes = server.requests.withLock { $0.count { $0.isWrite } }
        #expect(writes == 1)
        await end(server)
    }

    @Test func `a command for a port that is not open is refused and not kept for later`() async throws {
        let server = try await run(Toy.relayText) { $0.isWrite ? $0.pdu : [1, 1, 0] }
        await gateway.waitForStatus(of: "it") { $0 == .online }
        await server.stop()
        await gateway.waitForStatus(of: "it") { if case .offline(.portMissing, _) = $0 { true } else { false } }
        guard case .failed(let refusal) = await gateway.write("ON", to: "relay_1", of: "it") else {
            Issue.record("a command went to a closed port")
            return
        }
        #expect(refusal.word == .deviceOffline)
        await server.start()
        await gateway.waitForStatus(of: "it") { $0 == .online }
        let writes = server.requests.withLock { $0.count { $0.isWrite } }
        #expect(writes == 0)
        await gateway.stop()
        await server.stop()
    }
}
