import Documents

/// `tls:`, `websocket:` and `proxy_protocol:` of one entry of `broker.listen`.
struct TransportSection {
    var problems: ProblemList

    func read(_ listener: Section, isUnix: Bool) -> ListenTransport {
        var transport = ListenTransport()
        if let section = listener.section("tls") { transport.tls = tls(section) }
        if let section = listener.section("websocket") { transport.webSocket = webSocket(section) }
        if let isProxied = listener.bool("proxy_protocol") { transport.proxyProtocol = isProxied }
        if isUnix, transport.tls != nil {
            problems.error(
                "a Unix socket takes no TLS: nothing of it leaves this machine", at: listener.mark(of: "tls"),
                hint: "take 'tls' out; 'mode' says who may connect")
        }
        return transport
    }

    private func tls(_ section: Section) -> ListenTransport.TLS? {
        let certificate = path("cert", section)
        let key = path("key", section)
        for name in ["cert", "key"] where section.node(name) == nil {
            section.missing(
                name, hint: "write tls: { cert: /etc/martlet/tls/server.pem, key: /etc/martlet/tls/server.key }")
        }
        var tls = ListenTransport.TLS(certificate: certificate ?? "", key: key ?? "")
        tls.clientCA = path("client_ca", section)
        let asked = section.word("client_cert", ListenTransport.TLS.ClientCertificate.self)
        tls.clientCertificate = asked ?? (tls.clientCA == nil ? .off : .require)
        tls.userFrom = section.word("user_from", ListenTransport.TLS.UserSource.self)
        if let version = section.word("min_version", ListenTransport.TLS.Version.self) { tls.minimumVersion = version }
        check(tls, section)
        section.spelled([
            "certificate": "cert", "certfile": "cert", "keyfile": "key", "private_key": "key", "ca": "client_ca",
            "cafile": "client_ca", "require_certificate": "client_cert", "use_identity_as_username": "user_from",
            "tls_version": "min_version",
        ])
        section.finish()
        return certificate == nil || key == nil ? nil : tls
    }

    private func check(_ tls: ListenTransport.TLS, _ section: Section) {
        if tls.clientCertificate != .off, tls.clientCA == nil {
            problems.error(
                "client certificates can't be checked without an authority", at: section.mark(of: "client_cert"),
                hint: "add client_ca: /etc/martlet/tls/clients.pem")
        }
        if tls.userFrom != nil, tls.clientCertificate == .off {
            problems.error(
                "clients show no certificate, so no user can come from it", at: section.mark(of: "user_from"),
                hint: "add client_cert: require and client_ca: /etc/martlet/tls/clients.pem")
        }
    }

    private func path(_ key: String, _ section: Section) -> String? {
        section.value(key, wanted: "a path, like /etc/martlet/tls/server.pem") { $0.isEmpty ? nil : $0 }?.value
    }

    private func webSocket(_ section: Section) -> ListenTransport.WebSocket {
        var webSocket = ListenTransport.WebSocket()
        let path = section.value("path", wanted: "a path that begins with a slash, like /mqtt") { text in
            text.hasPrefix("/") && !text.contains { $0 == " " || $0 == "?" || $0 == "#" } ? text : nil
        }
        if let path { webSocket.path = path.value }
        webSocket.origins = section.list("origins", like: "[ \"https://panel.example.org\" ]")?.compactMap(origin)
        section.spelled(["origin": "origins", "url": "path", "endpoint": "path"])
        section.finish()
        return webSocket
    }

    private func origin(_ node: Node) -> String? {
        let isOrigin = node.text.map { $0.contains("://") && !$0.hasSuffix("/") } ?? false
        guard isOrigin else {
            problems.error(
                "an origin is a scheme and a host, as browsers send it", at: node.mark,
                hint: "write \"https://panel.example.org\", without a path or a slash at the end")
            return nil
        }
        return node.text
    }
}
