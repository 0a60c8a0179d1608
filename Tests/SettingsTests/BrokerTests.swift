import Broker
import Documents
import MQTTCodec
import Testing

@testable import Settings

@Suite struct BrokerTests {
    private func told(_ broker: String) throws -> [String] {
        try configuration("version: 1\ngateway: { id: site }\nbroker:\n" + broker).problems.map {
            "\($0.severity.rawValue) \($0.message)"
        }
    }

    @Test func `listeners and limits are taken over`() throws {
        let read = try settings(
            """
            broker:
              listen:
                - { address: 127.0.0.1 }
                - { address: "::1", port: 0 }
                - { unix: /run/martlet/martlet.sock }
                - { unix: /run/martlet/all.sock, mode: 0666 }
              limits:
                max_packet_size: 64KB
                receive_maximum: 7
                in_flight: 8
                max_keep_alive: 5m
                session_expiry: { max: 1d, v3: 1h }
                max_connections: 9
                connect_timeout: 3s
                queue: { messages: 10, bytes: 2MB, full: drop-oldest }
                subscriptions: 11
                topic_levels: 12
              sys_interval: 1m
            """)
        let expected: [ListenSettings.Address] = [
            .tcp(address: "127.0.0.1", port: 1883), .tcp(address: "::1", port: 0),
            .unix(path: "/run/martlet/martlet.sock", mode: 0o660), .unix(path: "/run/martlet/all.sock", mode: 0o666),
        ]
        #expect(read.listeners.map(\.address) == expected)
        var limits = BrokerLimits()
        limits.maximumPacketSize = 64_000
        limits.receiveMaximum = 7
        limits.inFlight = 8
        limits.maximumKeepAlive = 300
        limits.sessionExpiry = 86_400
        limits.sessionExpiryV3 = 3_600
        limits.maximumConnections = 9
        limits.connectTimeout = .seconds(3)
        limits.queuedMessages = 10
        limits.queuedBytes = 2_000_000
        limits.subscriptions = 11
        limits.topicLevels = 12
        limits.sysInterval = .seconds(60)
        #expect(read.brokerLimits == limits)
    }

