import Broker
import Documents

/// `broker:` the broker on the gateway.
enum BrokerSection {
    static func read(_ root: Section, into settings: inout GatewaySettings) {
        guard let section = root.section("broker") else { return }
        var access = AccessSection(problems: section.problems)
        let own = access.broker(section)
        settings.anonymous = own.anonymous ?? .loopback
        settings.userFile = own.userFile
        settings.rules = own.rules
        settings.groups = access.groups
        if let nodes = section.list("listen", like: "[ { address: 127.0.0.1, port: 1883 } ]") {
            if nodes.isEmpty {
                section.problems.warning(
                    "the broker listens nowhere", at: section.mark(of: "listen"),
                    hint: "without 'listen:' it listens on 127.0.0.1, port 1883")
            }
            settings.hasOwnListeners = true
            settings.listeners = ListenSection(problems: section.problems, access: access, general: own)
                .read(nodes, of: section)
        }
        if let limits = section.section("limits") { LimitsSection.read(limits, into: &settings.brokerLimits) }
        if section.node("sys_interval")?.text == "never" {
            _ = section.text("sys_interval")
            settings.brokerLimits.sysInterval = .zero
        } else if let interval = section.duration("sys_interval", 1_000...86_400_000) {
            settings.brokerLimits.sysInterval = interval
        }
        section.spelled([
            "port": "listen", "address": "listen", "host": "listen", "listeners": "listen", "bind": "listen",
            "users": "auth", "allow_anonymous": "auth", "anonymous": "auth", "limit": "limits",
        ])
        section.finish()
    }
}

/// `broker.listen:` where clients connect.
struct ListenSection {
    var problems: ProblemList
    var access: AccessSection
    /// What holds where a listener says nothing else.
    var general: AccessOverrides

    func read(_ nodes: [Node], of broker: Section) -> [ListenSettings] {
        var listeners: [ListenSettings] = []
        for (index, node) in nodes.enumerated() {
            guard let section = Section(node, path: "broker.listen.\(index + 1)", problems) else { continue }
            guard let listener = listener(section) else { continue }
            if listeners.contains(where: { $0.address == listener.address }) {
                problems.error("the broker listens here already", at: section.mark, hint: "take one of them out")
            }
            listeners.append(listener)
        }
        return listeners
    }

    private func listener(_ section: Section) -> ListenSettings? {
        let isUnix = section.node("unix") != nil
        let isPassed = section.node("systemd") != nil
        let access = access.listener(section)
        let transport = TransportSection(problems: problems).read(section, isUnix: isUnix)
        let address = isUnix ? unix(section) : isPassed ? systemd(section) : tcp(section, access, transport)
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
            settings.access = access
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

    private func tcp(
        _ section: Section, _ access: AccessOverrides, _ transport: ListenTransport
    ) -> ListenSettings.Address? {
        if section.node("address") == nil {
            section.missing(
                "address", hint: "write { address: 127.0.0.1, port: 1883 }, or { unix: /run/martlet/martlet.sock }")
        }
        let wanted = "a numeric address: 127.0.0.1 for this machine only, 0.0.0.0 for all of its networks"
        let address = section.value("address", wanted: wanted) { NetworkAddress($0) }
        let port = section.has("port") ? section.integer("port", 0...65_535) : 1883
        guard let address, let port else { return nil }
        checkReach(address, access, transport)
        return .tcp(address: address.value.text, port: UInt16(port))
    }

    /// Beyond this machine only for users, or when somebody decided that everybody may.
    private func checkReach(
        _ address: Located<NetworkAddress>, _ access: AccessOverrides, _ transport: ListenTransport
    ) {
        guard !address.value.isLoopback else { return }
        // Certificates name users too.
        let hasUsers = (access.userFile ?? general.userFile) != nil || transport.tls?.userFrom != nil
        let hasRules = (access.rules ?? general.rules) != nil
        if (access.anonymous ?? general.anonymous) == .everybody {
            guard !hasRules else { return }
            problems.warning(
                "everybody who reaches \(address.value.text) can read and switch everything", at: address.mark,
                hint: "'auth: { anonymous: true }' says so; 'acl:' says who may do what, and 127.0.0.1 is for this "
                    + "machine only")
        } else if !hasUsers {
            problems.error(
                "nobody could connect to \(address.value.text): there are no users", at: address.mark,
                hint:
                    "make users with 'martlet passwd' and name their file in 'broker.auth': "
                    + "auth: { file: /etc/martlet/users }; or listen on 127.0.0.1")
        }
    }
}
