import Documents

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
        section.finish(later: ["state_dir", "clock"])
        return settings
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
