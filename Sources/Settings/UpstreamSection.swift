import Bridge
import Documents

/// `upstream:` the servers that readings are forwarded to.
struct UpstreamSection {
    var gateway: String
    var secrets: SecretSource
    /// Where the gateway's own broker is.
    var listeners: [ListenSettings] = []
    /// `store.sync`, which buffers have too.
    var sync: StoreSettings.Sync

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
            for other in upstreams {
                checkLoop(upstream, other, section)
                guard let path = upstream.bridge.bufferPath, path == other.bridge.bufferPath else { continue }
                section.problems.error(
                    "'\(other.name)' and '\(name)' have the same folder for their buffers",
                    at: section.mark(of: "buffer"),
                    hint: "give each a 'path' of its own, or take it out")
            }
            checkOwnLoop(upstream, section)
            upstreams.append(upstream)
        }
        return upstreams
    }

    /// A server throws the first client out when a second one comes with its id, and so on for ever. [MQTT-3.1.4-3]
    private func checkTwin(_ upstream: UpstreamSettings, _ twin: UpstreamSettings, _ section: Section) {
        guard upstream.meets(twin) else { return }
        section.problems.error(
            "'\(upstream.name)' and '\(twin.name)' are the same server and have the same client id",
            at: section.mark(of: "client_id"),
            hint: "give one of them an id of its own: client_id: \"{gateway}-\(upstream.name)\"")
    }

    /// What one link takes from a server and another brings back there goes round for ever.
    private func checkLoop(_ upstream: UpstreamSettings, _ other: UpstreamSettings, _ section: Section) {
        guard upstream.meets(other) else { return }
        for (taker, giver) in [(upstream, other), (other, upstream)] {
            guard let topic = taker.bridge.loop(through: giver.bridge) else { continue }
            section.problems.error(
                "'\(taker.name)' takes from the server what '\(giver.name)' sends back there: '\(topic)' would go round",
                at: section.mark, hint: "change the filters, or put the lines of both under one upstream")
        }
    }

    /// What a link brings back to where it took it from.
    private func checkOwnLoop(_ upstream: UpstreamSettings, _ section: Section) {
        if let address = upstream.addresses.first(where: isOwn) {
            section.problems.error(
                "'\(upstream.name)' is this gateway itself: its broker listens on port \(address.port)",
                at: section.mark(of: "url"), hint: "write the address of another server, or take the upstream out")
        } else if let topic = upstream.bridge.sharedLoop {
            section.problems.error(
                "'\(upstream.name)' brings back what it takes: '\(topic)' would go round, "
                    + "for a shared subscription gets the link's own messages too",
                at: section.mark, hint: "take '$share/…/' out, or change the filters under 'out' and 'in'")
        } else if upstream.version == .v311, upstream.bridgeBit == .off,
            let topic = upstream.bridge.loop(through: upstream.bridge)
        {
            section.problems.warning(
                "each message to '\(topic)' comes back once: without its bridge bit MQTT 3.1.1 sends the link its own",
                at: section.mark(of: "bridge_bit"), hint: "take 'bridge_bit: off' out, or change the filters")
        }
    }

    /// Whether the gateway's own broker is there.
    private func isOwn(_ address: UpstreamSettings.Address) -> Bool {
        let loopback = ["127.0.0.1", "::1", "localhost"]
        let everywhere = ["0.0.0.0", "::"]
        return listeners.contains { listener in
            guard case .tcp(let place, let port) = listener.address, port == address.port else { return false }
            return place == address.host
                || loopback.contains(address.host) && (everywhere + loopback).contains(place)
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
        let addresses = UpstreamAddress.read(section)
        let bridge = BridgeSection(gateway: GatewayName(id: gateway), sync: sync).read(section)
        var settings = UpstreamSettings(
            name: name,
            addresses: (addresses ?? []).map {
                UpstreamSettings.Address(host: $0.host, port: $0.port, path: $0.path)
            }, bridge: bridge)
        settings.tls = tls(section, isWanted: addresses?.first?.isEncrypted)
        link(section, into: &settings)
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
            "keepalive": "keep_alive", "protocol": "version", "protocol_version": "version", "urls": "url",
            "addresses": "url", "try_private": "bridge_bit", "ssl": "tls", "ca": "tls", "cafile": "tls",
            "queue": "buffer",
        ])
        section.finish()
        return addresses == nil ? nil : settings
    }

    private func tls(_ section: Section, isWanted: Bool?) -> UpstreamSettings.TLS? {
        guard let tls = section.section("tls") else { return isWanted == true ? UpstreamSettings.TLS() : nil }
        if isWanted == false {
            section.problems.error(
                "'tls' needs an encrypted connection", at: tls.mark,
                hint: "write url: mqtts://… or wss://…, or take 'tls' out")
        }
        var settings = UpstreamSettings.TLS()
        settings.ca = tls.text("ca")?.value
        settings.certificate = tls.text("cert")?.value
        settings.key = tls.text("key")?.value
        settings.serverName = tls.text("server_name")?.value
        settings.alpn = alpn(tls)
        for (given, needed) in [("cert", "key"), ("key", "cert")] where tls.has(given) && !tls.has(needed) {
            tls.missing(needed, hint: "a client certificate needs both: cert and key, two PEM files")
        }
        tls.spelled([
            "cafile": "ca", "ca_cert": "ca", "certificate": "cert", "certfile": "cert", "keyfile": "key",
            "sni": "server_name",
        ])
        tls.finish()
        return settings
    }

    /// One name or a list of them. [RFC 7301]
    private func alpn(_ tls: Section) -> [String] {
        guard let node = tls.node("alpn") else { return [] }
        let names = node.items?.map(\.text) ?? [tls.text("alpn")?.value]
        for name in names {
            guard let name, (1...255).contains(name.utf8.count) else {
                tls.problems.error(
                    "a name of a protocol is wanted for 'alpn'", at: node.mark,
                    hint: "write alpn: mqtt, or for AWS on port 443: alpn: x-amzn-mqtt-ca")
                return []
            }
        }
        return names.compactMap(\.self)
    }

    /// How the link is kept.
    private func link(_ section: Section, into settings: inout UpstreamSettings) {
        if let order = section.word("order", UpstreamSettings.Order.self) { settings.order = order }
        if let version = section.word("version", UpstreamSettings.Version.self) { settings.version = version }
        if let bit = section.word("bridge_bit", UpstreamSettings.BridgeBit.self) { settings.bridgeBit = bit }
        if let time = section.duration("stable_after") { settings.stableAfter = time }
        let wanted = "a time from 5s to 18h, or never"
        let keepAlive = section.value("keep_alive", wanted: wanted) { text -> UInt16? in
            if text == "never" { return 0 }
            guard let time = Scalar.duration(text), time >= .seconds(5), time <= .seconds(64_800) else { return nil }
            return UInt16(clamping: time.components.seconds)
        }
        if let keepAlive { settings.keepAliveSeconds = keepAlive.value }
        if settings.version == .v5, settings.bridgeBit == .on {
            section.problems.error(
                "MQTT 5 has no bridge bit", at: section.mark(of: "bridge_bit"),
                hint: "take it out: MQTT 5 has No Local, which does the same")
        }
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
