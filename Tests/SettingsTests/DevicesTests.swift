import Control
import Documents
import MQTTCodec
import Mapping
import Profiles
import Settings
import Testing

@Suite struct DevicesTests {
    private static let ports = """
        ports:
          bus: { match: { usb: "0403:6001" }, baudrate: 9600 }
          p1: { device: /dev/serial/by-id/p1 }

        """

    private func read(_ devices: String, before: String = "") throws -> GatewaySettings {
        try settings(before + Self.ports + "devices:\n" + devices)
    }

    private static let meter = "  m: { profile: eastron-sdm120, port: bus"

    private func told(_ devices: String, before: String = "") throws -> [String] {
        let text = "version: 1\ngateway: { id: site }\n" + before + Self.ports + "devices:\n" + devices
        return try configuration(text).problems.map { "\($0.severity.rawValue) \($0.message)" }
            .filter { !$0.contains("no device is on port") }
    }

    @Test func `slow points are read every tenth time, unless they say it themselves`() throws {
        let read = try read(
            "  m: { profile: eastron-sdm120, port: bus, poll: 2s, points: { export_energy: { poll: 7s }, voltage: { poll: 1s } } }"
        )
        let device = try #require(read.devices.first)
        var polls: [String: Duration?] = [:]
        for point in device.points { polls[point.definition.name] = point.poll }
        #expect(polls["power"] == .some(.seconds(2)))
        #expect(polls["import_energy"] == .some(.seconds(20)))
        #expect(polls["export_energy"] == .some(.seconds(7)))
        #expect(polls["voltage"] == .some(.seconds(1)))
        let mapped = try #require(read.mapping.devices.first?.points)
        #expect(mapped.map(\.interval) == device.points.map(\.poll))
    }

    @Test func `a simulated device brings a port of its own`() throws {
        let read = try read(
            "  m: { profile: eastron-sdm120, port: simulated }\n  n: { profile: eastron-sdm120, port: simulated }\n")
        let ports = read.ports.suffix(2)
        #expect(ports.map(\.key) == ["simulated-m", "simulated-n"])
        #expect(ports.allSatisfy { $0.place == .simulate(profile: "eastron-sdm120") })
        #expect(read.devices.map(\.port) == ["simulated-m", "simulated-n"])
        #expect(try told("  m: { profile: eastron-sdm120, port: simulated }") == [])
    }

    @Test func `without words a device is polled every five seconds as unit of its profile`() throws {
        let device = try #require(try read("  m: { profile: eastron-sdm120, port: bus }").devices.first)
        #expect(device.poll == .seconds(5))
        #expect(device.unit == 1)
        #expect(device.points.count == device.profile.points.count)
    }

    @Test func `a device that speaks unasked is not polled and expected at its pace`() throws {
        let read = try read("  house: { profile: dsmr-p1, port: p1 }")
        #expect(read.devices.first?.poll == nil)
        #expect(read.devices.first?.points.allSatisfy { $0.poll == nil } == true)
        #expect(read.mapping.devices.first?.points.allSatisfy { $0.interval == .seconds(10) } == true)
    }

    @Test func `points that are off are gone for everybody`() throws {
        let read = try read(
            Self.meter + ", points: { voltage: off, current: on, power: no } }")
        let names = read.devices.first?.points.map(\.definition.name) ?? []
        #expect(!names.contains("voltage") && !names.contains("power") && names.contains("current"))
        #expect(read.mapping.devices.first?.points.map(\.name) == names)
    }

    @Test func `points that take commands have an actuator and are writable`() throws {
        let read = try read("  r: { profile: waveshare-modbus-relay-8, port: bus }")
        let point = try #require(read.devices.first?.points.first)
        var actuator = ActuatorSettings(accepts: .words(["ON", "OFF", "TOGGLE"]))
        actuator.toggles = ["TOGGLE"]
        actuator.safety.off = "OFF"
        #expect(point.actuator == actuator)
        #expect(read.mapping.devices.first?.points.allSatisfy(\.isWritable) == true)
        let meter = try self.read("  m: { profile: eastron-sdm120, port: bus }")
        #expect(meter.mapping.devices.first?.points.contains(where: \.isWritable) == false)
    }

