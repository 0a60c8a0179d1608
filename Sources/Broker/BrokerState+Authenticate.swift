import Access
package import Bytes
import MQTTCodec

/// Who a client is: by certificate, by password, by an exchange of AUTH packets, or nobody in particular.
extension BrokerState {
    /// Proves a well-formed CONNECT, at once or with the help of `takePasswordChecks`.
    mutating func authenticate(_ index: Int, _ connect: Connect) {
        guard !connections[index].isInternal else { return accept(index, connect, as: nil) }
        let policy = logins.access.policy(of: connections[index].origin.listener)
        if connect.properties[bytes: .authenticationMethod] != nil {
            return beginExchange(index, connect, policy.users)
        }
        if let name = connections[index].origin.certificateUser {
            return accept(index, connect, as: ProvenUser(name: name))
        }
        guard let users = policy.users, let user = connect.userName else {
            return acceptAnonymous(index, connect)
        }
        checkPassword(index, connect, user, users[user])
    }

    /// Without users a name proves nothing, and the client is nobody in particular.
    private mutating func acceptAnonymous(_ index: Int, _ connect: Connect) {
        guard !connections[index].origin.mayBeAnonymous else { return accept(index, connect, as: nil) }
        // A password alone is legal in version 5, but there is nobody whose it could be. [MQTT-3.1.2-22] of 3.1.1
        let code: ReasonCode = connect.password == nil ? .notAuthorized : .badUserNameOrPassword
        refuse(
            index, Connack(reasonCode: code), why: "this listener lets nobody in without a user (broker.auth.anonymous)"
        )
    }

    // MARK: passwords

    private mutating func checkPassword(
        _ index: Int, _ connect: Connect, _ user: [UInt8], _ record: PasswordRecord?
    ) {
        let password = connect.password ?? []
        guard password.count <= Logins.longestPassword else {
            return refuseLogin(index, user, "the password is longer than \(Logins.longestPassword) bytes")
        }
        if let record, logins.verified.contains(user, password, record) {
            return accept(index, connect, as: ProvenUser(name: user, record: record))
        }
        connections[index].state = .authenticating
        logins.waiting[Int32(clamping: index)] = Logins.Waiting(
            connect: connect, user: user, password: password, record: record ?? logins.decoy(for: user),
            isKnown: record != nil, since: now)
        logins.queue.append(id(of: index))
        checkNext()
    }

    /// Gives the thread the next password, unless it still works on one.
    private mutating func checkNext() {
        while logins.underWay == nil, let id = logins.queue.popFirst() {
            guard isCurrent(id), connections[Int(id.index)].state == .authenticating,
                let login = logins.waiting[id.index]
            else { continue }
            // Somebody else may have proven the same a moment ago.
            if login.isKnown, logins.verified.contains(login.user, login.password, login.record) {
                passed(Int(id.index), login)
                continue
            }
            let address = connections[Int(id.index)].origin.address
            guard logins.brake.begin(address, now: now) else {
                refuseTooMany(Int(id.index))
                continue
            }
            logins.underWay = Logins.UnderWay(id: id, address: address, login: login)
            logins.checks.append(PasswordCheck(id: id, record: login.record, password: login.password))
        }
    }

    /// The passwords to be checked since the last call; each wants an answer with `passwordChecked`.
    package mutating func takePasswordChecks() -> [PasswordCheck] {
        guard !logins.checks.isEmpty else { return [] }
        defer { logins.checks = [] }
        return logins.checks
    }

    /// The answer to a check.
    package mutating func passwordChecked(_ id: ConnectionID, isRight: Bool, now: MonotonicTime) {
        self.now = now
        guard let underWay = logins.underWay, underWay.id == id else { return }
        logins.underWay = nil
        let login = underWay.login
        if isRight, login.isKnown {
            logins.brake.succeeded(underWay.address)
            logins.verified.add(login.user, login.password, login.record)
        }
        if isCurrent(id), connections[Int(id.index)].state == .authenticating {
            if isRight, login.isKnown {
                passed(Int(id.index), login)
            } else {
                refuseLogin(Int(id.index), login.user, "wrong user name or password")
            }
        }
        checkNext()
        publishDueWills()
    }

