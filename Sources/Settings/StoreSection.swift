import Documents

/// Reads `store:`.
enum StoreSection {
    static func read(_ root: Section) -> StoreSettings {
        var settings = StoreSettings()
        guard let section = root.section("store") else { return settings }
        if let sync = sync(section) { settings.sync = sync }
        if let size = section.size("segment_size", 64_000...1_000_000_000) { settings.segmentSize = size }
        if section.node("daily_budget")?.text == "off" {
            _ = section.text("daily_budget")
            settings.dailyBudget = nil
        } else if let budget = section.size("daily_budget", 1_000_000...100_000_000_000_000) {
            settings.dailyBudget = budget
        }
        if let reserve = section.size("reserve", 0...100_000_000_000_000) { settings.reserve = reserve }
        section.spelled([
            "autosave_interval": "sync", "fsync": "sync", "flush": "sync", "max_segment_size": "segment_size",
            "min_free": "reserve", "free": "reserve", "budget": "daily_budget",
        ])
        section.finish()
        return settings
    }

    static func sync(_ section: Section) -> StoreSettings.Sync? {
        let wanted = "'commit', 'off', or a time with its unit from 1ms to 60s, like 50ms"
        return section.value("sync", wanted: wanted) { text -> StoreSettings.Sync? in
            switch text {
            case "commit": .commit
            // YAML's own word for 'off' may be put in by tools.
            case "off", "false": .off
            default:
                Scalar.duration(text).flatMap { (.milliseconds(1) ... .seconds(60)).contains($0) ? .within($0) : nil }
            }
        }?.value
    }
}