    @Test func `defaults reach devices, and devices their points, key by key`() throws {
        let read = try read(
            """
              m:
                profile: eastron-sdm120
                port: bus
                qos: 0
                report: { deadband: 1 }
                points:
                  power: { payload: json, report: { max_interval: 30s }, retain: false, stale_after: 90s, expiry: never }
            """, before: "defaults: { payload: value, report: { min_interval: 2s }, stale_after: never }\n")
        let points = try #require(read.mapping.devices.first?.points)
        let power = try #require(points.first { $0.name == "power" }).publish
        let voltage = try #require(points.first { $0.name == "voltage" }).publish
        var expected = PublishRule()
        expected.payload = .value
        expected.report.minInterval = .seconds(2)
        expected.report.deadband = 1
        expected.staleAfter = .never
        expected.qos = .atMostOnce
        #expect(voltage == expected)
        expected.payload = .json
        expected.report.maxInterval = .seconds(30)
        expected.staleAfter = .duration(.seconds(90))
        expected.retain = false
        expected.expiry = nil
        #expect(power == expected)
    }

    @Test(arguments: [
        ("  m: { port: bus }", "error 'profile' is missing in 'devices.m'"),
        ("  m: { profile: eastron-sdm120 }", "error 'port' is missing in 'devices.m'"),
        ("  m: { profile: eastron-sdm120, port: bus, unit: 248 }", "error '248' is not allowed for 'unit'"),
        (
            "  m: { profile: eastron-sdm120, port: bus, unit: 0 }",
            "error unit 0 is all units of the line, which can only be told something: 'eastron-sdm120' takes no commands"
        ),
        ("  m: { profile: eastron-sdm120, port: bus, poll: 99ms }", "error 'poll' is too short"),
        ("  m: { profile: eastron-sdm120, port: bus, poll: 5 }", "error '5' has no unit"),
        ("  m/x: { profile: eastron-sdm120, port: bus }", "error 'm/x' can't be the key of a device"),
        ("  $m: { profile: eastron-sdm120, port: bus }", "error '$m' can't be the key of a device"),
        ("  m: { profile: eastron-sdm120, port: bus, points: { power: 5s } }", "error '5s' is not allowed for 'power'"),
        (
            "  m: { profile: eastron-sdm120, port: bus, points: { temperature: off } }",
            "error profile 'eastron-sdm120' has no point 'temperature'"
        ),
        (
            "  m: { profile: eastron-sdm120, port: bus, reader: {} }",
            "error 'reader' is not available in this version yet"
        ),
        ("  m: { profile: dsmr-p1, port: p1, unit: 1 }", "warning a device of profile 'dsmr-p1' has no unit"),
        (
            "  m: { profile: dsmr-p1, port: p1, poll: 5s }",
            "warning 'poll' has no effect: a device of profile 'dsmr-p1' speaks unasked"
        ),
        (
            "  m: { profile: eastron-sdm120, port: bus, expiry: 1m }",
            "warning a value that stays the same expires after 1m and is gone until it changes"
        ),
        (
            "  m: { profile: eastron-sdm120, port: bus, report: { max_interval: never } }",
            "warning a value that stays the same expires after 1h and is gone until it changes"
        ),
        (
            "  a: { profile: dsmr-p1, port: p1 }\n  b: { profile: dsmr-p1, port: p1 }",
            "error 'a' and 'b' can't share port 'p1': 'a' speaks unasked"
        ),
    ])
    func `what can't work is told`(devices: String, message: String) throws {
        #expect(try told(devices) == [message])
    }

    @Test func `units may be the same on different ports`() throws {
        let told = try told("  a: { profile: eastron-sdm120, port: bus }\n  b: { profile: eastron-sdm120, port: p1 }")
        #expect(told == [])
    }

    @Test func `devices of different speed need the port's word for it`() throws {
        let devices = "  a: { profile: eastron-sdm120, port: p1 }\n  b: { profile: eastron-sdm630, port: p1, unit: 2 }"
        #expect(try told(devices) == ["error 'a' usually speaks 2400 baud 8N1, 'b' 9600 baud 8N1"])
        #expect(try told(devices.replacing("p1", with: "bus")) == [])
    }
}
