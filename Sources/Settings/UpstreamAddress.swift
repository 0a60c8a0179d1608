import Documents

/// `url:` of an upstream.
struct UpstreamAddress {
    private static let wanted = "mqtt://host, mqtt://host:1883 or mqtts://host:8883"

    var host: String
    var port: UInt16
    /// `mqtts`.
    var isEncrypted: Bool

    static func read(_ section: Section) -> UpstreamAddress? {
        guard let url = section.text("url") else {
            if section.node("url") == nil { section.missing("url", hint: "write \(wanted)") }
            return nil
        }
        let parts = split(url.value)
        guard let isEncrypted = encryption(parts.scheme, url, section.problems) else { return nil }
        guard !parts.rest.contains("@") else {
            section.problems.error(
                "the url has a user name in it", at: url.mark, hint: "write it as 'username:' and 'password: !secret …'"
            )
            return nil
        }
        let place = HostAndPort(parts.rest, defaultPort: isEncrypted ? 8883 : 1883)
        guard let place else {
            section.problems.error("'\(url.value)' is not allowed for 'url'", at: url.mark, hint: "write \(wanted)")
            return nil
        }
        return UpstreamAddress(host: place.host, port: place.port, isEncrypted: isEncrypted)
    }

    private static func split(_ url: String) -> (scheme: String, rest: String) {
        guard let colon = url.firstIndex(of: ":"), url[colon...].hasPrefix("://") else { return ("", url) }
        var rest = url[url.index(colon, offsetBy: 3)...]
        if rest.last == "/" { rest = rest.dropLast() }
        return (url[..<colon].lowercased(), String(rest))
    }

    private static func encryption(_ scheme: String, _ url: Located<String>, _ problems: ProblemList) -> Bool? {
        switch scheme {
        case "mqtt": return false
        case "mqtts": return true
        case "ws", "wss":
            problems.error("'\(scheme)://' is not available in this version yet", at: url.mark, hint: "write \(wanted)")
        case "tcp", "ssl", "tls":
            let right = scheme == "tcp" ? "mqtt" : "mqtts"
            problems.error("'\(scheme)://' is not known", at: url.mark, hint: "write '\(right)://' instead")
        default:
            problems.error("'\(url.value)' is not allowed for 'url'", at: url.mark, hint: "write \(wanted)")
        }
        return nil
    }
}
