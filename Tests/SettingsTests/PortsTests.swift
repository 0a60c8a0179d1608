import Documents
import Modbus
import Profiles
import Settings
import Testing

@Suite struct PortsTests {
    /// A port with these keys, and a meter on it.
    private func port(_ keys: String) throws -> PortSettings {
        let text = "ports: { p: { \(keys) } }\ndevices: { d: { profile: eastron-sdm120, port: p } }"
        return try #require(try settings(text).ports.first)
    }

    private func told(_ keys: String) throws -> [String] {
        let text = "ports: { p: { \(keys) } }\ndevices: { d: { profile: eastron-sdm120, port: p } }"
        return try configuration("version: 1\ngateway: { id: site }\n" + text).problems.map {
            "\($0.severity.rawValue) \($0.message)"
        }
    }

    @Test func `a port is found by match, path, network address or simulation`() throws {
        let usb = PortSettings.Place.usb(vendorProduct: "0403:6a01", serial: "0001", path: nil)
        #expect(try port("match: { usb: 0403:6A01, serial: 0001 }").place == usb)
        #expect(try port("device: /dev/serial0").place == .device(path: "/dev/serial0"))
        #expect(try port("tcp: 192.168.1.20:502").place == .tcp(host: "192.168.1.20", port: 502))
        #expect(try port("tcp: '[fd00::1]:502'").place == .tcp(host: "fd00::1", port: 502))
        #expect(try port("simulate: eastron-sdm120").place == .simulate(profile: "eastron-sdm120"))
    }

    @Test(arguments: ["8E1", "8e1", "'8E1'", "7O2"])
    func `a bare line format is no number`(text: String) throws {
        let format = try port("device: /dev/serial0, format: \(text)").format
        #expect(format == LineFormat(text.filter { $0 != "'" }))
        #expect(format != nil)
    }

    @Test func `what is not said is left to profile and default`() throws {
        let port = try port("device: /dev/serial0")
        #expect(port == PortSettings(key: "p", place: .device(path: "/dev/serial0")))
    }

    @Test func `line and bus are set`() throws {
        let port = try port(
            "tcp: 'plant:502', flow: rtscts, dtr: on, rs485: { delay_before: 1ms, delay_after: 2ms }, "
                + "modbus: { mode: tcp, timeout: 1s, pause: 5ms, retries: 0, max_registers: 20, max_hole: 0, "
                + "offline_after: 5, probe_every: 1m, gap: auto }")
        #expect(port.flow == .rtscts)
        #expect(port.dtr == .on)
        #expect(port.rs485 == .on(rtsOnSend: true, delayBefore: .milliseconds(1), delayAfter: .milliseconds(2)))
        var modbus = MasterSettings()
        modbus.mode = .tcp
        modbus.timeout = .seconds(1)
        modbus.pause = .milliseconds(5)
        modbus.retries = 0
        modbus.offlineAfter = 5
        modbus.probeEvery = .seconds(60)
        #expect(port.modbus == modbus)
        #expect(port.maximumRegisters == 20)
        #expect(port.maximumHole == 0)
    }

    @Test(arguments: [("auto", PortSettings.RS485.auto), ("off", .off), ("false", .off)])
    func `rs485 in one word`(word: String, meaning: PortSettings.RS485) throws {
        #expect(try port("device: /dev/serial0, rs485: \(word)").rs485 == meaning)
    }

    @Test(arguments: ["/dev/ttyUSB0", "/dev/ttyACM12"])
    func `a numbered adapter is warned of`(path: String) throws {
        let message = "warning \(path) can be another adapter after a restart or when one is plugged in"
        #expect(try told("device: \(path)") == [message])
    }

    @Test(arguments: ["/dev/serial/by-id/usb-FTDI-if00-port0", "/dev/pts/3", "/dev/serial0", "/tmp/pty", "/dev/ttyGPS"])
    func `other paths are not`(path: String) throws {
        #expect(try told("device: \(path)") == [])
    }

    @Test(arguments: [
        ("", "error 'ports.p' does not say what it is connected to"),
        ("device: /dev/serial0, tcp: 'a:1'", "error 'ports.p' has both 'device' and 'tcp'"),
        ("device: COM3", "error 'COM3' is not allowed for 'device'"),
        ("match: { serial: A5 }", "error 'usb' is missing in 'ports.p.match'"),
        ("match: { usb: 403:6001 }", "error '403:6001' is not allowed for 'usb'"),
        ("tcp: 192.168.1.20", "error '192.168.1.20' is not allowed for 'tcp'"),
        ("tcp: 'a:99999'", "error 'a:99999' is not allowed for 'tcp'"),
        ("simulate: sdm120", "error there is no profile 'sdm120'"),
        ("simulate: eastron-sdm630", "error port 'p' simulates 'eastron-sdm630', but 'd' is 'eastron-sdm120'"),
        ("device: /dev/serial0, modbus: { mode: tcp }", "error 'mode: tcp' needs a port on the network"),
        ("device: /dev/serial0, modbus: { timeout: 1ms }", "error 1ms is not allowed for 'timeout'"),
        ("device: /dev/serial0, modbus: { gap: 4ms }", "error '4ms' is not allowed for 'gap'"),
        ("device: /dev/serial0, baudrate: 9600.5", "error '9600.5' is not allowed for 'baudrate'"),
    ])
    func `what can't work is told`(keys: String, message: String) throws {
        #expect(try told(keys) == [message])
    }

