import Access
import Bytes
import MQTTCodec
import Testing

@testable import Broker

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

extension AccessSettings {
    /// Users with their passwords, hashed as little as may be.
    init(_ users: [String: String], rules: [AccessRule]? = nil) {
        self.init()
        var records: [[UInt8]: PasswordRecord] = [:]
        for (user, password) in users {
            records[bytes(user)] = .scram(
                ScramCredentials(password: bytes(password), salt: bytes("salt" + user), iterations: 1))
        }
        general = Policy(users: records, rules: rules.map { AccessRules($0) })
    }
}

@Suite struct AuthenticatingTests {
    private func broker(_ users: [String: String] = ["anna": "secret"]) -> TestBroker {
        let broker = TestBroker()
        broker.apply(AccessSettings(users))
        return broker
    }

    private func code(_ seen: [Seen]) -> ReasonCode? {
        guard case .connack(let connack)? = seen.first else { return nil }
        return connack.reasonCode
    }

    private func logIn(
        _ broker: TestBroker, _ user: String?, _ password: String?, _ version: ProtocolVersion = .v5,
        clientID: String = "c", from change: (inout ConnectionOrigin) -> Void = { $0.mayBeAnonymous = false }
    ) throws -> (TestClient, ReasonCode?) {
        let opened = broker.open(from: change)
        let client = try #require(opened)
        var seen = client.connect(clientID, version) { connect in
            connect.userName = user.map(bytes)
            connect.password = password.map(bytes)
        }
        broker.checkPasswords()
        seen += client.seen()
        return (client, code(seen))
    }

    @Test(arguments: ProtocolVersion.allCases)
    func `the right password lets in, others don't`(version: ProtocolVersion) throws {
        let broker = broker()
        #expect(try logIn(broker, "anna", "secret", version).1 == .success)
        #expect(try logIn(broker, "anna", "Secret", version).1 == .badUserNameOrPassword)
        #expect(try logIn(broker, "bert", "secret", version).1 == .badUserNameOrPassword)
        #expect(try logIn(broker, "anna", version == .v5 ? nil : "", version).1 == .badUserNameOrPassword)
        #expect(try logIn(broker, "", "", version).1 == .badUserNameOrPassword)
        #expect(try logIn(broker, nil, nil, version).1 == .notAuthorized)
        #expect(broker.counters.loginsFailed == 4)
    }

    // Trap 7: version 5 dropped 3.1.1's rule that a password needs a user name.
    @Test func `a password without a user name is legal in version 5, and nobody's`() throws {
        let broker = broker()
        #expect(try logIn(broker, nil, "secret").1 == .badUserNameOrPassword)
        #expect(try logIn(broker, nil, "secret") { $0.mayBeAnonymous = true }.1 == .success)
        let refused = try logIn(broker, nil, "secret", .v311)
        #expect(refused.1 == nil)
        #expect(refused.0.isClosed)
    }

    @Test func `a name is not looked at where there are no users`() throws {
        let broker = TestBroker()
        #expect(try logIn(broker, "anybody", "x") { $0.mayBeAnonymous = true }.1 == .success)
        #expect(try logIn(broker, "anybody", "x").1 == .badUserNameOrPassword)
        #expect(try logIn(broker, "anybody", nil).1 == .notAuthorized)
    }

    @Test func `an anonymous listener still wants the right password of those who name themselves`() throws {
        let broker = broker()
        #expect(try logIn(broker, "anna", "wrong") { $0.mayBeAnonymous = true }.1 == .badUserNameOrPassword)
        #expect(try logIn(broker, nil, nil) { $0.mayBeAnonymous = true }.1 == .success)
    }

