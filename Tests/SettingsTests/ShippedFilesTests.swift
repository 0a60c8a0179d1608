import Bridge
import Broker
import Documents
import Foundation
import Mapping
import Modbus
import Profiles
import Settings
import Testing

/// `config/martlet.yaml` promises every key and every default; the other files must work as they are.
@Suite struct ShippedFilesTests {
    private static let examples: [String] =
        ["config/martlet.yaml", "config/demo.yaml"]
        + ["energy-meter", "relay-board", "smart-meter", "bridge", "secured-broker", "gpio", "sensors"].map {
            "config/examples/\($0).yaml"
        }

    @Test(arguments: examples)
    func `every shipped configuration is without a complaint`(path: String) throws {
        let (settings, problems) = try configuration(Repository.text(path))
        #expect(settings != nil)
        #expect(problems.map(\.description) == [])
    }

    @Test func `no example is left out here`() throws {
        let found = try Repository.names(in: "config/examples").map { "config/examples/\($0)" }
        #expect(found == Self.examples.filter { $0.contains("examples") }.sorted())
    }

    @Test func `the reference says the built-in defaults`() throws {
        let read = try #require(try configuration(Repository.text("config/martlet.yaml")).settings)
        let builtIn = GatewaySettings(id: "martlet")
        #expect(read.id == builtIn.id)
        #expect(read.name == builtIn.name)
        #expect(read.clock == builtIn.clock)
        #expect(read.log == builtIn.log)
        #expect(read.store == builtIn.store)
        #expect(read.ports == builtIn.ports)
        #expect(read.mapping == builtIn.mapping)
        #expect(read.listeners == builtIn.listeners)
        #expect(read.brokerLimits == builtIn.brokerLimits)
        #expect(read.anonymous == builtIn.anonymous)
        #expect(read.upstreams.isEmpty)
    }

    @Test func `the comments of the reference are right once they are none`() throws {
        let (settings, problems) = try configuration(Reference.uncommented())
        #expect(problems.map(\.description) == [])
        let read = try #require(settings)
        var meterbus = PortSettings(
            key: "meterbus",
            place: .usb(vendorProduct: "0403:6001", serial: "A50285BI", path: "*-usb-0:1.3:1.0", interface: 0))
        meterbus.baudrate = 9600
        meterbus.format = LineFormat("8N1")
        meterbus.maximumRegisters = 80
        #expect(read.ports.first == meterbus)
        // What the entries without keys of their own have is what the entries with all keys say.
        #expect(read.devices.map(\.unit) == [1, 2, 1, 1, 1])
        #expect(read.devices.map(\.poll) == Array(repeating: .seconds(5), count: 5))
        let publish = read.mapping.devices.prefix(5).map { $0.points.first?.publish }
        var explicit = PublishRule()
        explicit.report.deadband = 0
        var inherited = PublishRule()
        inherited.report.deadband = 5  // the one commented line of `defaults`
        #expect(publish == [explicit, inherited, inherited, inherited, inherited])
        let queue = try #require(read.upstreams.first?.bridge.queue)
        let bare = try Self.bareUpstream().bridge.queue
        #expect(queue == bare)
    }

    private static func bareUpstream() throws -> UpstreamSettings {
        try #require(try settings("upstream: { a: { url: mqtt://host, out: [ { filter: '#' } ] } }").upstreams.first)
    }

    @Test func `the demo is what is promised of it`() throws {
        let demo = try #require(try configuration(Repository.text("config/demo.yaml")).settings)
        #expect(demo.id == "demo")
        #expect(demo.ports.map(\.key) == ["meter", "relays", "p1"])
        let simulated = ["eastron-sdm120", "waveshare-modbus-relay-8", "dsmr-p1"]
        #expect(demo.ports.map(\.place) == simulated.map { .simulate(profile: $0) })
        #expect(demo.devices.map(\.key) == ["meter", "relays", "smart-meter"])
        #expect(demo.devices.map(\.poll) == [.seconds(2), .seconds(1), nil])
        #expect(
            demo.listeners == [
                ListenSettings(address: .tcp(address: "127.0.0.1", port: 1883)),
                ListenSettings(address: .unix(path: "/tmp/martlet-demo.sock", mode: 0o600)),
            ])
        #expect(demo.hasOwnListeners)
    }
}

/// `config/martlet.yaml`, which tells the keys without defaults in comments.
enum Reference {
    /// A comment line that begins with a small letter or two spaces is configuration; prose begins with one space.
    static func uncommented() throws -> String {
        try Repository.text("config/martlet.yaml").split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix("#") && $0 != "#" && !isProse($0) ? String($0.dropFirst()) : String($0) }
            .joined(separator: "\n")
    }

    private static func isProse(_ line: Substring) -> Bool {
        line.hasPrefix("# ") && !line.hasPrefix("#  ")
    }
}
