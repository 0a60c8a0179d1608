import Access
import Hashing
import MQTTCodec
import Testing

@testable import Broker

/// The client's side of SCRAM-SHA-256, as RFC 5802 has it.
private struct ScramClient {
    let user: String
    let password: String
    private let nonce = "fyko+d2lbbFgONRv9qkxdawL"

    init(_ user: String, _ password: String) {
        (self.user, self.password) = (user, password)
    }

    var first: [UInt8] { bytes("n,,n=\(user),r=\(nonce)") }

    /// The final message, and what the server must say to it.
    func final(_ challenge: [UInt8]) -> (message: [UInt8], proof: [UInt8]) {
        let fields = String(decoding: challenge, as: UTF8.self).split(separator: ",")
        let salt = Base64.bytes(fields[1].dropFirst(2)) ?? []
        let iterations = Int(fields[2].dropFirst(2)) ?? 0
        let salted = HashFunction.sha256.derivedKey(from: bytes(password), salt: salt, iterations: iterations)
        let clientKey = HashFunction.sha256.authenticationCode(of: bytes("Client Key"), key: salted)
        let storedKey = HashFunction.sha256.digest(clientKey)
        let start = bytes("c=biws,\(fields[0])")
        let signed = Array(first.dropFirst(3)) + bytes(",") + challenge + bytes(",") + start
        let signature = HashFunction.sha256.authenticationCode(of: signed, key: storedKey)
        let serverKey = HashFunction.sha256.authenticationCode(of: bytes("Server Key"), key: salted)
        let proof = Base64.encoded(zip(clientKey, signature).map { $0 ^ $1 })
        let answer = Base64.encoded(HashFunction.sha256.authenticationCode(of: signed, key: serverKey))
        return (start + bytes(",p=") + proof, bytes("v=") + answer)
    }
}

@Suite struct ScramTests {
    private func open(_ users: [String: String] = ["anna": "secret"]) throws -> TestClient {
        let broker = TestBroker()
        broker.apply(AccessSettings(users))
        return try #require(broker.open(anonymous: false))
    }

    private func auth(
        _ code: ReasonCode, _ data: [UInt8]?, method: String? = "SCRAM-SHA-256"
    ) -> [UInt8] {
        var auth = Auth(reasonCode: code)
        auth.properties[bytes: .authenticationMethod] = method.map(bytes)
        auth.properties[bytes: .authenticationData] = data
        var encoded: [UInt8] = []
        auth.encode(into: &encoded)
        return encoded
    }

    private func challenge(_ seen: [Seen]) throws -> [UInt8] {
        guard case .auth(let auth)? = seen.first else {
            Issue.record("no AUTH but \(seen)")
            return bytes("r=,s=,i=1")
        }
        #expect(auth.reasonCode == .continueAuthentication)
        #expect(auth.properties[bytes: .authenticationMethod] == ScramExchange.method)
        return try #require(auth.properties[bytes: .authenticationData])
    }

    private func begin(_ client: TestClient, _ scram: ScramClient, user: String? = nil) -> [Seen] {
        client.connect("c") { connect in
            connect.userName = user.map(bytes)
            connect.properties[bytes: .authenticationMethod] = ScramExchange.method
            connect.properties[bytes: .authenticationData] = scram.first
        }
    }

    private func connack(_ seen: [Seen]) -> Connack? {
        guard case .connack(let connack)? = seen.first else { return nil }
        return connack
    }

    private func connected(_ scram: ScramClient = ScramClient("anna", "secret")) throws -> TestClient {
        let client = try open(["anna": "secret", "bert": "secret"])
        client.send(auth: auth(.continueAuthentication, scram.final(try challenge(begin(client, scram))).message))
        #expect(connack(client.seen())?.reasonCode == .success)
        return client
    }

    @Test func `both sides prove themselves before the CONNACK`() throws {
        let client = try open()
        let scram = ScramClient("anna", "secret")
        let (message, proof) = scram.final(try challenge(begin(client, scram)))
        client.send(auth: auth(.continueAuthentication, message))
        let answer = connack(client.seen())
        let connack = try #require(answer)
        #expect(connack.reasonCode == .success)
        #expect(connack.properties[bytes: .authenticationMethod] == ScramExchange.method)
        #expect(connack.properties[bytes: .authenticationData] == proof)
        #expect(client.user == bytes("anna"))
    }

    @Test(arguments: [("anna", "Secret"), ("nobody", "secret")])
    func `who does not know the password does not get in`(user: String, password: String) throws {
        let client = try open()
        let scram = ScramClient(user, password)
        client.send(
            auth: auth(.continueAuthentication, scram.final(try challenge(begin(client, scram))).message))
        #expect(connack(client.seen())?.reasonCode == .badUserNameOrPassword)
        #expect(client.isClosed)
        #expect(client.broker.counters.loginsFailed == 1)
    }

    @Test func `a record that SCRAM can't use is like no user`() throws {
        let client = try open([:])
        var access = AccessSettings()
        access.general.users = [
            bytes("anna"): .hashed(salt: [1], digest: HashFunction.sha512.digest(bytes("secret") + [1]))
        ]
        client.broker.apply(access)
        let scram = ScramClient("anna", "secret")
        client.send(
            auth: auth(.continueAuthentication, scram.final(try challenge(begin(client, scram))).message))
        #expect(connack(client.seen())?.reasonCode == .badUserNameOrPassword)
    }

