import Documents
import Mapping

/// `gateway:` who this is.
enum GatewaySection {
    static func read(_ root: Section) -> GatewaySettings {
        let hint = "write 'gateway: { id: my-gateway }'; the id is the first part of every topic"
        guard let section = root.section("gateway") else {
            if root.node("gateway") == nil { root.missing("gateway", hint: hint) }
            return GatewaySettings(id: "gateway")
        }
        var settings = GatewaySettings(id: id(section, hint) ?? "gateway")
        settings.name = section.text("name")?.value
        settings.stateDirectory = stateDirectory(section)
        section.spelled(["data_dir": "state_dir", "state_directory": "state_dir", "persistence_location": "state_dir"])
        if let clock = section.section("clock") { settings.clock = self.clock(clock) }
        section.finish()
        return settings
    }

    private static func clock(_ section: Section) -> ClockSettings {
        var settings = ClockSettings()
        if let patience = section.duration("wait_for_sync", or: "off") { settings.patience = patience }
        section.spelled(["wait": "wait_for_sync", "timeout": "wait_for_sync", "wait_for_ntp": "wait_for_sync"])
        section.finish()
        return settings
    }

    private static func stateDirectory(_ section: Section) -> String? {
        section.value("state_dir", wanted: "the path of a folder, from '/' on: '/var/lib/martlet'") { text -> String? in
            guard text.hasPrefix("/") else { return nil }
            let path = text.drop { $0 == "/" }.split(separator: "/").joined(separator: "/")
            return path.isEmpty ? nil : "/" + path
        }?.value
    }

    private static func id(_ section: Section, _ hint: String) -> String? {
        guard section.node("id") != nil else {
            section.missing("id", hint: hint)
            return nil
        }
        let wanted = "lower-case letters, digits and '-', at most 64 of them: 'pi-garage'"
        return section.value("id", wanted: wanted) { isID($0) ? $0 : nil }?.value
    }

    private static func isID(_ text: String) -> Bool {
        (1...64).contains(text.count)
            && text.utf8.allSatisfy {
                ("a"..."z").contains(Unicode.Scalar($0)) || ("0"..."9").contains(Unicode.Scalar($0))
                    || $0 == UInt8(ascii: "-")
            }
    }
}
