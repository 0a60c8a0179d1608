import Bridge
import Documents
import MQTTCodec
import Settings
import Testing

@Suite struct UpstreamTests {
    private func told(_ keys: String) throws -> [String] {
        try configuration("version: 1\ngateway: { id: site }\nupstream: { a: { \(keys) } }").problems.map {
            "\($0.severity.rawValue) \($0.message)"
        }
    }

    @Test func `everything is taken over, with the gateway's id in its place`() throws {
        let read = try settings(
            """
            upstream:
              central:
                url: mqtts://mqtt.example.org
                client_id: "gateway-{gateway}"
                username: site-17
                password: !secret central_password
                tls: { ca: ca.pem, cert: client.pem, key: client.key }
                out:
                  - { filter: "{gateway}/#", to: "sites/{topic}" }
                  - { filter: "log/+", qos: 0 }
                in: [ { filter: "sites/{gateway}/+/+/set", to: "{topic:1..}" } ]
                buffer: { max_messages: 10, max_size: 1MB, max_age: 1d, full: drop-oldest }
            """)
        let upstream = try #require(read.upstreams.first)
        #expect(upstream.name == "central")
        #expect(upstream.host == "mqtt.example.org")
        #expect(upstream.port == 8883)
        #expect(upstream.userName == "site-17")
        #expect(upstream.password == "sesame")
        #expect(upstream.tls?.ca == "ca.pem")
        #expect(upstream.tls?.certificate == "client.pem")
        #expect(upstream.tls?.key == "client.key")
        var bridge = BridgeSettings(clientID: Array("gateway-site".utf8))
        bridge.gateway = Array("site".utf8)
        bridge.out = [
            BridgeSettings.Line(
                filter: Array("site/#".utf8), rewrite: try TopicRewrite("sites/{topic}", gateway: "site")),
            BridgeSettings.Line(filter: Array("log/+".utf8), qos: .atMostOnce),
        ]
        bridge.in = [
            BridgeSettings.Line(
                filter: Array("sites/site/+/+/set".utf8), rewrite: try TopicRewrite("{topic:1..}", gateway: "site"))
        ]
        bridge.queue.messages = 10
        bridge.queue.bytes = 1_000_000
        bridge.queue.age = .seconds(86_400)
        #expect(upstream.bridge == bridge)
    }