    // Trap 16.
    @Test func `an unknown method is refused with 0x8C`() throws {
        let client = try open()
        let seen = client.connect("c") { $0.properties[bytes: .authenticationMethod] = bytes("KERBEROS") }
        #expect(connack(seen)?.reasonCode == .badAuthenticationMethod)
    }

    @Test func `authentication data without a method is a protocol error`() throws {
        let client = try open()
        let seen = client.connect("c") { $0.properties[bytes: .authenticationData] = bytes("x") }
        #expect(connack(seen)?.reasonCode == .protocolError)
    }

    @Test func `without users there is no method either`() throws {
        let client = try #require(TestBroker().open())
        #expect(connack(begin(client, ScramClient("anna", "secret")))?.reasonCode == .badAuthenticationMethod)
    }

    @Test func `a user name beside it must be the same`() throws {
        let seen = begin(try open(), ScramClient("anna", "secret"), user: "bert")
        #expect(connack(seen)?.reasonCode == .badUserNameOrPassword)
    }

    @Test func `an unreadable first message is refused`() throws {
        let client = try open()
        let seen = client.connect("c") { $0.properties[bytes: .authenticationMethod] = ScramExchange.method }
        #expect(connack(seen)?.reasonCode == .badUserNameOrPassword)
    }

    @Test func `only AUTH goes on with the exchange`() throws {
        let client = try open()
        _ = begin(client, ScramClient("anna", "secret"))
        client.publish("t")
        #expect(client.seen().isEmpty)
        #expect(client.isClosed)
    }

    @Test func `another method, another reason code or an old answer ends the exchange`() throws {
        let scram = ScramClient("anna", "secret")
        for (code, method) in [(ReasonCode.success, "SCRAM-SHA-256"), (.continueAuthentication, "PLAIN")] {
            let client = try open()
            let message = scram.final(try challenge(begin(client, scram))).message
            client.send(auth: auth(code, message, method: method))
            #expect(connack(client.seen())?.reasonCode == .protocolError)
        }
        // The challenge differs each time, so that an answer that somebody saw is worth nothing.
        let first = try open()
        let overheard = scram.final(try challenge(begin(first, scram))).message
        let second = try #require(first.broker.open(anonymous: false))
        _ = begin(second, scram)
        second.send(auth: auth(.continueAuthentication, overheard))
        #expect(connack(second.seen())?.reasonCode == .badUserNameOrPassword)
    }

    @Test func `an exchange that does not come to its end in time is closed`() throws {
        let client = try open()
        _ = begin(client, ScramClient("anna", "secret"))
        client.broker.advance(.seconds(10))
        #expect(client.seen().isEmpty)
        #expect(client.isClosed)
    }

    @Test func `a connected client may prove itself anew`() throws {
        let client = try connected()
        let scram = ScramClient("anna", "secret")
        client.send(auth: auth(.reauthenticate, scram.first))
        let (message, proof) = scram.final(try challenge(client.seen()))
        // Other packets go on meanwhile.
        client.send([0xC0, 0])
        #expect(client.seen() == [.pingresp])
        client.send(auth: auth(.continueAuthentication, message))
        guard case .auth(let auth)? = client.seen().first else {
            Issue.record("no AUTH")
            return
        }
        #expect(auth.reasonCode == .success)
        #expect(auth.properties[bytes: .authenticationData] == proof)
        #expect(!client.isClosed)
    }

    @Test(arguments: [("anna", "wrong"), ("bert", "secret")])
    func `who can't prove to be the same user is disconnected`(user: String, password: String) throws {
        let client = try connected()
        let scram = ScramClient(user, password)
        client.send(auth: auth(.reauthenticate, scram.first))
        client.send(auth: auth(.continueAuthentication, scram.final(try challenge(client.seen())).message))
        #expect(client.seen() == [.disconnect(Disconnect(reasonCode: .notAuthorized))])
        #expect(client.isClosed)
    }

    @Test func `AUTH that nobody began is a protocol error`() throws {
        let first = try connected()
        first.send(auth: auth(.continueAuthentication, bytes("x")))
        #expect(first.seen() == [.disconnect(Disconnect(reasonCode: .protocolError))])
        let second = try connected()
        second.send(auth: auth(.reauthenticate, bytes("x"), method: "PLAIN"))
        #expect(second.seen() == [.disconnect(Disconnect(reasonCode: .protocolError))])
        let third = try #require(TestBroker().open())
        third.connect("c")
        third.send(auth: auth(.reauthenticate, ScramClient("anna", "secret").first))
        #expect(third.seen() == [.disconnect(Disconnect(reasonCode: .protocolError))])
        let old = try #require(TestBroker().open())
        old.connect("c", .v311)
        old.send(auth: auth(.reauthenticate, nil))
        #expect(old.seen().isEmpty)
        #expect(old.isClosed)
    }
}

extension TestClient {
    fileprivate func send(auth bytes: [UInt8]) { send(bytes) }
}
