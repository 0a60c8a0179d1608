import Documents
import Mapping
import Testing

@testable import Settings

@Suite struct SysfsSectionTests {
    private func read(_ sysfs: String) throws -> (settings: GatewaySettings?, problems: [String]) {
        let text = "version: 1\ngateway: { id: shed }\nsysfs:\n" + sysfs
        let read = Configuration.read(text, file: "shed.yaml", profiles: [:])
        return (read.settings, read.problems.map(\.message))
    }

    @Test func `a file with a scale and a unit is a device with one point`() throws {
        let read = try read(
            "  boiler: { path: /sys/x/temperature, point: temperature, scale: 0.001, unit: °C, class: temperature, poll: 30s }"
        )
        let device = try #require(read.settings?.sysfs.first)
        #expect(device.poll == .seconds(30) && device.points.count == 1)
        #expect(device.points.first?.scale == 0.001 && device.points.first?.path == "/sys/x/temperature")
        let point = try #require(read.settings?.mapping.devices.first?.points.first)
        #expect(point.name == "temperature" && point.class == "temperature" && point.interval == .seconds(30))
    }

    @Test func `several files can be one device, each with its own rule`() throws {
        let read = try read(
            """
              room:
                retain: false
                points:
                  temperature: { path: /sys/a, scale: 0.001, unit: °C, range: { min: -40, max: 85 } }
                  humidity: { path: /sys/b, retain: true }
            """)
        let device = try #require(read.settings?.sysfs.first)
        #expect(device.points.map(\.name) == ["temperature", "humidity"] && device.points.first?.range == -40...85)
        #expect(read.settings?.mapping.devices.first?.points.map(\.publish.retain) == [false, true])
    }

    @Test(arguments: [
        ("  a: { path: temperature }", "'temperature' is no path of a file"),
        ("  a: { unit: °C }", "'path' is missing in 'sysfs.a'"),
        ("  a: { path: /sys/a, points: { b: { path: /sys/b } } }", "'path' belongs to a point"),
        ("  a: { path: /sys/a, range: { min: 2, max: 1 } }", "'min' is above 'max'"),
        ("  a: { path: /sys/a, poll: 1ms }", "1ms is not allowed for 'poll'"),
        ("  a: { path: /sys/a }\ngpio:\n  a: { line: A, as: contact }", "there is a device 'a' already"),
    ])
    func `what can't be is told`(sysfs: String, message: String) throws {
        let told = try read(sysfs).problems
        #expect(told.contains { $0.contains(message) }, "\(told)")
    }
}
