package import Documents
import Mapping
package import Profiles

/// Reads a configuration: its text in, settings and every problem out.
package enum Configuration {
    static let version = 1

    /// Reads the text of `file`.
    ///
    /// With errors there are no settings; warnings leave them. The problems are in the order of the file.
    package static func read(
        _ text: String, file: String, profiles: [String: Profile], secrets: SecretSource = .none
    ) -> (settings: GatewaySettings?, problems: [Problem]) {
        let problems = ProblemList(file: file, text: text)
        let settings = root(text, problems).map { root in
            ConfigurationReader(profiles: profiles, secrets: secrets, problems: problems).settings(root)
        }
        return (problems.hasErrors ? nil : settings, problems.sorted)
    }

    private static func root(_ text: String, _ problems: ProblemList) -> Section? {
        let documents = Document.parse(text, problems)
        if documents.count > 1, !problems.hasErrors {
            problems.error(
                "a second document begins here", at: documents[1].mark,
                hint: "a configuration is one document: take the '---' above it out")
        }
        if let first = documents.first, !first.isNull { return Section(first, path: "", problems) }
        if !problems.hasErrors {
            problems.error(
                "the file says nothing", at: Mark(line: 1, column: 1),
                hint: "it begins with 'version: 1' and 'gateway: { id: my-gateway }'")
        }
        return nil
    }
}

/// Reads the sections in turn and puts them together.
struct ConfigurationReader {
    var profiles: [String: Profile]
    var secrets: SecretSource
    var problems: ProblemList

    func settings(_ root: Section) -> GatewaySettings {
        checkVersion(root)
        var settings = GatewaySection.read(root)
        settings.log = LogSection.read(root)
        settings.store = StoreSection.read(root)
        let defaults = root.section("defaults").map(DefaultsSection.read) ?? PublishRule()
        var ports = PortsSection(profiles: profiles).read(root)
        let devices = DevicesSection(profiles: profiles, ports: ports, defaults: defaults).read(root)
        ports += devices.compactMap(\.simulatedPort)
        PortChecks(ports: ports, devices: devices, problems: problems).run()
        settings.ports = ports.map(\.settings)
        let taken = Dictionary(devices.map { ($0.key, $0.mark) }, uniquingKeysWith: { first, _ in first })
        let gpio = GPIOSection(defaults: defaults, taken: taken).read(root)
        (settings.devices, settings.gpio) = Interlocks(problems: problems).resolved(devices, gpio)
        var places = taken.merging(gpio.map { ($0.settings.key, $0.mark) }, uniquingKeysWith: { first, _ in first })
        let sysfs = SysfsSection(defaults: defaults, taken: places).read(root)
        settings.sysfs = sysfs.map(\.settings)
        settings.mapping.devices = devices.compactMap(\.mapped) + gpio.map(\.mapped) + sysfs.map(\.mapped)
        places.merge(sysfs.map { ($0.settings.key, $0.mark) }, uniquingKeysWith: { first, _ in first })
        TopicsSection.read(root, into: &settings.mapping, devices: places)
        BrokerSection.read(root, into: &settings)
        settings.upstreams = UpstreamSection(
            gateway: settings.id, secrets: secrets, listeners: settings.listeners, sync: settings.store.sync
        ).read(root)
        finish(root)
        return settings
    }

    private func checkVersion(_ root: Section) {
        let hint = "this Martlet reads version \(Configuration.version): write 'version: \(Configuration.version)'"
        guard let version = root.text("version") else {
            if root.node("version") == nil { root.missing("version", hint: hint) }
            return
        }
        if Scalar.integer(version.value) != Configuration.version {
            problems.error("version '\(version.value)' is not known", at: version.mark, hint: hint)
        }
    }

    private func finish(_ root: Section) {
        root.spelled([
            "mqtt": "broker", "server": "broker", "listener": "broker", "bridge": "upstream", "cloud": "upstream",
            "serial": "ports", "modbus": "ports", "adapters": "ports", "meters": "devices", "sensors": "devices",
            "w1": "sysfs", "onewire": "sysfs", "hwmon": "sysfs", "iio": "sysfs",
            "logging": "log", "persistence": "store", "journal": "store",
        ])
        root.finish(later: ["homeassistant", "web", "metrics", "include"])
    }
}