    @Test func `TLS, WebSocket, a proxy and systemd's sockets are taken over`() throws {
        let listeners = try settings(
            """
            broker:
              listen:
                - { address: 127.0.0.1, port: 8883, tls: { cert: /c.pem, key: /k.pem, client_ca: /ca.pem,
                    client_cert: optional, user_from: san, min_version: "1.3" } }
                - { address: 127.0.0.1, port: 8083, websocket: { path: /ws, origins: [ "https://panel.example.org" ] } }
                - { address: 127.0.0.1, port: 8084, tls: { cert: /c.pem, key: /k.pem }, websocket: {} }
                - { systemd: mqtt, proxy_protocol: true }
            """
        ).listeners
        try #require(listeners.count == 4)
        var tls = ListenTransport.TLS(certificate: "/c.pem", key: "/k.pem")
        #expect(listeners[2].transport == ListenTransport(tls: tls, webSocket: .init()))
        tls.clientCA = "/ca.pem"
        tls.clientCertificate = .optional
        tls.userFrom = .subjectAlternativeName
        tls.minimumVersion = .tls13
        #expect(listeners[0].transport == ListenTransport(tls: tls))
        #expect(
            listeners[1].transport
                == ListenTransport(webSocket: .init(path: "/ws", origins: ["https://panel.example.org"])))
        #expect(listeners[3].address == .systemd(name: "mqtt"))
        #expect(listeners[3].transport == ListenTransport(proxyProtocol: true))
    }

    @Test func `the other limits are taken over`() throws {
        let limits = try settings(
            """
            broker:
              limits:
                max_qos: 1
                retain: false
                topic_alias_maximum: 3
                topic_length: 100
                validate_payload_format: true
                shared: sticky
                connect_rate: 50/s
                rate: { messages: 20/s, bytes: 1MB/s }
                memory: 64MB
                queue: { full: drop-newest, qos0_while_offline: true }
            """
        ).brokerLimits
        #expect(limits.maximumQoS == .atLeastOnce && !limits.retainAvailable)
        #expect(limits.topicAliasMaximum == 3 && limits.topicLength == 100 && limits.validatesPayloadFormat)
        #expect(limits.sharedStrategy == .sticky && limits.connectionRate == 50)
        #expect(limits.messageRate == 20 && limits.byteRate == 1_000_000 && limits.memory == 64_000_000)
        #expect(limits.dropPolicy == .newest && limits.keepsQoS0WhileOffline)
    }

    @Test(arguments: ["0.0.0.0", "192.168.1.5", "'::'", "'fd00::1'"])
    func `beyond this machine only with a plain yes`(address: String) throws {
        let plain = address.filter { $0 != "'" }
        let listen = "  listen: [ { address: \(address) } ]\n"
        #expect(try told(listen) == ["error nobody could connect to \(plain): there are no users"])
        #expect(
            try told(listen + "  auth: { anonymous: loopback }\n") == [
                "error nobody could connect to \(plain): there are no users"
            ])
        #expect(
            try told(listen + "  auth: { anonymous: true }\n") == [
                "warning everybody who reaches \(plain) can read and switch everything"
            ])
    }

    @Test func `system topics can be switched off by a word`() throws {
        #expect(try settings("broker: { sys_interval: never }").brokerLimits.sysInterval == .zero)
        #expect(try told("  sys_interval: 10ms\n").count == 1)
    }

    @Test(arguments: [("loopback", Anonymous.loopback), ("true", .everybody), ("yes", .everybody), ("off", .nobody)])
    func `anonymous in one word`(word: String, meaning: Anonymous) throws {
        #expect(try settings("broker: { auth: { anonymous: \(word) } }").anonymous == meaning)
    }

    @Test(arguments: [
        ("  listen: [ { address: localhost } ]", "error 'localhost' is not allowed for 'address'"),
        ("  listen: [ { address: 127.0.0.256 } ]", "error '127.0.0.256' is not allowed for 'address'"),
        ("  listen: [ { address: '1::2::3' } ]", "error '1::2::3' is not allowed for 'address'"),
        ("  listen: [ { port: 1883 } ]", "error 'address' is missing in 'broker.listen.1'"),
        ("  listen: [ { address: 127.0.0.1, port: 65536 } ]", "error '65536' is not allowed for 'port'"),
        ("  listen: [ { unix: martlet.sock } ]", "error 'martlet.sock' is not allowed for 'unix'"),
        ("  listen: [ { unix: /a, mode: 0999 } ]", "error '0999' is not allowed for 'mode'"),
        ("  listen: [ { unix: /a, port: 1 } ]", "error 'unix' and 'port' exclude each other"),
        ("  listen: [ { address: 127.0.0.1 }, { address: 127.0.0.1 } ]", "error the broker listens here already"),
        (
            "  listen: { address: 127.0.0.1 }",
            "error 'listen' must be a list, not a group of keys"
        ),
        ("  listen: [ { systemd: mqtt, port: 1 } ]", "error 'systemd' and 'port' exclude each other"),
        ("  listen: [ { systemd: 'a:b' } ]", "error 'a:b' is not allowed for 'systemd'"),
        (
            "  listen: [ { unix: /a, tls: { cert: /c, key: /k } } ]",
            "error a Unix socket takes no TLS: nothing of it leaves this machine"
        ),
        ("  listen: [ { address: 127.0.0.1, tls: { cert: /c } } ]", "error 'key' is missing in 'broker.listen.1.tls'"),
        (
            "  listen: [ { address: 127.0.0.1, tls: { cert: /c, key: /k, client_cert: require } } ]",
            "error client certificates can't be checked without an authority"
        ),
        (
            "  listen: [ { address: 127.0.0.1, tls: { cert: /c, key: /k, user_from: cn } } ]",
            "error clients show no certificate, so no user can come from it"
        ),
        (
            "  listen: [ { address: 127.0.0.1, tls: { cert: /c, key: /k, min_version: '1.1' } } ]",
            "error '1.1' is not allowed for 'min_version'"
        ),
        ("  listen: [ { address: 127.0.0.1, websocket: { path: mqtt } } ]", "error 'mqtt' is not allowed for 'path'"),
        (
            "  listen: [ { address: 127.0.0.1, websocket: { origins: [ panel ] } } ]",
            "error an origin is a scheme and a host, as browsers send it"
        ),
        ("  limits: { connect_rate: 500 }", "error '500' is not allowed for 'connect_rate'"),
        ("  limits: { rate: { bytes: 5/s } }", "error '5/s' is not allowed for 'bytes'"),
        ("  limits: { max_qos: 3 }", "error '3' is not allowed for 'max_qos'"),
        ("  limits: { shared: random }", "error 'random' is not allowed for 'shared'"),
        ("  limits: { queue: { full: thin } }", "error 'thin' is not allowed for 'full'"),
        ("  limits: { max_packet_size: 1B }", "error this is too small for 'max_packet_size'"),
        ("  listen: []", "warning the broker listens nowhere"),
        ("  auth: { anonymous: false }", "warning nobody can connect: there are no users"),
    ])
    func `what can't work is told`(broker: String, message: String) throws {
        #expect(try told(broker) == [message])
    }
}
