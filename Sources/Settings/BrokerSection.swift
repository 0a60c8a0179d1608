import Broker
import Documents

/// `broker:` the broker on the gateway.
enum BrokerSection {
    static func read(_ root: Section, into settings: inout GatewaySettings) {
        guard let section = root.section("broker") else { return }
        let isOpen = auth(section, into: &settings)
        if let nodes = section.list("listen", like: "[ { address: 127.0.0.1, port: 1883 } ]") {
            if nodes.isEmpty {
                section.problems.warning(
                    "the broker listens nowhere", at: section.mark(of: "listen"),
                    hint: "without 'listen:' it listens on 127.0.0.1, port 1883")
            }
            settings.hasOwnListeners = true
            settings.listeners = ListenSection(problems: section.problems, isOpen: isOpen).read(nodes, of: section)
        }
        if let limits = section.section("limits") { LimitsSection.read(limits, into: &settings.brokerLimits) }
        if let interval = section.duration("sys_interval", 1_000...86_400_000) {
            settings.brokerLimits.sysInterval = interval
        }
        section.spelled([
            "port": "listen", "address": "listen", "host": "listen", "listeners": "listen", "bind": "listen",
            "users": "auth", "allow_anonymous": "auth", "anonymous": "auth", "limit": "limits",
        ])
        section.finish(later: ["acl"])
    }

    /// Whether everybody may connect from anywhere.
    private static func auth(_ broker: Section, into settings: inout GatewaySettings) -> Bool {
        guard let section = broker.section("auth") else { return false }
        let anonymous = section.value("anonymous", wanted: "loopback, true or false") { text -> Anonymous? in
            if let word = Anonymous(rawValue: text) { return word }
            return Scalar.bool(text).map { $0 ? .everybody : .nobody }
        }
        if let anonymous { settings.anonymous = anonymous.value }
        if let anonymous, anonymous.value == .nobody {
            section.problems.warning(
                "nobody can connect: this version has no users yet", at: anonymous.mark,
                hint: "write 'anonymous: loopback' to let programs on this machine in")
        }
        section.finish(later: ["file"])
        return settings.anonymous == .everybody
    }
}

/// `broker.listen:` where clients connect.
struct ListenSection {
    var problems: ProblemList
    /// Whether the broker lets everybody in.
    var isOpen: Bool

    func read(_ nodes: [Node], of broker: Section) -> [ListenSettings] {
        var listeners: [ListenSettings] = []
        for (index, node) in nodes.enumerated() {
            guard let section = Section(node, path: "broker.listen.\(index + 1)", problems) else { continue }
            guard let listener = listener(section) else { continue }
            if listeners.contains(listener) {
                problems.error("the broker listens here already", at: section.mark, hint: "take one of them out")
            }
            listeners.append(listener)
        }
        return listeners
    }

    private func listener(_ section: Section) -> ListenSettings? {
        let isUnix = section.node("unix") != nil
        let isPassed = section.node("systemd") != nil
        let address = isUnix ? unix(section) : isPassed ? systemd(section) : tcp(section)
        let transport = TransportSection(problems: problems).read(section, isUnix: isUnix)
        if isUnix, let other = ["address", "port"].first(where: section.has) {
            problems.error(
                "'unix' and '\(other)' exclude each other", at: section.mark(of: other),
                hint: "write two entries: { unix: /run/martlet/martlet.sock } and { address: 127.0.0.1, port: 1883 }")
        }
        if isPassed, let other = ["address", "port", "unix"].first(where: section.has) {
            problems.error(
                "'systemd' and '\(other)' exclude each other", at: section.mark(of: other),
                hint: "what systemd passes is open already: write { systemd: mqtt } only")
        }
        for key in ["address", "port", "unix", "mode"] { _ = section.node(key) }
        section.spelled([
            "host": "address", "bind": "address", "ip": "address", "path": "unix", "socket": "unix", "ssl": "tls",
            "ws": "websocket",
            "websockets": "websocket", "proxy": "proxy_protocol",
        ])
        section.finish()
        return address.map { address in
            var settings = ListenSettings(address: address)
            settings.transport = transport
            return settings
        }
    }

    private func systemd(_ section: Section) -> ListenSettings.Address? {
        let wanted = "the FileDescriptorName= of the socket unit, like mqtt"
        return section.value("systemd", wanted: wanted) { $0.isEmpty || $0.contains(":") ? nil : $0 }
            .map { .systemd(name: $0.value) }
    }

    private func unix(_ section: Section) -> ListenSettings.Address? {
        let path = section.value("unix", wanted: "a path, like /run/martlet/martlet.sock, of at most 107 bytes") {
            // sun_path is 108 bytes with its final zero.
            $0.hasPrefix("/") && $0.utf8.count <= 107 ? $0 : nil
        }
        let mode = section.value("mode", wanted: "file permissions as four octal digits, like \"0660\"") { text in
            text.count == 4 && text.hasPrefix("0") ? UInt32(text, radix: 8) : nil
        }
        return path.map { .unix(path: $0.value, mode: mode?.value ?? 0o660) }
    }

    private func tcp(_ section: Section) -> ListenSettings.Address? {
        if section.node("address") == nil {
            section.missing(
                "address", hint: "write { address: 127.0.0.1, port: 1883 }, or { unix: /run/martlet/martlet.sock }")
        }
        let wanted = "a numeric address: 127.0.0.1 for this machine only, 0.0.0.0 for all of its networks"
        let address = section.value("address", wanted: wanted) { NetworkAddress($0) }
        let port = section.has("port") ? section.integer("port", 0...65_535) : 1883
        guard let address, let port else { return nil }
        checkReach(address, section)
        return .tcp(address: address.value.text, port: UInt16(port))
    }

    /// Beyond this machine only when somebody decided that everybody may.
    private func checkReach(_ address: Located<NetworkAddress>, _ section: Section) {
        guard !address.value.isLoopback else { return }
        if isOpen {
            problems.warning(
                "everybody who reaches \(address.value.text) can read and switch everything", at: address.mark,
                hint: "'auth: { anonymous: true }' says so; 127.0.0.1 is for this machine only")
        } else {
            problems.error(
                "nobody could connect to \(address.value.text): this version has no users yet", at: address.mark,
                hint:
                    "listen on 127.0.0.1, or write 'auth: { anonymous: true }' below 'broker:' to let everybody on that "
                    + "network read and switch everything")
        }
    }
}
