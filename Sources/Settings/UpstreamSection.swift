import Bridge
import Documents

/// `upstream:` the servers that readings are forwarded to.
struct UpstreamSection {
    var gateway: String
    var secrets: SecretSource

    func read(_ root: Section) -> [UpstreamSettings] {
        guard let section = root.section("upstream") else { return [] }
        if let key = keyWithoutName(section) {
            root.problems.error(
                "'\(key)' is one level too high: an upstream has a name", at: section.mark(of: key),
                hint: "write a name of your choice above, like 'central:', and indent these keys below it")
            // Read all the same: the other problems are better told now than later.
            return upstream("upstream", section).map { [$0] } ?? []
        }
        var upstreams: [UpstreamSettings] = []
        for (name, section) in section.sections {
            Key.check(name, "an upstream", section)
            guard var upstream = upstream(name, section) else { continue }
            if let twin = upstreams.first(where: { $0.bridge.clientID == upstream.bridge.clientID }) {
                upstream.statusName += "-\(name)"
                checkTwin(upstream, twin, section)
            }
            for other in upstreams { checkLoop(upstream, other, section) }
            upstreams.append(upstream)
        }
        return upstreams
    }

    /// A server throws the first client out when a second one comes with its id, and so on for ever. [MQTT-3.1.4-3]
    private func checkTwin(_ upstream: UpstreamSettings, _ twin: UpstreamSettings, _ section: Section) {
        guard upstream.host == twin.host, upstream.port == twin.port else { return }
        section.problems.error(
            "'\(upstream.name)' and '\(twin.name)' are the same server and have the same client id",
            at: section.mark(of: "client_id"),
            hint: "give one of them an id of its own: client_id: \"{gateway}-\(upstream.name)\"")
    }

    /// What one link takes from a server and another brings back there goes round for ever.
    private func checkLoop(_ upstream: UpstreamSettings, _ other: UpstreamSettings, _ section: Section) {
        guard upstream.host == other.host, upstream.port == other.port else { return }
        for (taker, giver) in [(upstream, other), (other, upstream)] {
            guard let topic = taker.bridge.loop(through: giver.bridge) else { continue }
            section.problems.error(
                "'\(taker.name)' takes from the server what '\(giver.name)' sends back there: '\(topic)' would go round",
                at: section.mark, hint: "change the filters, or put the lines of both under one upstream")
        }
    }

    /// A key of an upstream that stands where its name should.
    private func keyWithoutName(_ section: Section) -> String? {
        let keys = [
            "url", "server", "host", "broker", "address", "username", "user", "password", "client_id", "out", "in",
        ]
        return keys.first { key in
            section.names.contains { $0.name == key && !$0.node.isNull && $0.node.entries == nil }
        }
    }

    private func upstream(_ name: String, _ section: Section) -> UpstreamSettings? {
        let address = UpstreamAddress.read(section)
        let bridge = BridgeSection(gateway: GatewayName(id: gateway)).read(section)
        var settings = UpstreamSettings(
            name: name, host: address?.host ?? "", port: address?.port ?? 1883, bridge: bridge)
        settings.tls = tls(section, isWanted: address?.isEncrypted)
        settings.userName = secretText("username", section)?.value
        settings.password = password(section)
        if settings.password != nil, section.node("username") == nil {
            section.problems.warning(
                "there is a password but no username", at: section.mark(of: "password"),
                hint: "most servers ignore a password without one: add 'username:'")
        }
        section.spelled([
            "server": "url", "host": "url", "broker": "url", "address": "url", "port": "url", "user": "username",
            "clientid": "client_id", "id": "client_id", "topics": "out", "publish": "out", "subscribe": "in",
            "ssl": "tls", "ca": "tls", "cafile": "tls", "queue": "buffer",
        ])
        section.finish()
        return address == nil ? nil : settings
    }

    private func tls(_ section: Section, isWanted: Bool?) -> UpstreamSettings.TLS? {
        guard let tls = section.section("tls") else { return isWanted == true ? UpstreamSettings.TLS() : nil }
        if isWanted == false {
            section.problems.error(
                "'tls' needs an encrypted connection", at: tls.mark, hint: "write url: mqtts://…, or take 'tls' out")
        }
        var settings = UpstreamSettings.TLS()
        settings.ca = tls.text("ca")?.value
        settings.certificate = tls.text("cert")?.value
        settings.key = tls.text("key")?.value
        for (given, needed) in [("cert", "key"), ("key", "cert")] where tls.has(given) && !tls.has(needed) {
            tls.missing(needed, hint: "a client certificate needs both: cert and key, two PEM files")
        }
        tls.spelled(["cafile": "ca", "ca_cert": "ca", "certificate": "cert", "certfile": "cert", "keyfile": "key"])
        tls.finish()
        return settings
    }

    private func password(_ section: Section) -> String? {
        if section.has("password"), section.node("password") == nil {
            section.problems.error(
                "there is nothing after 'password:'", at: section.mark(of: "password"),
                hint: "take the key out; or put the password in quotes, as one that begins with '#' needs them")
        }
        guard let password = secretText("password", section) else { return nil }
        if section.node("password")?.tag == nil {
            section.problems.warning(
                "the password stands in this file", at: section.mark(of: "password"),
                hint:
                    "write 'password: !secret upstream_password', and the password in secrets.yaml beside this file or "
                    + "in $\(SecretSource.variable(for: "upstream_password"))")
        }
        return password.value
    }

    /// A text, or what `!secret name` stands for.
    private func secretText(_ key: String, _ section: Section) -> Located<String>? {
        guard let node = section.node(key), node.tag == "!secret", let name = node.text else {
            return section.text(key)
        }
        if let secret = secrets.text(of: name) { return Located(secret, at: node.mark) }
        section.problems.error(
            "there is no secret '\(name)'", at: node.mark,
            hint: "write '\(name): …' into secrets.yaml beside this file, or set $\(SecretSource.variable(for: name))")
        return nil
    }
}