    /// The time for CONNECT is over while its password waits to be checked, which is not the client's time.
    mutating func checkIsLate(_ index: Int) {
        guard let login = logins.waiting[Int32(clamping: index)] else { return }
        let last = login.since + Logins.longestWait
        guard last <= now else { return addDeadline(.connect, index, at: last) }
        refuse(
            index, Connack(reasonCode: .serverBusy),
            why: "its password could not be checked within \(Logins.longestWait)")
    }

    /// Answers the CONNECT, and then what came behind it, in order.
    private mutating func passed(_ index: Int, _ login: Logins.Waiting) {
        logins.waiting[Int32(clamping: index)] = nil
        accept(index, login.connect, as: ProvenUser(name: login.user, record: login.record))
        var kept: [UInt8] = []
        swap(&kept, &connections[index].partial)
        guard isReading(index), !kept.isEmpty else { return }
        let consumed = handlePackets(index, kept.span)
        keepRest(index, kept.span.extracting(consumed..<kept.count))
    }

    /// Bytes behind a CONNECT that is not answered yet; more than one packet may have nobody keeps for a stranger.
    mutating func keepForLater(_ index: Int, _ bytes: Span<UInt8>) {
        guard connections[index].partial.count + bytes.count <= limits.maximumPacketSize else {
            return refuse(index, why: "sent more than \(limits.maximumPacketSize) bytes before it was let in")
        }
        connections[index].partial.append(copying: bytes)
    }

    @inline(__always)
    func id(of index: Int) -> ConnectionID {
        ConnectionID(index: Int32(clamping: index), generation: connections[index].generation)
    }

    // MARK: refusals

    private mutating func refuseLogin(_ index: Int, _ user: [UInt8], _ why: String) {
        counters.loginsFailed += 1
        let name = String(decoding: user.prefix(64), as: UTF8.self)
        refuse(index, Connack(reasonCode: .badUserNameOrPassword), why: "user '\(name)': \(why)")
    }

    /// Without a look at the password: guessing must not cost us work.
    private mutating func refuseTooMany(_ index: Int) {
        counters.loginsFailed += 1
        counters.loginsBraked += 1
        let version = connections[index].version
        withOutput(index) { Connack(reasonCode: .connectionRateExceeded).encode(into: &$0, version: version) }
        // Not one line a guess, or guessing would fill the disk with them.
        guard counters.loginsBraked.nonzeroBitCount == 1 else { return turnAway(index) }
        let count = counters.loginsBraked
        refuse(
            index,
            why: "too many wrong passwords from there; it may try again in \(LoginBrake.interval) (\(count) so far)")
    }

    // MARK: exchanges of AUTH packets

    private mutating func beginExchange(_ index: Int, _ connect: Connect, _ users: [[UInt8]: PasswordRecord]?) {
        guard let users, connect.properties[bytes: .authenticationMethod] == ScramExchange.method else {
            // [MQTT-4.12.0-1]
            return refuse(
                index, Connack(reasonCode: .badAuthenticationMethod),
                why: "an authentication method that is not offered")
        }
        guard logins.brake.begin(connections[index].origin.address, now: now) else { return refuseTooMany(index) }
        let message = connect.properties[bytes: .authenticationData] ?? []
        guard let exchange = exchange(message, users, connect) else {
            return refuseLogin(index, connect.userName ?? [], "an unreadable SCRAM message")
        }
        guard connect.userName == nil || connect.userName == exchange.scram.user else {
            return refuseLogin(index, exchange.scram.user, "the user name in CONNECT is another")
        }
        connections[index].state = .exchanging
        logins.exchanges[Int32(clamping: index)] = exchange
        send(.continueAuthentication, exchange.scram.challenge, to: index)
    }