    @Test(
        arguments: [
            ("mqtt://host", "host", 1883, false), ("mqtts://host/", "host", 8883, true),
            ("MQTT://h:99", "h", 99, false),
            ("mqtt://[::1]:7", "::1", 7, false), ("mqtt://10.0.0.1", "10.0.0.1", 1883, false),
        ] as [(String, String, UInt16, Bool)])
    func `addresses`(url: String, host: String, port: UInt16, isEncrypted: Bool) throws {
        let upstream = try #require(
            try settings("upstream: { a: { url: '\(url)', out: [ { filter: a } ] } }").upstreams.first)
        #expect(upstream.host == host)
        #expect(upstream.port == port)
        #expect((upstream.tls != nil) == isEncrypted)
        #expect(upstream.bridge.clientID == Array("site".utf8))
    }

    @Test(arguments: [
        ("out: []", "error 'url' is missing in 'upstream.a'"),
        ("url: host, out: []", "error 'host' is not allowed for 'url'"),
        ("url: 'mqtt://host:x', out: []", "error 'mqtt://host:x' is not allowed for 'url'"),
        ("url: 'mqtt://host/path', out: []", "error 'mqtt://host/path' is not allowed for 'url'"),
        ("url: [], out: []", "error 'url' is empty in 'upstream.a'"),
        ("url: ['mqtt://a', 'mqtts://b'], out: []", "error some of these are encrypted and some are not"),
        ("url: ['mqtt://a', [b]], out: []", "error 'url' must hold texts, not a list"),
        ("url: 'ws://host/a b', out: []", "error 'ws://host/a b' is not allowed for 'url'"),
        ("url: 'ws://host', tls: { ca: x }, out: []", "error 'tls' needs an encrypted connection"),
        ("url: 'mqtt://host', order: last, out: []", "error 'last' is not allowed for 'order'"),
        ("url: 'mqtt://host', version: 4, out: []", "error '4' is not allowed for 'version'"),
        ("url: 'mqtt://host', keep_alive: 1s, out: []", "error '1s' is not allowed for 'keep_alive'"),
        ("url: 'mqtt://host', version: 5, bridge_bit: on, out: []", "error MQTT 5 has no bridge bit"),
        (
            "url: 'mqtts://host', tls: { alpn: [] , ca: x, sni: y }, out: []",
            "error unknown key 'sni' in 'upstream.a.tls'"
        ),
        ("url: 'ssl://host', out: []", "error 'ssl://' is not known"),
        ("url: 'mqtt://me:pw@host', out: []", "error the url has a user name in it"),
        ("url: 'mqtt://host', tls: { ca: x }, out: []", "error 'tls' needs an encrypted connection"),
        ("url: 'mqtts://host', tls: { key: x }, out: []", "error 'cert' is missing in 'upstream.a.tls'"),
        ("url: 'mqtt://host', out: [ { to: x } ]", "error 'filter' is missing in 'upstream.a.out.1'"),
        (
            "url: 'mqtt://host', out: [ { filter: a+ } ]",
            "error 'a+' is not a topic filter: '+' and '#' stand for whole levels"
        ),
        ("url: 'mqtt://host', out: [ { filter: a, qos: 3 } ]", "error '3' is not allowed for 'qos'"),
        ("url: 'mqtt://host', out: [ { filter: a, retain: on } ]", "error 'on' is not allowed for 'retain'"),
        (
            "url: 'mqtt://host', out: [ { filter: [a, 'b/#/c'] } ]",
            "error 'b/#/c' is not a topic filter: '#' must be the last level"
        ),
        ("url: 'mqtt://host', out: [ { filter: a, exclude: [[b]] } ]", "error 'exclude' must hold texts, not a list"),
        (
            "url: 'mqtt://host', out: [ { filter: 'a/+', to: 'b/{2}' } ]",
            "error '{2}' in 'to' asks for a wildcard that 'a/+' has not"
        ),
        (
            "url: 'mqtt://host', out: [ { filter: a, to: b, add_prefix: c } ]",
            "error 'to' and 'add_prefix' say the same thing twice"
        ),
        ("url: 'mqtt://host', in: [ { filter: a, add_prefix: 'a/#' } ]", "error 'a/#' can't be used for 'add_prefix'"),
        ("url: 'mqtt://host', both: [ { filter: a, to: b } ]", "error 'to' says no way back"),
        (
            "url: 'mqtt://host', both: [ { filter: a/#, strip_prefix: b/ } ]",
            "error 'a/#' does not begin with what 'strip_prefix' takes away"
        ),
        ("url: 'mqtt://host', in: [ { filter: a, to: a/# } ]", "error 'a/#' can't be used for 'to'"),
        ("url: 'mqtt://host', out: [], username: u, password: p", "warning the password stands in this file"),
        (
            "url: 'mqtt://host', out: [], password: !secret central_password",
            "warning there is a password but no username"
        ),
        ("url: 'mqtt://host', out: [], username: !secret x", "error there is no secret 'x'"),
        ("url: 'mqtt://host', out: [], username: u, password: ", "error there is nothing after 'password:'"),
        (
            "url: 'mqtt://host', out: [], username: u, password: !sesame",
            "error the value of 'password' begins with '!', which has a meaning in YAML"
        ),
        ("url: 'mqtt://host', out: [], buffer: { full: thinner }", "error 'thinner' is not allowed for 'full'"),
        (
            "url: 'mqtt://host', out: [], buffer: { thin: 3 }",
            "error 'thin' says how much is left of what 'full: thin' thins"
        ),
        (
            "url: 'mqtt://host', out: [], buffer: { replay: { keep_timestamp: false } }",
            "error the time of measurement is always kept"
        ),
        ("url: 'mqtt://host'", "warning nothing goes to or comes from 'upstream.a'"),
    ])
    func `what can't work is told`(keys: String, message: String) throws {
        #expect(try told(keys) == [message])
    }

    @Test func `several addresses, a WebSocket, and how the link is kept`() throws {
        let read = try settings(
            """
            upstream:
              a:
                url: [wss://a.example.org, "wss://b:9443/up/mqtt", mqtts://c]
                order: round-robin
                version: 3.1.1
                bridge_bit: off
                keep_alive: 30s
                stable_after: 5m
                tls: { alpn: x-amzn-mqtt-ca, server_name: inner.example.org }
                out: [ { filter: a } ]
            """)
        let upstream = try #require(read.upstreams.first)
        #expect(upstream.addresses.map(\.host) == ["a.example.org", "b", "c"])
        #expect(upstream.addresses.map(\.port) == [443, 9443, 8883])
        #expect(upstream.addresses.map(\.path) == ["/mqtt", "/up/mqtt", nil])
        #expect(upstream.order == .roundRobin)
        #expect(upstream.version == .v311)
        #expect(upstream.bridgeBit == .off)
        #expect(upstream.keepAliveSeconds == 30)
        #expect(upstream.stableAfter == .seconds(300))
        #expect(upstream.tls?.alpn == ["x-amzn-mqtt-ca"])
        #expect(upstream.tls?.serverName == "inner.example.org")
    }

    @Test func `several upstreams stand beside each other`() throws {
        let read = try settings("upstream:\n  a: { url: 'mqtt://a', out: [] }\n  b: { url: 'mqtt://b', out: [] }\n")
        #expect(read.upstreams.map(\.name) == ["a", "b"])
        #expect(read.upstreams.map(\.host) == ["a", "b"])
        #expect(read.upstreams.map(\.statusName) == ["site", "site-b"])
    }

    @Test func `two links with one client id to one server are refused`() throws {
        let told = try problems(
            "upstream:\n  a: { url: 'mqtt://h', out: [] }\n  b: { url: 'mqtt://h:1883', out: [] }\n")
        #expect(told.count == 1)
        #expect(told.first?.contains("'b' and 'a' are the same server and have the same client id") == true)
    }

    @Test func `a line has several filters, exceptions, prefixes, the message's own QoS, and a way back`() throws {
        let read = try settings(
            """
            upstream:
              a:
                url: mqtt://h
                out:
                  - filter: ["{gateway}/+/power", $share/g/b/#]
                    exclude: "{gateway}/x/#"
                    to: "dt/{1}"
                    qos: keep
                    retain: off
                both:
                  - { filter: "{gateway}/#", exclude: "{gateway}/y", strip_prefix: "{gateway}/", add_prefix: s/, qos: 2 }
            """)
        let bridge = try #require(read.upstreams.first?.bridge)
        func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
        var out = BridgeLine(
            filters: [bytes("site/+/power"), bytes("$share/g/b/#")], rewrite: try TopicRewrite("dt/{1}", gateway: ""),
            qos: nil)
        out.excluded = [bytes("site/x/#")]
        out.keepsRetain = false
        var there = BridgeLine(
            filter: bytes("site/#"), rewrite: TopicRewrite(removing: bytes("site/"), adding: bytes("s/")),
            qos: .exactlyOnce)
        there.excluded = [bytes("site/y")]
        var back = BridgeLine(
            filter: bytes("s/#"), rewrite: TopicRewrite(removing: bytes("s/"), adding: bytes("site/")),
            qos: .exactlyOnce)
        back.excluded = [bytes("s/y")]
        #expect(bridge.out == [out, there])
        #expect(bridge.in == [back])
    }

    @Test func `two links that make a circle through one server are refused`() throws {
        let told = try problems(
            """
            upstream:
              a: { url: 'mqtt://h', out: [ { filter: 'plant/#', to: 'up/{topic}' } ] }
              b: { url: 'mqtt://h', client_id: b, in: [ { filter: 'up/#', to: '{topic:1..}' } ] }
              c: { url: 'mqtt://h', client_id: c, in: [ { filter: 'down/#', to: '{topic:1..}' } ] }
            """)
        #expect(told.count == 1)
        let message = "'b' takes from the server what 'a' sends back there: 'plant/example' would go round"
        #expect(told.first?.contains(message) == true)
    }

    @Test(
        arguments: [
            ("out: [ { filter: 'a/#' } ], in: [ { filter: '$share/g/a/#' } ]", "a/example"),
            (
                "out: [ { filter: '#', to: 'up/{topic}' } ], in: [ { filter: '$share/g/up/+/set', to: '{topic:1..}' } ]",
                "example/set"
            ),
            ("out: [ { filter: '$share/g/a/#' } ], in: [ { filter: 'a/#' } ]", "a/example"),
            (
                "out: [ { filter: 'a/#', to: '{topic:2..}' } ], in: [ { filter: '$share/g/#', to: 'a/x/{topic}' } ]",
                "a/x/example"
            ),
            ("out: [ { filter: 'a/#' } ], in: [ { filter: '$share/g/b/#' } ]", nil),
            ("out: [ { filter: 'a/#', exclude: 'a/b/#' } ], in: [ { filter: '$share/g/a/b/#' } ]", nil),
            // No Local is enough.
            ("both: [ { filter: 'a/#' } ]", nil),
        ] as [(String, String?)])
    func `a line whose shared subscription brings back what goes out is refused`(lines: String, topic: String?) throws {
        let told = try told("url: 'mqtt://h', \(lines)")
        #expect(
            told
                == (topic.map {
                    [
                        "error 'a' brings back what it takes: '\($0)' would go round, "
                            + "for a shared subscription gets the link's own messages too"
                    ]
                } ?? []))
    }

    @Test func `over MQTT 3_1_1 without the bridge bit, what comes back is told`() throws {
        let lines = "url: 'mqtt://h', both: [ { filter: 'a/#', add_prefix: 'x/' } ], version: 3.1.1"
        #expect(try told(lines) == [])
        #expect(
            try told(lines + ", bridge_bit: off") == [
                "warning each message to 'a/example' comes back once: "
                    + "without its bridge bit MQTT 3.1.1 sends the link its own"
            ])
    }

    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1", true), ("0.0.0.0", "localhost", true), ("'::'", "'[::1]'", true),
        ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "127.0.0.1", false), ("127.0.0.1", "192.0.2.1", false),
    ])
    func `an upstream that is the gateway itself is refused`(listens: String, host: String, isOwn: Bool) throws {
        let host = host.filter { $0 != "'" }
        for (port, isSame) in [(1883, isOwn), (1884, false)] {
            let read = try configuration(
                """
                version: 1
                broker: { listen: [ { address: \(listens), port: 1883 } ] }
                upstream: { a: { url: 'mqtt://\(host):\(port)', out: [ { filter: 'a/#' } ] } }
                """)
            let own = read.problems.filter {
                $0.message == "'a' is this gateway itself: its broker listens on port 1883"
            }
            #expect(own.count == (isSame ? 1 : 0))
        }
    }

    @Test func `an upstream without a name is told where the name goes`() throws {
        let told = try problems("upstream:\n  url: mqtt://h\n  out: '#'\n")
        let expected = [
            """
            martlet.yaml:4:3: error: 'url' is one level too high: an upstream has a name
                  url: mqtt://h
                  ^
              write a name of your choice above, like 'central:', and indent these keys below it
            """,
            """
            martlet.yaml:5:8: error: 'out' must be a list, not a single value
                  out: '#'
                       ^
              begin each entry with '- ', or write out: [ { filter: "{gateway}/#" } ]
            """,
        ]
        #expect(told == expected)
    }

    @Test func `a password is never shown`() throws {
        let told = try problems("upstream: { a: { url: 'tcp://h', username: u, password: sesame } }").joined()
        #expect(told.contains("the password stands in this file"))
        #expect(!told.contains("sesame"))
    }

    @Test func `secrets come from a file of names`() {
        let (secrets, problems) = SecretSource.read("central_password: sesame\nother: 0123\n", file: "secrets.yaml")
        #expect(secrets == ["central_password": "sesame", "other": "0123"])
        #expect(problems.isEmpty)
        let broken = SecretSource.read("central_password: [sesame]\n", file: "secrets.yaml")
        #expect(broken.problems.count == 1)
        #expect(!broken.problems.map(\.description).joined().contains("sesame"))
        #expect(SecretSource.variable(for: "central-password") == "MARTLET_SECRET_CENTRAL_PASSWORD")
    }
}
