import Control
import LinuxIO
import Readings
import Settings
import Simulation
import Testing

@testable import Drivers

@Suite(.timeLimit(.minutes(1))) struct ChangedDevicesTests {
    private let gateway: TestGateway

    init() throws {
        gateway = try TestGateway()
    }

    private func online(_ device: String) async { await gateway.waitForStatus(of: device) { $0 == .online } }

    @Test func `a device on another port notices nothing of a change, and keeps its driver`() async throws {
        let (one, two) = (
            VirtualDevice(units: [1: .eastronSDM120], on: gateway.loop),
            VirtualDevice(units: [1: .eastronSDM120], on: gateway.loop)
        )
        let ports = [
            Toy.port(try await one.plug(), key: "one"), Toy.port(try await two.plug(), key: "two"),
        ]
        let stays = try Toy.device("stays", Toy.meterText, port: "one")
        gateway.run(ports, [stays, try Toy.device("changes", Toy.meterText, port: "two")])
        await online("stays")
        await online("changes")
        let told = gateway.statuses(of: "stays")
        await gateway.change(
            ports, [stays, try Toy.device("changes", Toy.meterText, port: "two", poll: .milliseconds(50))])
        await online("changes")
        #expect(gateway.statuses(of: "stays") == told)
        #expect(
            gateway.statuses(of: "changes").suffix(2) == [
                .offline(.starting, detail: "its configuration was changed"), .online,
            ])
        await gateway.stop()
    }

    @Test func `a second device on a bus starts, and the first one is not told offline`() async throws {
        let bus = VirtualDevice(units: [1: .eastronSDM120, 2: .eastronSDM120], on: gateway.loop)
        let port = Toy.port(try await bus.plug())
        let first = try Toy.device("first", Toy.meterText)
        gateway.run([port], [first])
        await online("first")
        await gateway.change([port], [first, try Toy.device("second", Toy.meterText, unit: 2)])
        await online("second")
        let before = gateway.reports.count
        await gateway.wait { reports in
            reports.dropFirst(before).contains { report in
                guard case .readings(let readings) = report else { return false }
                return readings.contains { $0.device == "first" }
            }
        }
        #expect(gateway.statuses(of: "first").allSatisfy { $0 == .online })
        await gateway.stop()
    }

    @Test func `a device that is gone is asked no more, and takes no commands`() async throws {
        let bus = VirtualDevice(units: [1: .waveshareRelays], on: gateway.loop)
        let port = Toy.port(try await bus.plug())
        gateway.run([port], [try Toy.device("board", Toy.relayText)])
        await online("board")
        await gateway.change([port], [])
        let requests = await bus.requestCounts[1]
        let outcome = await gateway.write("ON", to: "relay_1", of: "board")
        #expect(outcome == .failed(Refusal(.deviceOffline, "there is no device 'board'")))
        #expect(await bus.requestCounts[1] == requests)
        await gateway.stop()
    }
}