    private mutating func exchange(
        _ message: [UInt8], _ users: [[UInt8]: PasswordRecord], _ connect: Connect?
    ) -> Logins.Exchange? {
        let nonce = logins.nonce()
        let scram = ScramExchange(message, serverNonce: nonce, secret: logins.secret) { user in
            guard case .scram(let credentials) = users[user] else { return nil }
            return credentials
        }
        return scram.map { Logins.Exchange(scram: $0, connect: connect, record: users[$0.user]) }
    }

    private mutating func send(_ code: ReasonCode, _ data: [UInt8], to index: Int) {
        var auth = Auth(reasonCode: code)
        auth.properties[bytes: .authenticationMethod] = ScramExchange.method  // [MQTT-4.12.0-5]
        auth.properties[bytes: .authenticationData] = data
        withOutput(index) { auth.encode(into: &$0) }
    }

    /// A packet between CONNECT and CONNACK; only AUTH and DISCONNECT may come. [MQTT-3.1.2-30]
    mutating func exchangeContinues(_ index: Int, _ packet: Span<UInt8>, _ header: FixedHeader) throws(DecodeError) {
        guard header.type == .auth else {
            return refuse(index, why: "\(header.type) in the middle of its authentication")
        }
        let auth = try Auth(packet, header)
        guard let exchange = logins.exchanges.removeValue(forKey: Int32(clamping: index)),
            let connect = exchange.connect, auth.continuesExchange  // [MQTT-4.12.0-3]
        else {
            return refuse(
                index, Connack(reasonCode: .protocolError), why: "an AUTH that does not go on with its exchange")
        }
        guard let proof = exchange.scram.answer(auth.properties[bytes: .authenticationData] ?? []) else {
            return refuseLogin(index, exchange.scram.user, "wrong user name or password (SCRAM)")
        }
        logins.brake.succeeded(connections[index].origin.address)
        connections[index].hasMethod = true
        accept(index, connect, as: ProvenUser(name: exchange.scram.user, record: exchange.record), proof: proof)
    }

    /// AUTH of a connected client: it proves itself anew. [MQTT 5, section 4.12.1]
    mutating func authReceived(_ index: Int, _ auth: Auth) {
        let key = Int32(clamping: index)
        guard connections[index].hasMethod, auth.properties[bytes: .authenticationMethod] == ScramExchange.method else {
            // [MQTT-4.12.0-7] [MQTT-4.12.1-1]
            return disconnect(index, .protocolError, why: "AUTH with another method than its CONNECT's, or without one")
        }
        let message = auth.properties[bytes: .authenticationData] ?? []
        if auth.reasonCode == .reauthenticate, logins.exchanges[key] == nil {
            let users = logins.access.policy(of: connections[index].origin.listener).users ?? [:]
            guard logins.brake.begin(connections[index].origin.address, now: now),
                let exchange = exchange(message, users, nil)
            else { return failAgain(index) }
            logins.exchanges[key] = exchange
            return send(.continueAuthentication, exchange.scram.challenge, to: index)
        }
        guard auth.continuesExchange, let exchange = logins.exchanges.removeValue(forKey: key) else {
            return disconnect(index, .protocolError, why: "an AUTH that belongs to no exchange")
        }
        // The session is one user's; another one connects anew.
        let user = sessions[Int(connections[index].session)].standing?.user
        guard let proof = exchange.scram.answer(message), exchange.scram.user == user?.name else {
            return failAgain(index)
        }
        logins.brake.succeeded(connections[index].origin.address)
        send(.success, proof, to: index)
    }

    /// [MQTT 5, section 4.12.1]: the client is disconnected when it can't prove itself again.
    private mutating func failAgain(_ index: Int) {
        counters.loginsFailed += 1
        disconnect(index, .notAuthorized, why: "it could not prove itself again")
    }
}

extension Auth {
    fileprivate var continuesExchange: Bool {
        reasonCode == .continueAuthentication && properties[bytes: .authenticationMethod] == ScramExchange.method
    }
}