    @Test func `two ports can't be one device`() throws {
        let ports = """
            ports:
              a: { device: /dev/serial0 }
              b: { device: /dev/serial0 }
              c: { tcp: "plant:502" }
              d: { tcp: "plant:502" }
              e: { simulate: eastron-sdm120 }
              f: { simulate: eastron-sdm120 }
            devices:
            """
        let devices = "abcdef".map { "\n  \($0): { profile: eastron-sdm120, port: \($0) }" }.joined()
        let told = try configuration("version: 1\ngateway: { id: site }\n" + ports + devices).problems
        #expect(
            told.map(\.message) == [
                "ports 'a' and 'b' are the same device", "ports 'c' and 'd' connect to the same place",
            ])
        #expect(told.map(\.severity) == [.error, .warning])
    }

    @Test(arguments: [
        ("serial: A", "serial: A", true), ("serial: A", "serial: B", false), ("", "serial: B", true),
        ("path: 'x*'", "", true), ("path: 'x*'", "serial: B", false), ("serial: A", "serial: A, path: 'x*'", true),
    ])
    func `a match that leaves something open finds the other port's adapter too`(
        one: String, other: String, isTold: Bool
    ) throws {
        let told = try problems(
            """
            ports:
              a: { match: { usb: "0403:6001", \(one) } }
              b: { match: { usb: "0403:6001", \(other) } }
            devices: { a: { profile: eastron-sdm120, port: a }, b: { profile: eastron-sdm120, port: b } }
            """)
        #expect(told.contains { $0.contains("ports 'a' and 'b' match the same device") } == isTold)
        #expect(told.count == (isTold ? 1 : 0))
    }

    @Test func `a port without a device is warned of`() throws {
        let told = try problems("ports: { p: { device: /dev/serial0 } }")
        #expect(told.count == 1)
        #expect(told.first?.contains("warning: no device is on port 'p'") == true)
    }

    @Test func `a line that is asked for more than it carries is told, with what helps`() throws {
        let meters = (1...4).map { "m\($0): { profile: eastron-sdm630, port: p, unit: \($0), poll: 500ms }" }
        let text =
            "ports: { p: { device: /dev/serial0, baudrate: 9600 } }\ndevices: { \(meters.joined(separator: ", ")) }"
        let (settings, problems) = try configuration("version: 1\ngateway: { id: site }\n" + text)
        let port = try #require(settings?.ports.first)
        let load = try #require(PortLoad(port, settings?.devices ?? []))
        #expect(load.share > 1)
        #expect(problems.map(\.message) == ["the polls of port 'p' take \(load) of its line"])
        let slower = try configuration("version: 1\ngateway: { id: site }\n" + text.replacing("500ms", with: "10s"))
        #expect(slower.problems.isEmpty)
    }

    @Test func `the load of a line is that of its blocks`() throws {
        let text = """
            ports: { p: { device: /dev/serial0, baudrate: 9600, format: 8N1 } }
            devices: { d: { profile: eastron-sdm120, port: p, poll: 1s, points: { voltage: { poll: 1s } } } }
            """
        let read = try #require(try configuration("version: 1\ngateway: { id: site }\n" + text).settings)
        var device = try #require(read.devices.first)
        device.points = device.points.filter { $0.definition.name == "voltage" }
        // 17 characters, 3.5 of silence and 20 ms in a second.
        let port = try #require(read.ports.first)
        let share = try #require(PortLoad(port, [device])?.share)
        #expect(abs(share - (20.5 * 1.041667 + 20) / 1_000) < 1e-5)
    }

    @Test func `unit 0 is for devices that take commands`() throws {
        let ports = "ports: { p: { device: /dev/serial0 } }\n"
        let relays = try settings(ports + "devices: { all: { profile: waveshare-modbus-relay-8, port: p, unit: 0 } }")
        #expect(relays.devices.first?.unit == 0)
        let told = try problems(ports + "devices: { all: { profile: eastron-sdm120, port: p, unit: 0 } }")
        #expect(told.first?.contains("unit 0 is all units of the line") == true)
    }
}