    @Test func `a listener's own users are the only ones there`() throws {
        let broker = TestBroker()
        var access = AccessSettings(["anna": "secret"])
        access.listeners["door"] = AccessSettings(["bert": "secret"]).general
        broker.apply(access)
        let door: (inout ConnectionOrigin) -> Void = { ($0.listener, $0.mayBeAnonymous) = ("door", false) }
        #expect(try logIn(broker, "anna", "secret", from: door).1 == .badUserNameOrPassword)
        #expect(try logIn(broker, "bert", "secret", from: door).1 == .success)
        #expect(try logIn(broker, "anna", "secret").1 == .success)
    }

    @Test func `a certificate names the user, and no password is asked`() throws {
        let broker = broker()
        let (client, code) = try logIn(broker, "bert", "wrong") {
            ($0.certificateUser, $0.mayBeAnonymous) = (bytes("anna"), false)
        }
        #expect(code == .success)
        #expect(client.user == bytes("anna"))
    }

    // Trap 10: nothing of what came behind a refused CONNECT may happen.
    @Test func `what follows a refused CONNECT is thrown away`() throws {
        let broker = broker()
        let watcher = try #require(broker.open())
        watcher.connect("watcher")
        watcher.subscribe("#")
        let client = try #require(broker.open(anonymous: false))
        client.send(connectBytes("anna", "wrong") + publishBytes("t"))
        client.send(publishBytes("u"))
        broker.checkPasswords()
        #expect(code(client.seen()) == .badUserNameOrPassword)
        #expect(client.isClosed)
        #expect(watcher.messages().isEmpty)
    }

    // Trap 11: what follows a good CONNECT is handled in order, however the bytes are cut.
    @Test func `what follows a good CONNECT waits for it, and is handled in order`() throws {
        let whole = connectBytes("anna", "secret") + publishBytes("t") + publishBytes("u") + [0xC0, 0]
        for cut in 1..<whole.count {
            let broker = broker()
            let watcher = try #require(broker.open())
            watcher.connect("watcher")
            watcher.subscribe("#")
            let client = try #require(broker.open(anonymous: false))
            client.send(Array(whole[..<cut]))
            client.send(Array(whole[cut...]))
            #expect(client.seen().isEmpty)
            #expect(watcher.messages().isEmpty)
            broker.checkPasswords()
            #expect(watcher.messages() == ["t x", "u x"])
            let seen = client.seen()
            #expect(code(seen) == .success)
            #expect(seen.last == .pingresp)
        }
    }

    @Test func `a stranger has no more kept than one packet may have`() throws {
        let broker = TestBroker { $0.maximumPacketSize = 1_000 }
        broker.apply(AccessSettings(["anna": "secret"]))
        let client = try #require(broker.open(anonymous: false))
        client.send(connectBytes("anna", "secret"))
        for _ in 0..<10 { client.send([UInt8](repeating: 0xC0, count: 150)) }
        #expect(client.seen().isEmpty)
        #expect(client.isClosed)
        broker.checkPasswords()
        #expect(broker.counters.clients == 0)
    }

    @Test func `a client that goes, or whose time is over, while its password is checked leaves nothing`() throws {
        let broker = broker()
        let gone = try #require(broker.open(anonymous: false))
        gone.send(connectBytes("anna", "secret"))
        let late = try #require(broker.open(anonymous: false))
        late.send(connectBytes("anna", "secret"))
        let check = try #require(broker.takePasswordChecks().first)
        gone.lose()
        broker.advance(.seconds(60))
        #expect(code(late.seen()) == .serverBusy)
        #expect(late.isClosed)
        // Another client comes into the place of the first before the answer does.
        let other = try #require(broker.open(anonymous: false))
        broker.answer(check, isRight: true)
        #expect(other.seen().isEmpty)
        #expect(broker.checkPasswords() == 0)
        #expect(broker.counters.clients == 0)
        #expect(try logIn(broker, "anna", "secret").1 == .success)
    }

