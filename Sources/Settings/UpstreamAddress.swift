import Documents

/// `url:` of an upstream: one, or a list.
struct UpstreamAddress: Equatable {
    private static let wanted = "mqtt://host, mqtt://host:1883, mqtts://host:8883, ws://host/mqtt or wss://host/mqtt"

    var host: String
    var port: UInt16
    /// `mqtts` and `wss`.
    var isEncrypted: Bool
    /// Of a WebSocket.
    var path: String?

    /// Nil if something is wrong with one of them.
    static func read(_ section: Section) -> [UpstreamAddress]? {
        guard let node = section.node("url") else {
            section.missing("url", hint: "write \(wanted)")
            return nil
        }
        guard let items = node.items else {
            return section.text("url").flatMap { address($0, section.problems) }.map { [$0] }
        }
        let addresses = items.map { item -> UpstreamAddress? in
            if let text = item.text, item.tag == nil { return address(Located(text, at: item.mark), section.problems) }
            section.problems.error("'url' must hold texts, not \(item.kind)", at: item.mark, hint: "write \(wanted)")
            return nil
        }
        if addresses.isEmpty { section.missing("url", hint: "write \(wanted)") }
        guard !addresses.isEmpty, !addresses.contains(nil) else { return nil }
        let known = addresses.compactMap(\.self)
        if Set(known.map(\.isEncrypted)).count > 1 {
            section.problems.error(
                "some of these are encrypted and some are not", at: node.mark,
                hint: "take mqtts:// and wss:// for all, or mqtt:// and ws://")
        }
        return known
    }

    private static func address(_ url: Located<String>, _ problems: ProblemList) -> UpstreamAddress? {
        let parts = split(url.value)
        guard let scheme = scheme(parts.scheme, url, problems) else { return nil }
        guard !parts.rest.contains("@") else {
            problems.error(
                "the url has a user name in it", at: url.mark, hint: "write it as 'username:' and 'password: !secret …'"
            )
            return nil
        }
        let slash = scheme.isWebSocket ? parts.rest.firstIndex(of: "/") : nil
        let path = scheme.isWebSocket ? slash.map { String(parts.rest[$0...]) } ?? "/mqtt" : nil
        let place = slash.map { String(parts.rest[..<$0]) } ?? parts.rest
        guard let place = HostAndPort(place, defaultPort: scheme.port), path.map(isPath) ?? true else {
            problems.error("'\(url.value)' is not allowed for 'url'", at: url.mark, hint: "write \(wanted)")
            return nil
        }
        return UpstreamAddress(host: place.host, port: place.port, isEncrypted: scheme.isEncrypted, path: path)
    }

    /// What may stand in the first line of a request.
    private static func isPath(_ path: String) -> Bool {
        path.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    private static func split(_ url: String) -> (scheme: String, rest: String) {
        guard let colon = url.firstIndex(of: ":"), url[colon...].hasPrefix("://") else { return ("", url) }
        var rest = url[url.index(colon, offsetBy: 3)...]
        if rest.last == "/" { rest = rest.dropLast() }
        return (url[..<colon].lowercased(), String(rest))
    }

    private struct Scheme {
        var port: UInt16
        var isEncrypted = false
        var isWebSocket = false
    }

    private static func scheme(_ scheme: String, _ url: Located<String>, _ problems: ProblemList) -> Scheme? {
        switch scheme {
        case "mqtt": return Scheme(port: 1883)
        case "mqtts": return Scheme(port: 8883, isEncrypted: true)
        case "ws": return Scheme(port: 80, isWebSocket: true)
        case "wss": return Scheme(port: 443, isEncrypted: true, isWebSocket: true)
        case "tcp", "ssl", "tls":
            let right = scheme == "tcp" ? "mqtt" : "mqtts"
            problems.error("'\(scheme)://' is not known", at: url.mark, hint: "write '\(right)://' instead")
        default:
            problems.error("'\(url.value)' is not allowed for 'url'", at: url.mark, hint: "write \(wanted)")
        }
        return nil
    }
}
