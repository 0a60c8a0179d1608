import Documents

/// `log:` how much is said.
enum LogSection {
    static let subsystems = ["bridge", "broker", "devices", "gateway"]

    static func read(_ root: Section) -> LogSettings {
        var settings = LogSettings()
        guard let section = root.section("log") else { return settings }
        if let level = section.word("level", LogSettings.Level.self) { settings.level = level }
        if let per = section.section("per") {
            for name in subsystems {
                if let level = per.word(name, LogSettings.Level.self) { settings.per[name] = level }
            }
            per.spelled(["modbus": "devices", "serial": "devices", "upstream": "bridge", "mqtt": "broker"])
            per.finish()
        }
        section.finish()
        return settings
    }
}