    @Test func `a password that was right is not hashed again, unless it was changed`() throws {
        let broker = broker()
        #expect(try logIn(broker, "anna", "secret").1 == .success)
        let again = try #require(broker.open(anonymous: false))
        again.send(connectBytes("anna", "secret"))
        #expect(broker.checkPasswords() == 0)
        #expect(code(again.seen()) == .success)
        broker.apply(AccessSettings(["anna": "other"]))
        #expect(try logIn(broker, "anna", "secret").1 == .badUserNameOrPassword)
    }

    @Test func `a hundred clients that come at once with one password cost one check`() throws {
        let broker = broker()
        let clients = try (0..<100).map { number in
            let client = try #require(broker.open(anonymous: false))
            client.send(connectBytes("anna", "secret", clientID: "c\(number)"))
            return client
        }
        #expect(broker.checkPasswords() == 1)
        #expect(broker.counters.clients == 100)
        #expect(clients.allSatisfy { code($0.seen()) == .success })
    }

    private func waiting(_ broker: TestBroker) throws -> (TestClient, PasswordCheck) {
        let client = try #require(broker.open(anonymous: false))
        client.connect("c") {
            $0.userName = bytes("anna")
            $0.password = bytes("secret")
        }
        return (client, try #require(broker.takePasswordChecks().first))
    }

    @Test func `the time that the check of a password takes is not the client's`() throws {
        let broker = broker()
        let (client, check) = try waiting(broker)
        broker.advance(.seconds(59))
        #expect(client.seen().isEmpty && !client.isClosed)
        broker.answer(check, isRight: true)
        #expect(code(client.seen()) == .success)
        broker.advance(.seconds(100))
        #expect(!client.isClosed)
    }

    @Test func `who waits a minute for the check is told that the server is busy`() throws {
        let broker = broker()
        let (client, check) = try waiting(broker)
        broker.advance(.seconds(60))
        #expect(code(client.seen()) == .serverBusy)
        #expect(client.isClosed)
        broker.answer(check, isRight: true)
        #expect(try logIn(broker, "anna", "secret").1 == .success)
    }

    @Test func `who guesses is slowed down, and only from there`() throws {
        let broker = broker()
        let guesser: (inout ConnectionOrigin) -> Void = { ($0.address, $0.mayBeAnonymous) = ("192.0.2.66", false) }
        for _ in 0..<200 {
            let client = try #require(broker.open(from: guesser))
            client.send(connectBytes("anna", "wrong"))
        }
        #expect(broker.checkPasswords() == LoginBrake.burst)
        #expect(broker.counters.loginsFailed == 200)
        #expect(broker.counters.loginsBraked == 200 - LoginBrake.burst)
        // Even with the right password, which would tell the guesser that it is.
        #expect(try logIn(broker, "anna", "secret", from: guesser).1 == .connectionRateExceeded)
        #expect(try logIn(broker, "anna", "secret").1 == .success)
        broker.advance(LoginBrake.interval)
        #expect(try logIn(broker, "anna", "secret", from: guesser).1 == .success)
    }

    @Test func `huge names and passwords cost nothing much`() throws {
        let broker = broker()
        let huge = String(repeating: "x", count: 65_535)
        #expect(try logIn(broker, huge, "secret").1 == .badUserNameOrPassword)
        #expect(try logIn(broker, "anna", huge).1 == .badUserNameOrPassword)
        #expect(try logIn(broker, huge, huge).1 == .badUserNameOrPassword)
        for case .refused(_, let why) in broker.takeEvents() { #expect(why.utf8.count < 200) }
    }

    private func connectBytes(_ user: String, _ password: String, clientID: String = "c") -> [UInt8] {
        var connect = Connect(version: .v5)
        connect.clientID = bytes(clientID)
        connect.userName = bytes(user)
        connect.password = bytes(password)
        var encoded: [UInt8] = []
        connect.encode(into: &encoded)
        return encoded
    }

    private func publishBytes(_ topic: String) -> [UInt8] {
        var encoded: [UInt8] = []
        Publish(topic: bytes(topic), payload: bytes("x")).encode(into: &encoded, version: .v5)
        return encoded
    }
}
